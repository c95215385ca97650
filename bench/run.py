"""``make bench``: this client, its peers and the floor, interleaved in one run.

    python bench/run.py --quick                 about two minutes
    python bench/run.py                         about fifteen
    python bench/run.py --without native --only 'asyncio_*'

See README.md beside this file for what is measured and how to read it.  Results: a table on
standard output, and results.json, table.md and plot.svg in build/bench.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import counts
import entrants_run
import figures
import peers
import plot
import servers
import table
from entrants_run import CLOCKED, Entrant
from rows import CLIENTS, PEERS, ROWS, Row

ROOT = Path(__file__).resolve().parent.parent

Results = dict[str, dict[str, list[dict[str, Any]]]]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare this client with its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rows, short runs")
    parser.add_argument("--without", action="append", default=[], choices=PEERS,
                        help="leave a peer out")
    for peer in PEERS:
        parser.add_argument(f"--{peer}", metavar="PYTHON",
                            help=f"the interpreter that has it (or BENCH_{peer.upper()})")
    parser.add_argument("--only", metavar="ROWS", default="*",
                        help="rows by name, a pattern; several with commas")
    parser.add_argument("--seconds", type=float, help="of one run")
    parser.add_argument("--rounds", type=int, help="runs of each row and client")
    parser.add_argument("--callgrind", action="store_true",
                        help="count user instructions (valgrind, a minute more)")
    parser.add_argument("--no-strace", action="store_true", help="do not count system calls")
    parser.add_argument("--no-clock", action="store_true",
                        help="do not build and run the variant with the lock's clock")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--keep", action="store_true", help="leave the records on the server")
    found = parser.parse_args()
    for peer in PEERS:
        if getattr(found, peer):
            os.environ[f"BENCH_{peer.upper()}"] = getattr(found, peer)
    found.seconds = found.seconds or (0.25 if found.quick else 0.6)
    found.rounds = found.rounds or (3 if found.quick else 7)
    return found


def chosen_rows(opts: argparse.Namespace) -> list[Row]:
    patterns = opts.only.split(",")
    return [row for row in ROWS
            if (row.quick or not opts.quick or opts.only != "*")
            and any(fnmatch.fnmatch(row.name, p) for p in patterns)]


def of_row(row: Row, names: list[str], turn: int) -> list[str]:
    """Who runs the row, each first in its turn."""
    found = [n for n in names if n in row.entrants or n in row.extra]
    if row.floor:
        found.append("floor")
    if CLOCKED in names and row.counted:
        found.append(CLOCKED)
    turn %= len(found)
    return found[turn:] + found[:turn]


def order_of(row: Row, name: str, seconds: float) -> dict[str, Any]:
    order = dict(row.order, seconds=seconds * row.weight)
    if name == "floor":
        order["way"], order["size"] = row.floor.split()
    return order


def measure(rows: list[Row], all_of: dict[str, Entrant], opts: argparse.Namespace) -> Results:
    """All rounds; who misses a row, or fails at it, is not asked again."""
    results: Results = {row.name: {} for row in rows}
    for turn in range(-1, opts.rounds):  # the first is the warm-up
        for row in rows:
            seconds = min(0.1, opts.seconds) if turn < 0 else opts.seconds
            for name in of_row(row, list(all_of), turn):
                runs = results[row.name].setdefault(name, [])
                if runs and "ops" not in runs[-1]:
                    continue
                result = all_of[name].ask(order_of(row, name, seconds))
                if turn >= 0 or "ops" not in result:
                    runs.append(result)
            show(f"round {turn + 1} of {opts.rounds}: {row.title}")
    show("")
    return results


def show(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else ""
    return {"system": f"{platform.system()} {platform.release()}", "cpu": model,
            "cores": os.cpu_count(), "python": platform.python_version(),
            "load": os.getloadavg()}


def run(opts: argparse.Namespace, host: str, port: int, what: str) -> dict[str, Any]:
    rows = chosen_rows(opts)
    names = [n for n in CLIENTS if n not in opts.without]
    began = time.time()
    all_of: dict[str, Entrant] = {}
    try:
        entrants_run.start(all_of, names, host, port, clocked=not opts.no_clock,
                           echo=any("echo" in row.extra for row in rows))
        entrants_run.load(host, port, rows)
        report: dict[str, Any] = {
            "server": what, "machine": machine(), "quick": opts.quick,
            "rounds": opts.rounds, "seconds": opts.seconds,
            "versions": {n: e.version for n, e in all_of.items()},
            "titles": {row.name: row.title for row in rows},
            "units": {row.name: row.unit for row in rows},
            "rate_only": [row.name for row in rows if row.rate_only],
            "results": measure(rows, all_of, opts),
            "pieces": counts.pieces(all_of),
        }
    finally:
        for entrant in all_of.values():
            entrant.close()
    report["imports"] = counts.imports(names)
    counted = [row for row in rows if row.counted]
    report["calls"] = {} if opts.no_strace else \
        counts.system_calls(counted, names, host, port, opts.quick)
    report["instructions"] = counts.instructions(counted, names, host, port) \
        if opts.callgrind else {}
    if not opts.keep:
        entrants_run.unload(host, port)
    report["took"] = time.time() - began
    return report


def main() -> int:
    opts = options()
    try:
        with servers.server() as (host, port, what):
            report = run(opts, host, port, what)
    except (peers.NoPeer, servers.NoServer) as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    opts.out.mkdir(parents=True, exist_ok=True)
    text = table.markdown(report) + "\n" + figures.markdown(report)
    (opts.out / "results.json").write_text(json.dumps(report, indent=1))
    (opts.out / "table.md").write_text(text)
    (opts.out / "plot.svg").write_text(plot.svg(report))
    print(text)
    print(f"written: {opts.out}/results.json, table.md, plot.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
