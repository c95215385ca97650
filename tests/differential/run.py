"""Many random operations: a local server, a real one if AEROSPIKE_HOST is set, and the model.

``python tests/differential/run.py 200000`` runs so many of each family and prints the counts;
``--seed`` begins elsewhere, ``--family`` takes one of them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from random import Random
from types import ModuleType

from model import bits, exps, geo, lists, maps, paths, sketches
from model.compare import Run, Servers, connect

from aerospike_py.server import LocalServer

FAMILIES = {"lists": lists, "maps": maps, "bits": bits, "sketches": sketches,
            "expressions": exps, "paths": paths, "geometries": geo}
STEPS = 40


def real_host() -> tuple[str, int] | None:
    """The server that the environment names."""
    host, _, port = os.environ.get("AEROSPIKE_HOST", "").partition(":")
    return (host, int(port or os.environ.get("AEROSPIKE_PORT", "3000"))) if host else None


def servers(local: LocalServer) -> Servers:
    """Connected clients: of the local server, and of the real one."""
    found = {"local": connect(local.hosts)}
    real = real_host()
    if real:
        found["real"] = connect([real])
    return found


def run_family(clients: Servers, family: ModuleType, count: int, seed: int) -> Counter[int]:
    """So many operations, on a new record every few; how many ended with which code."""
    codes: Counter[int] = Counter()
    while codes.total() < count:
        r = Random(f"{family.__name__} {seed}")
        run = Run(clients, family, r)
        for _ in range(STEPS):
            run.step(r)
        run.end()
        codes += run.counts
        seed += 1
    return codes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=2000, help="of each family")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", choices=FAMILIES)
    options = parser.parse_args()
    total: Counter[int] = Counter()
    with LocalServer() as local:
        clients = servers(local)
        for name, family in FAMILIES.items():
            if options.family in (None, name):
                began = time.monotonic()
                codes = run_family(clients, family, options.count, options.seed)
                total += codes
                each = ", ".join(f"{code}: {n:,}" for code, n in sorted(codes.items()))
                print(f"{name:12} {codes.total():>9,} in {time.monotonic() - began:.0f} s; "
                      f"by result code {each}", flush=True)
    print(f"{total.total():,} operations on {' and '.join(clients)} and the model, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
