"""What every entrant runs: the same loops, keys, clocks and counts.

An entrant is a script that fills in an :class:`Entrant` and calls :func:`serve`. It runs in a
process and an interpreter of its own and speaks lines of JSON::

    > {"run": "get", "threads": 8, "seconds": 0.5}
    < {"ops": 31874, "errors": 0, "wall": 0.501, "user": 0.21, "system": 0.4, "p50": ...}
    < {"missing": "the client has no batch_read"}

Times are in seconds, latencies and lags in microseconds.  Reads always hit.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import itertools
import json
import os
import random
import resource
import struct
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

NAMESPACE = "test"
SET = "aero_bench"
QUERY_SET = "aero_bench_query"
MISC_SET = "aero_bench_misc"
RECORDS = 20_000
QUERY_RECORDS = 100_000
BINS = {"a": 12345, "b": 12345000037, "c": 1.5, "d": "twenty letters long!",
        "e": b"\xff" + bytes(49)}
DTYPE = [("a", "i8"), ("b", "i8"), ("c", "f8")]
EXECUTOR_THREADS = 32
LAG_EVERY = 0.005
COMPUTE = 0.002  # what the competing coroutine computes, and then sleeps

clock = time.perf_counter_ns
Result = dict[str, Any]
Step = Callable[[Any], Any]


class Missing(Exception):
    """The entrant cannot do this; the text says why."""


class Counter:
    """Called with each record, counts those that have bins."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, record: Any) -> None:
        if record[2] is not None:
            self.count += 1


