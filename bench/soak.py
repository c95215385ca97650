"""``make soak``: millions of operations on both clients in one process; memory must stay flat.

    python bench/soak.py                     ten million operations
    python bench/soak.py --quick             a minute, for CI
    python bench/soak.py --operations 50     fifty million

Mixed verbs, with what goes wrong in life: records that are not there, wrong arguments, timeouts,
cancelled tasks, event loops that end, clients that close and connect again.  Resident memory and
Python's own count of blocks are sampled; after the warm-up neither may grow.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import random
import statistics
import sys
import threading
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import servers

import aerospike_py

SET = "aero_soak"
KEYS = 2000
TASKS = 64
THREADS = 2
WARM_UP = 0.25  # share of the run whose samples do not count
SYNC_SHARE = 0.1  # of the operations
SEGMENTS = 60  # each has an event loop of its own and gives one sample
RECONNECT_EVERY = 6  # segments
MEMORY_LIMIT = 2 << 20  # bytes of growth, as fitted to the samples
BLOCK_LIMIT = 1000  # the same for Python's blocks
RECORD = {"a": 1, "b": 2.5, "c": "twenty letters long!", "d": bytes(50),
          "e": [1, "two", {"three": 3.0}], "f": {"x": [1, 2, 3]}}
LATE = {"total_timeout": 1, "socket_timeout": 1, "max_retries": 0}

Expected = (aerospike_py.AerospikeError, TypeError, ValueError, asyncio.TimeoutError)
Verb = Callable[[Any, Any, random.Random], Any]


def key_of(dice: random.Random) -> tuple[str, str, int]:
    return ("test", SET, dice.randrange(KEYS))


#: What is done, with its weight.  Each works on both clients: it gives a result or an awaitable.
VERBS: list[tuple[int, str, Verb]] = [
    (20, "get", lambda c, k, d: c.get(k)),
    (15, "put", lambda c, k, d: c.put(k, RECORD)),
    (5, "put with policy and meta",
     lambda c, k, d: c.put(k, {"a": d.randrange(1000)}, {"ttl": 0}, {"total_timeout": 2000})),
    (6, "select", lambda c, k, d: c.select(k, ["a", "c"])),
    (6, "exists", lambda c, k, d: c.exists(k)),
    (5, "touch", lambda c, k, d: c.touch(k)),
    (5, "increment", lambda c, k, d: c.increment(k, "a", 1)),
    (3, "append", lambda c, k, d: c.put(k, {"c": "text"})),
    (5, "operate", lambda c, k, d: c.operate(k, [
        {"op": aerospike_py.OPERATOR_WRITE, "bin": "a", "val": 5},
        {"op": aerospike_py.OPERATOR_READ, "bin": "a"}])),
    (3, "remove", lambda c, k, d: c.remove(k)),
    (2, "remove_bin", lambda c, k, d: c.remove_bin(k, ["f"])),
    (3, "large", lambda c, k, d: c.put(k, {"big": bytes(d.randrange(20_000))})),
    (3, "not there", lambda c, k, d: c.get(("test", SET, "nobody"))),
    (2, "create only", lambda c, k, d: c.put(
        k, {"a": 1}, None, {"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY})),
    (2, "wrong type of bin", lambda c, k, d: c.increment(k, "c", 1)),
    (2, "bad key", lambda c, k, d: c.get(("test", SET))),
    (2, "bad value", lambda c, k, d: c.put(k, {"a": object()})),
    (1, "bad name", lambda c, k, d: c.put(k, {"a" * 40: 1})),
    (3, "late", lambda c, k, d: c.get(k, LATE)),
    (2, "late put", lambda c, k, d: c.put(k, RECORD, None, LATE)),
]
WEIGHTS = list(itertools.accumulate(weight for weight, _, _ in VERBS))


class Soak:
    """The clients, the counts, and the samples."""

    def __init__(self, host: str, port: int, operations: int) -> None:
        # The breaker is off: timeouts are meant to happen.
        self.config: dict[str, Any] = {"hosts": [(host, port)], "max_error_rate": 0}
        self.operations = operations
        self.outcomes: Counter[str] = Counter()
        self.lock = threading.Lock()
        # Made beforehand, so that sampling itself does not grow.
        self.samples = [array("q", bytes(8 * SEGMENTS)) for _ in range(3)]
        self.client = aerospike_py.client(self.config).connect()
        self.async_client = aerospike_py.AsyncClient(self.config)

    def done(self) -> int:
        return self.outcomes.total()

    # ---- synchronous ----

    def work(self, seed: int, count: int) -> None:
        dice = random.Random(seed)
        mine: Counter[str] = Counter()
        for _, _, verb in dice.choices(VERBS, cum_weights=WEIGHTS, k=count):
            try:
                verb(self.client, key_of(dice), dice)
                mine["ok"] += 1
            except Expected as error:
                mine[type(error).__name__] += 1
        with self.lock:
            self.outcomes.update(mine)

    # ---- asynchronous ----

    async def one(self, verb: Verb, dice: random.Random) -> None:
        """Awaited as it is, in a task, with a limit, or cancelled on its way."""
        asked: Awaitable[Any] = verb(self.async_client, key_of(dice), dice)
        way = dice.random()
        if way < 0.85:
            await asked
        elif way < 0.9:
            await asyncio.ensure_future(asked)
        elif way < 0.95:
            await asyncio.wait_for(asked, dice.choice([0.0002, 0.001, 1]))
        else:
            task = asyncio.ensure_future(asked)
            for _ in range(dice.randrange(3)):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                self.outcomes["cancelled"] += 1
                self.outcomes["ok"] -= 1  # it is counted below

    async def fly(self, seed: int, count: int) -> None:
        dice = random.Random(seed)
        for _, _, verb in dice.choices(VERBS, cum_weights=WEIGHTS, k=count):
            try:
                await self.one(verb, dice)
                self.outcomes["ok"] += 1
            except Expected as error:
                self.outcomes[type(error).__name__] += 1

    async def segment(self, number: int, count: int) -> None:
        if number % RECONNECT_EVERY == 0:
            await self.async_client.close()
            await self.async_client.connect()
        await asyncio.gather(*[self.fly(number * TASKS + i, count // TASKS)
                               for i in range(TASKS)])

    # ---- both ----

    def sample(self, number: int) -> None:
        gc.collect()
        for samples, value in zip(self.samples,
                                  (self.done(), resident(), sys.getallocatedblocks())):
            samples[number] = value

    def run(self) -> None:
        each = self.operations // SEGMENTS
        of_thread = int(each * SYNC_SHARE / THREADS)
        for number in range(SEGMENTS):
            if number % RECONNECT_EVERY == 0:
                self.client.close()
                self.client.connect()
            threads = [threading.Thread(target=self.work, args=(-number * THREADS - i, of_thread))
                       for i in range(THREADS)]
            for thread in threads:
                thread.start()
            asyncio.run(self.segment(number, each - of_thread * THREADS))
            for thread in threads:
                thread.join()
            self.sample(number)
            show(f"{self.done() / 1e6:.2f} million of {self.operations / 1e6:g}, "
                 f"{self.samples[1][number] / 2**20:.1f} MiB")
        show("")
        self.client.close()


def show(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def resident() -> int:
    """Bytes of resident memory."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


