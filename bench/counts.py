"""What is counted apart from the timed runs: system calls, user instructions, imports, pieces.

Counts are differences: an entrant is run with few operations and with many, so that starting
and connecting cancel out.
"""

from __future__ import annotations

import compileall
import json
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from entrants_run import CLOCKED, FLOOR, Entrant, environment, python_of, script_of
from rows import Row

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 500, 2500
IMPORTS = 7
MODULES = {"ours": "aerospike_py", "official": "aerospike", "rust": "aerospike_py",
           "native": "aerospike_native"}


def command(row: Row, name: str, ops: int) -> list[str]:
    return [python_of(name), str(script_of(name)), json.dumps(dict(row.order, ops=ops))]


def run_counted(tool: list[str], row: Row, name: str, ops: int, host: str,
                port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*tool, *command(row, name, ops)], capture_output=True, text=True,
                          env=environment(name, host, port), timeout=600, check=False)


# ---- system calls ----


def strace(row: Row, name: str, ops: int, host: str, port: int) -> dict[str, int] | None:
    with tempfile.NamedTemporaryFile("r") as out:
        done = run_counted(["strace", "-f", "-qq", "-c", "-o", out.name], row, name, ops, host,
                           port)
        if done.returncode != 0 or '"ops"' not in done.stdout:
            return None
        lines = [line.split() for line in out.read().splitlines()]
    # % time, seconds, usecs/call, calls, [errors], name
    return {line[-1]: int(line[3]) for line in lines
            if len(line) >= 5 and line[3].isdigit() and line[-1] != "total"}


def system_calls(rows: list[Row], names: list[str], host: str, port: int,
                 quick: bool) -> dict[str, Any]:
    """Of each row and client: calls per operation, and by name those that matter."""
    found: dict[str, Any] = {}
    if shutil.which("strace") is None:
        return found
    for row in rows:
        for name in names:
            if quick and name not in ("ours", "official"):
                continue
            few = strace(row, name, FEW, host, port)
            many = strace(row, name, MANY, host, port)
            if few is None or many is None:
                continue
            each = {call: (count - few.get(call, 0)) / (MANY - FEW)
                    for call, count in many.items()}
            found.setdefault(row.name, {})[name] = {
                "total": sum(each.values()),
                "calls": {c: round(n, 3) for c, n in sorted(each.items()) if abs(n) >= 0.01}}
    return found


# ---- user instructions ----


def callgrind(row: Row, name: str, ops: int, host: str, port: int) -> int | None:
    done = run_counted(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"], row,
                       name, ops, host, port)
    collected = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if collected is None or '"ops"' not in done.stdout:
        return None
    return int(collected.group(1))


def instructions(rows: list[Row], names: list[str], host: str, port: int) -> dict[str, Any]:
    """Of each row and client: instructions in user space per operation."""
    found: dict[str, Any] = {}
    if shutil.which("valgrind") is None:
        return found
    for row in rows:
        for name in names:
            few = callgrind(row, name, FEW, host, port)
            many = callgrind(row, name, MANY, host, port)
            if few is not None and many is not None:
                found.setdefault(row.name, {})[name] = (many - few) / (MANY - FEW)
    return found


# ---- imports ----


def import_ms(name: str) -> float | None:
    program = ("import time; t = time.perf_counter(); "
               f"import {MODULES[name]}; print((time.perf_counter() - t) * 1000)")
    done = subprocess.run([python_of(name), "-c", program], capture_output=True, text=True,
                          env=environment(name, "", 0), cwd=Path(python_of(name)).parent,
                          check=False)
    return float(done.stdout) if done.returncode == 0 else None


def imports(names: list[str]) -> dict[str, float]:
    """Milliseconds to import each client, medians; ours compiled as an installer leaves it."""
    compileall.compile_dir(ROOT / "aerospike_py", quiet=1)
    runs: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(IMPORTS):
        for name in names:
            ms = import_ms(name)
            if ms is not None:
                runs[name].append(ms)
    return {name: statistics.median(ms) for name, ms in runs.items() if ms}


# ---- pieces ----


def pieces(all_of: dict[str, Entrant]) -> dict[str, float]:
    """Nanoseconds of the core's parts in C, and of requests and replies in Python."""
    micro = subprocess.run([str(FLOOR.with_name("micro"))], capture_output=True, text=True,
                           check=True)
    found: dict[str, float] = json.loads(micro.stdout)
    if CLOCKED in all_of:
        more = all_of[CLOCKED].ask({"run": "pieces"})
        found.update(more if "missing" not in more and "failed" not in more else {})
    return found