class Entrant:
    """One client.  A method that returns a step may raise Missing."""

    name = ""
    #: Makes the dict of bins of what a read gives, where that is extra work.
    take: Step | None = None

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def version(self) -> str:
        raise NotImplementedError

    @staticmethod
    def key(number: int) -> Any:
        """As users write keys: made anew for each operation."""
        return (NAMESPACE, SET, number)

    def get(self) -> Step:
        """A function of a key."""
        raise Missing("no such call")

    def put(self) -> Step:
        """A function of a key that writes BINS."""
        raise Missing("no such call")

    async def open(self, coalesce: bool) -> Any:
        """Connect a client for the running loop, once for each loop, and give it."""
        raise Missing("no asynchronous client")

    def async_get(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        """An awaitable of a key, by what ``open`` gave for the loop."""
        raise Missing("no asynchronous client")

    def async_put(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        raise Missing("no asynchronous client")

    def batch_read(self, shape: str) -> Callable[[list[Any]], Any]:
        """Of keys; ``shape``: dict, records, or numpy (bins of DTYPE)."""
        raise Missing("no such call")

    def batch_write(self) -> Callable[[list[Any]], Any]:
        """Of keys: BINS to each."""
        raise Missing("no such call")

    def query(self, shape: str) -> Callable[[], int]:
        """All of QUERY_SET as dicts of bins; gives their number.

        ``shape``: each, one record after the other in the fastest way that the client has, or
        list, all of them in one.
        """
        raise Missing("no such call")

    def operate_cdt(self) -> Step:
        """Four operations on a list "l" and a map "m", on one record of MISC_SET."""
        raise Missing("no such call")

    def close(self) -> None:
        pass


def need(module: str) -> Any:
    """Import it, or say that the entrant lacks it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Missing(f"no module {module}") from error


def method(client: Any, name: str) -> Any:
    """The client's method, or Missing."""
    found = getattr(client, name, None)
    if found is None:
        raise Missing(f"the client has no {name}")
    return found


# ---- keys and clocks ----


def numbers(count: int = RECORDS) -> Iterator[int]:
    """Numbers of records in a random order, without end and at next to no cost."""
    order = random.sample(range(count), min(count, RECORDS))
    while True:
        yield from order


def cpu() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime, usage.ru_stime


def percentile(values: list[int], share: float) -> float:
    return values[int(share * (len(values) - 1))] / 1000 if values else 0.0


class Meter:
    """Counts a run between entering and leaving it."""

    def __init__(self, laps: list[int]) -> None:
        self.laps = laps
        self.errors = 0
        self.lags: list[int] = []

    def __enter__(self) -> None:
        self.cpu = cpu()
        self.began = clock()

    def __exit__(self, *error: object) -> None:
        self.ended = clock()
        user, system = cpu()
        self.user, self.system = user - self.cpu[0], system - self.cpu[1]

    def result(self) -> Result:
        ops = len(self.laps) - self.errors
        self.laps.sort()
        self.lags.sort()
        result = {"ops": ops, "errors": self.errors, "wall": (self.ended - self.began) / 1e9,
                  "user": self.user, "system": self.system,
                  "p50": percentile(self.laps, 0.5), "p99": percentile(self.laps, 0.99),
                  "p999": percentile(self.laps, 0.999)}
        if self.lags:
            result["lag_p99"] = percentile(self.lags, 0.99)
            result["lag_max"] = self.lags[-1] / 1000
        return result


class Budget:
    """When a run ends: after a time, or after a number of operations."""

    def __init__(self, order: dict[str, Any], share: int = 1) -> None:
        self.ops = order["ops"] // share if "ops" in order else sys.maxsize
        seconds = order.get("seconds", 3600.0)
        self.end = clock() + int(seconds * 1e9)


# ---- synchronous ----


def serial(step: Step, key: Step, take: Step | None, budget: Budget, laps: list[int]) -> int:
    """One operation after the other; gives the number of errors."""
    add = laps.append
    end = budget.end
    left = budget.ops
    errors = 0
    last = clock()
    for number in numbers():
        try:
            record = step(key(number))
            if take is not None:
                take(record)
        except Exception:
            errors += 1
        now = clock()
        add(now - last)
        last = now
        left -= 1
        if left <= 0 or now >= end:
            return errors
    return errors


def spin(stop: threading.Event) -> None:
    """A thread that computes in Python."""
    total = 0
    while not stop.is_set():
        for i in range(1000):
            total += i * i


def run_sync(entrant: Entrant, order: dict[str, Any], step: Step, key: Step,
             take: Step | None) -> Result:
    threads = order.get("threads", 1)
    stop = threading.Event()
    rival = threading.Thread(target=spin, args=(stop,))
    laps: list[list[int]] = [[] for _ in range(threads)]
    errors: list[int] = []
    held: list[int] = []
    gil_clock = getattr(entrant, "gil_clock", None)

    def work(mine: list[int]) -> None:
        before = gil_clock()[0] if gil_clock else 0
        errors.append(serial(step, key, take, Budget(order, threads), mine))
        held.append(gil_clock()[0] - before if gil_clock else 0)

    if order.get("rival") == "thread":
        rival.start()
    meter = Meter([])
    with meter:
        if threads == 1:
            work(laps[0])
        else:
            workers = [threading.Thread(target=work, args=(mine,)) for mine in laps]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
    stop.set()
    if rival.is_alive():
        rival.join()
    meter.laps = [lap for mine in laps for lap in mine]
    meter.errors = sum(errors)
    result = meter.result()
    if gil_clock:
        result["gil_held"] = sum(held)
    return result


# ---- asynchronous ----


class LagProbe:
    """What the loop does to other code: how late it calls back for a descriptor that becomes
    readable at known instants (a timer of the kernel's, Linux only).
    """

    CLOCK_MONOTONIC = 1
    FLAGS = 0o4000 | 0o2000000  # non-blocking, closed on exec

    def __init__(self) -> None:
        self.lags: list[int] = []
        self.fd = -1

    def __enter__(self) -> None:
        if not sys.platform.startswith("linux"):
            return
        libc = ctypes.CDLL(None, use_errno=True)
        step = int(LAG_EVERY * 1e9)
        first = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + step
        spec = struct.pack("=qqqq", 0, step, first // 10**9, first % 10**9)
        self.fd = libc.timerfd_create(self.CLOCK_MONOTONIC, self.FLAGS)
        libc.timerfd_settime(self.fd, 1, spec, None)
        self.due = first
        asyncio.get_running_loop().add_reader(self.fd, self.on_time)

    def on_time(self) -> None:
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        try:
            (times,) = struct.unpack("=Q", os.read(self.fd, 8))
        except BlockingIOError:
            return
        self.lags.append(now - self.due)  # of the first that was due
        self.due += times * int(LAG_EVERY * 1e9)

    def __exit__(self, *error: object) -> None:
        if self.fd >= 0:
            asyncio.get_running_loop().remove_reader(self.fd)
            os.close(self.fd)


async def compute(stop: threading.Event) -> None:
    """A coroutine that computes for a while and sleeps for as long."""
    while not stop.is_set():
        end = clock() + int(COMPUTE * 1e9)
        while clock() < end:
            pass
        await asyncio.sleep(COMPUTE)


async def fly(get: Callable[[Any], Awaitable[Any]], key: Step, take: Step | None,
              budget: Budget, laps: list[int], order: Iterator[int]) -> int:
    """One of those who ask, again and again."""
    add = laps.append
    end = budget.end
    left = budget.ops
    errors = 0
    last = clock()
    for number in order:
        try:
            record = await get(key(number))
            if take is not None:
                take(record)
        except Exception:
            errors += 1
        now = clock()
        add(now - last)
        last = now
        left -= 1
        if left <= 0 or now >= end:
            return errors
    return errors


async def run_async(entrant: Entrant, order: dict[str, Any],
                    get: Callable[[Any], Awaitable[Any]], take: Step | None) -> Result:
    in_flight = order["in_flight"]
    stop = threading.Event()
    rival: Any = None
    gil_clock = getattr(entrant, "gil_clock", None)
    keys = numbers()

    if order.get("rival") == "thread":
        rival = threading.Thread(target=spin, args=(stop,))
        rival.start()
    elif order.get("rival") == "coroutine":
        rival = asyncio.ensure_future(compute(stop))
    probe = LagProbe()
    meter = Meter([])
    with probe:
        held = gil_clock()[0] if gil_clock else 0
        with meter:
            budget = Budget(order, in_flight)
            errors = await asyncio.gather(*[
                fly(get, entrant.key, take, budget, meter.laps, keys)
                for _ in range(in_flight)])
        held = gil_clock()[0] - held if gil_clock else 0
    stop.set()
    if isinstance(rival, threading.Thread):
        rival.join()
    elif rival is not None:
        await rival
    meter.errors = sum(errors)
    meter.lags = probe.lags
    result = meter.result()
    if gil_clock:
        result["gil_held"] = held
    return result


class Loops:
    """An event loop of each kind, kept from run to run, with the client opened for it: two on
    loops of one kind differ in their options.
    """

    def __init__(self, entrant: Entrant) -> None:
        self.entrant = entrant
        self.kept: dict[tuple[str, bool], tuple[asyncio.AbstractEventLoop, Any]] = {}

    def get(self, kind: str, coalesce: bool) -> tuple[asyncio.AbstractEventLoop, Any]:
        if (kind, coalesce) not in self.kept:
            loop = need("uvloop").new_event_loop() if kind == "uvloop" else \
                asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            client = loop.run_until_complete(self.entrant.open(coalesce))
            self.kept[kind, coalesce] = loop, client
        found = self.kept[kind, coalesce]
        asyncio.set_event_loop(found[0])
        return found


# ---- the runs ----


def repeat(step: Callable[[], int], order: dict[str, Any]) -> Result:
    """A call that handles many records; it gives their number."""
    laps: list[int] = []
    records = 0
    meter = Meter(laps)
    with meter:
        budget = Budget(order)
        last = clock()
        while len(laps) < budget.ops and last < budget.end:
            records += step()
            now = clock()
            laps.append(now - last)
            last = now
    result = meter.result()
    result["ops"] = records
    return result


def some_keys(key: Step, rows: int) -> Iterator[list[Any]]:
    """Lists of keys, made ahead: users have theirs, and how they are made is not measured."""
    order = numbers()
    lists = [[key(next(order)) for _ in range(rows)] for _ in range(max(1, RECORDS // rows))]
    gc.collect()
    return itertools.cycle(lists)


class Runs:
    """The runs by name; each takes the order and gives a result."""

    def __init__(self, entrant: Entrant) -> None:
        self.entrant = entrant
        self.loops = Loops(entrant)

    def get(self, order: dict[str, Any]) -> Result:
        return run_sync(self.entrant, order, self.entrant.get(), self.entrant.key,
                        self.entrant.take)

    def put(self, order: dict[str, Any]) -> Result:
        return run_sync(self.entrant, order, self.entrant.put(), self.entrant.key, None)

    def operate_cdt(self, order: dict[str, Any]) -> Result:
        return run_sync(self.entrant, order, self.entrant.operate_cdt(), lambda number: number,
                        None)

    def async_get(self, order: dict[str, Any]) -> Result:
        loop, client = self.loops.get(order.get("loop", "asyncio"),
                                      order.get("coalesce", False))
        return loop.run_until_complete(
            run_async(self.entrant, order, self.entrant.async_get(client), self.entrant.take))

    def async_put(self, order: dict[str, Any]) -> Result:
        loop, client = self.loops.get(order.get("loop", "asyncio"), False)
        return loop.run_until_complete(
            run_async(self.entrant, order, self.entrant.async_put(client), None))

    def batch_read(self, order: dict[str, Any]) -> Result:
        return self.by_lists(self.entrant.batch_read(order["shape"]), order)

    def batch_write(self, order: dict[str, Any]) -> Result:
        return self.by_lists(self.entrant.batch_write(), order)

    def by_lists(self, call: Callable[[list[Any]], Any], order: dict[str, Any]) -> Result:
        lists = some_keys(self.entrant.key, order["rows"])

        def step() -> int:
            call(next(lists))
            return int(order["rows"])

        return repeat(step, order)

    def query(self, order: dict[str, Any]) -> Result:
        return repeat(self.entrant.query(order["shape"]), order)

    def pieces(self, order: dict[str, Any]) -> Result:
        """Parts by themselves, in nanoseconds; only of those who can be looked into."""
        return method(self.entrant, "pieces")(order)


def answer(runs: Runs, order: dict[str, Any]) -> Result:
    run = getattr(runs, order["run"], None)
    try:
        if run is None:
            raise Missing("unknown run")
        return run(order)
    except Missing as why:
        return {"missing": str(why)}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def serve(kind: type[Entrant]) -> None:
    """Answer orders until the input ends; each argument is one that is answered first."""
    host, port = os.environ["BENCH_HOST"], int(os.environ["BENCH_PORT"])
    entrant = kind(host, port)
    runs = Runs(entrant)
    say({"ready": entrant.name, "version": entrant.version(),
         "python": sys.version.split()[0]})
    for text in sys.argv[1:]:
        say(answer(runs, json.loads(text)))
    if len(sys.argv) == 1:
        for text in sys.stdin:
            say(answer(runs, json.loads(text)))
    sys.stdout.flush()
    os._exit(0)  # with tasks and threads of any client still there


def say(result: Result) -> None:
    print(json.dumps(result), flush=True)
