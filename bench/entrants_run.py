"""Running the entrants: their processes, the floor's, and the records they work on."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import peers
from rows import Row
from workload import MISC_SET, NAMESPACE, QUERY_RECORDS, QUERY_SET, RECORDS, SET

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FLOOR = ROOT / "build" / "bench" / "floor"
CLOCKED_ROOT = ROOT / "build" / "gilclock"
CLOCKED = "clocked"  # our client in the build with the lock's clock
ANSWER_WITHIN = 60.0  # seconds beyond the run's own


def python_of(name: str) -> str:
    return peers.interpreter(name) if name in peers.PACKAGES else sys.executable


def script_of(name: str) -> Path:
    return HERE / "entrants" / f"{'ours' if name == CLOCKED else name}.py"


def environment(name: str, host: str, port: int) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    roots = {"ours": [ROOT], CLOCKED: [CLOCKED_ROOT]}.get(name, [])
    env.update(BENCH_HOST=host, BENCH_PORT=str(port),
               PYTHONPATH=os.pathsep.join(str(path) for path in [HERE, *roots]))
    return env


class Line:
    """A process that answers orders."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.process = subprocess.Popen(
            [python_of(name), str(script_of(name))], env=environment(name, host, port),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.ready = self.read(ANSWER_WITHIN)
        if "ready" not in self.ready:
            raise peers.NoPeer(f"{name} does not start: {self.ready}")

    def read(self, within: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], within)[0]:
            self.process.kill()
            return {"failed": "no answer"}
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"failed": "its process has ended"}

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        except OSError:
            return {"failed": "its process has ended"}
        return self.read(ANSWER_WITHIN + order.get("seconds", 0.0))

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Entrant:
    """A client: one process, and one more for each further kind of event loop (some clients
    stay with the first loop they meet).
    """

    def __init__(self, name: str, host: str, port: int) -> None:
        self.name = name
        self.address = (host, port)
        self.lines = {"asyncio": Line(name, host, port)}
        self.version = self.lines["asyncio"].ready.get("version", "?")

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        kind = order.get("loop", "asyncio")
        if kind not in self.lines:
            self.lines[kind] = Line(self.name, *self.address)
        return self.lines[kind].ask(order)

    def close(self) -> None:
        for line in self.lines.values():
            line.close()


class Floor(Entrant):
    """The C program, run anew for each order."""

    def __init__(self, host: str, port: int) -> None:
        self.name = "floor"
        self.version = "C"
        self.host = host
        self.port = port

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        query = order["way"] == "query"
        return floor(self.host, self.port, order["way"], QUERY_SET if query else SET,
                     QUERY_RECORDS if query else RECORDS, order["seconds"], order["size"])

    def close(self) -> None:
        pass


class EchoEntrant(Entrant):
    """Bare asyncio, against the floor's echo."""

    def __init__(self) -> None:
        self.echo = subprocess.Popen([str(FLOOR), "echo"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        assert self.echo.stdout is not None
        super().__init__("echo", "127.0.0.1", int(self.echo.stdout.readline()))

    def close(self) -> None:
        super().close()
        assert self.echo.stdin is not None and self.echo.stdout is not None
        self.echo.stdin.close()
        self.echo.wait()
        self.echo.stdout.close()


def floor(host: str, port: int, way: str, set_name: str, records: int, seconds: float,
          size: str) -> dict[str, Any]:
    done = subprocess.run([str(FLOOR), way, host, str(port), NAMESPACE, set_name, str(records),
                           str(seconds), size], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"failed": done.stderr.strip()}
    return json.loads(done.stdout)


def build_clocked() -> None:
    """The variant with the clock, beside the ordinary one."""
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--build-lib",
                    str(CLOCKED_ROOT)], cwd=ROOT, check=True, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, AERO_VARIANT="gilclock"))
    shutil.copytree(ROOT / "aerospike_py", CLOCKED_ROOT / "aerospike_py", dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("*.so", "__pycache__"))


def start(into: dict[str, Entrant], names: list[str], host: str, port: int, clocked: bool,
          echo: bool) -> None:
    """Start all of them; those that run are in `into`, whatever happens."""
    for name in names:
        into[name] = Entrant(name, host, port)
    if clocked:
        build_clocked()
        into[CLOCKED] = Entrant(CLOCKED, host, port)
    if echo:
        into["echo"] = EchoEntrant()
    into["floor"] = Floor(host, port)


def load(host: str, port: int, rows: list[Row]) -> None:
    """Write the records that the rows read."""
    wanted = [(SET, RECORDS)]
    if any(row.order["run"] == "query" for row in rows):
        wanted.append((QUERY_SET, QUERY_RECORDS))
    for set_name, count in wanted:
        done = floor(host, port, "load", set_name, count, 0.0, "1")
        if "failed" in done:
            raise peers.NoPeer(f"records cannot be loaded: {done['failed']}")


def unload(host: str, port: int) -> None:
    """Truncate our sets."""
    program = ("import aerospike_py, sys; "
               "c = aerospike_py.client({'hosts': [(sys.argv[1], int(sys.argv[2]))]}).connect(); "
               "[c.info_random_node(f'truncate:namespace={sys.argv[3]};set={s}') "
               "for s in sys.argv[4:]]")
    subprocess.run([sys.executable, "-c", program, host, str(port), NAMESPACE, SET, QUERY_SET,
                    MISC_SET], env=environment("ours", host, port), check=False)
