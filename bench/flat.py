"""``make flat``: a million records are read in every way; memory must stay where it was.

    python bench/flat.py                 a million records
    python bench/flat.py --records 0.1   a hundred thousand, for CI

The records go to the server at AEROSPIKE_HOST, or to a local one in a process of its own.  Resident
memory is looked at while they are read; it may not grow by more than 20 MiB over the start.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import servers
from soak import resident

import aerospike_py

SET = "aero_flat"
LIMIT = 20 << 20
ROUND = 5000  # records of a batch when they are written
LOOK_EVERY = 5000  # records between two looks at the memory
PAGE = 1000


class Watch:
    """Counts records, and how high memory rises meanwhile."""

    def __init__(self) -> None:
        gc.collect()
        self.before = self.most = resident()
        self.count = self.total = 0

    def __call__(self, record: Any) -> None:
        self.count += 1
        self.total += record.bins["n"]
        if self.count % LOOK_EVERY == 0:
            self.most = max(self.most, resident())

    @property
    def grown(self) -> int:
        return self.most - self.before


def fill(client: Any, count: int) -> None:
    for at in range(0, count, ROUND):
        done = client.batch_write([
            (("test", SET, n), {"n": n, "x": n / 2, "s": f"text {n}", "l": [n, n + 1],
                                "b": bytes(20)})
            for n in range(at, min(at + ROUND, count))])
        if done.result != 0:
            raise SystemExit(f"flat: records were not written: {done.result}")


def by_loop(query: Any, watch: Watch) -> None:
    for record in query:
        watch(record)


def by_callback(query: Any, watch: Watch) -> None:
    query.foreach(watch)


def by_pages(query: Any, watch: Watch) -> None:
    for page in query.pages(PAGE):
        for record in page:
            watch(record)


async def by_async_loop(query: Any, watch: Watch) -> None:
    async for record in query:
        watch(record)


async def by_async_callback(query: Any, watch: Watch) -> None:
    await query.foreach(watch)


async def by_async_pages(query: Any, watch: Watch) -> None:
    async for page in query.pages(PAGE):
        for record in page:
            watch(record)


SYNC: list[tuple[str, Callable[[Any, Watch], None]]] = [
    ("for", by_loop), ("foreach", by_callback), ("pages", by_pages)]
ASYNC: list[tuple[str, Callable[[Any, Watch], Awaitable[None]]]] = [
    ("async for", by_async_loop), ("await foreach", by_async_callback),
    ("async pages", by_async_pages)]


def report(name: str, watch: Watch, count: int, took: float) -> bool:
    right = watch.count == count and watch.total == count * (count - 1) // 2
    fine = right and watch.grown <= LIMIT
    print(f"{name:19} {watch.count:>9,} records in {took:5.1f} s, memory "
          f"{watch.before / 2**20:.1f} MiB at first, +{watch.grown / 2**20:.1f} MiB at most: "
          f"{'flat' if fine else 'GROWS' if right else 'WRONG RECORDS'}", flush=True)
    return fine


async def run_async(config: dict[str, Any], count: int) -> bool:
    fine = True
    async with aerospike_py.AsyncClient(config) as client:
        await client.connect()
        for kind in ("query", "scan"):
            for name, read in ASYNC:
                watch, began = Watch(), time.monotonic()
                await read(getattr(client, kind)("test", SET), watch)
                fine &= report(f"{kind} {name}", watch, count, time.monotonic() - began)
    return fine


def run(config: dict[str, Any], count: int) -> bool:
    fine = True
    with aerospike_py.client(config).connect() as client:
        fill(client, count)
        try:
            for kind in ("query", "scan"):
                for name, read in SYNC:
                    watch, began = Watch(), time.monotonic()
                    read(getattr(client, kind)("test", SET), watch)
                    fine &= report(f"{kind} {name}", watch, count, time.monotonic() - began)
            fine &= asyncio.run(run_async(config, count))
        finally:
            client.truncate("test", SET)
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description="Many records are read; memory must stay flat.")
    parser.add_argument("--records", type=float, default=1, metavar="MILLIONS")
    opts = parser.parse_args()
    try:
        with servers.server() as (host, port, what):
            print(f"{opts.records:g} million records on {what}; limit {LIMIT >> 20} MiB")
            return 0 if run({"hosts": [(host, port)]}, int(opts.records * 1e6)) else 1
    except servers.NoServer as why:
        print(f"flat: {why}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