def growth(done: array[int], values: array[int]) -> float:
    """What a line through the samples gains from the first to the last: the median of the slopes
    between samples half the run apart, so that no single one decides.
    """
    half = len(done) // 2
    slopes = [(values[i + half] - values[i]) / (done[i + half] - done[i])
              for i in range(len(done) - half)]
    return statistics.median(slopes) * (done[-1] - done[0])


def verdict(samples: list[array[int]]) -> bool:
    """Print what was seen; whether memory was flat."""
    done, memory, blocks = (values[int(len(values) * WARM_UP):] for values in samples)
    count = done[-1] - done[0]
    flat = True
    for name, values, limit, unit in (("resident memory", memory, MEMORY_LIMIT, "bytes"),
                                      ("Python's blocks", blocks, BLOCK_LIMIT, "blocks")):
        grown = growth(done, values)
        fine = grown <= limit
        flat = flat and fine
        print(f"{name}: {values[0]:,} at first, {values[-1]:,} at last; fitted growth "
              f"{grown:,.0f} {unit} over {count / 1e6:.2f} million operations (limit {limit:,}): "
              f"{'flat' if fine else 'GROWS'}")
    return flat


def main() -> int:
    parser = argparse.ArgumentParser(description="Many operations; memory must stay flat.")
    parser.add_argument("--operations", type=float, default=10, metavar="MILLIONS")
    parser.add_argument("--quick", action="store_true", help="a short one: 0.6 million")
    opts = parser.parse_args()
    operations = 600_000 if opts.quick else int(opts.operations * 1e6)
    try:
        with servers.server() as (host, port, what):
            soak = Soak(host, port, operations)
            began = time.monotonic()
            soak.run()
    except servers.NoServer as why:
        print(f"soak: {why}", file=sys.stderr)
        return 2
    took = time.monotonic() - began
    print(f"{soak.done():,} operations on {what} in {took:.0f} s")
    print(", ".join(f"{name} {count:,}" for name, count in soak.outcomes.most_common()))
    return 0 if verdict(soak.samples) else 1


if __name__ == "__main__":
    sys.exit(main())
