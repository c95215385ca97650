"""Streams of records: leaving early, closing, sharing, reading slowly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import threading
import time
import weakref

import pytest
from queries import fill, numbers

import aerospike_py
from aerospike_py.exception import AerospikeError, AerospikeTimeoutError, NotConnected

BIG = 3000  # records: more than one frame of the local server


@pytest.fixture
def many(client, set_name):
    """Enough records for several frames."""
    padding = b"x" * 2000
    keys = [("test", set_name, n) for n in range(BIG)]
    client.batch_write([(key, {"n": key[2], "padding": padding}) for key in keys])
    return set(range(BIG))


def in_use(client):
    return sum(node.conns.in_use for node in getattr(client, "inner", client).get_stats().nodes)


def test_leaving_a_loop_early_leaves_nothing_behind(client, many, set_name, make):
    for _ in range(5):
        seen = 0
        for _record in make(client, "test", set_name):
            seen += 1
            if seen == 3:
                break
    del _record
    gc.collect()
    assert sorted(numbers(make(client, "test", set_name).results())) == sorted(many)
    assert in_use(client) == 0


def test_a_stream_is_a_context_manager(client, many, set_name, make):
    with make(client, "test", set_name).stream() as stream:
        first = [record for record, _ in zip(stream, range(5), strict=False)]
    assert len(first) >= 5
    assert list(stream) == []
    assert in_use(client) == 0


def test_closing_a_stream_ends_it(make_client, many, set_name):
    client = make_client()
    stream = client.query("test", set_name).stream()
    getattr(stream, "close" if hasattr(getattr(stream, "inner", stream), "close") else "aclose")()
    assert list(stream) == []


def test_a_stream_that_never_ran_holds_nothing(client, set_name, make):
    stream = make(client, "test", set_name).stream()
    ref = weakref.ref(getattr(stream, "inner", stream))
    del stream
    gc.collect()
    assert ref() is None


def test_a_query_and_its_stream_are_collected(client, many, set_name, make):
    query = make(client, "test", set_name)
    ref = weakref.ref(getattr(query, "inner", query))
    stream = iter(query)
    next(stream)
    del query, stream
    gc.collect()
    assert ref() is None
    assert in_use(client) == 0


def test_a_client_serves_others_while_it_streams(client, many, set_name, make):
    seen = []
    for record in make(client, "test", set_name):
        seen.append(record.bins["n"])
        if len(seen) % 300 == 0:
            assert client.get(("test", set_name, seen[-1])).bins["n"] == seen[-1]
    assert sorted(seen) == sorted(many)


def test_two_streams_of_one_query_are_apart(client, many, set_name, make):
    query = make(client, "test", set_name)
    both = list(zip(query, query, strict=True))
    for side in (0, 1):
        assert sorted(pair[side].bins["n"] for pair in both) == sorted(many)


def test_two_streams_cannot_share_a_place(client, many, set_name, make):
    query = make(client, "test", set_name)
    query.paginate()
    first = iter(query)
    next(first)
    with pytest.raises(AerospikeError, match="running already"):
        query.results()
    assert len(list(first)) == BIG - 1


def test_closing_the_client_ends_its_streams(make_client, client, many, set_name, make):
    own = make_client()
    stream = iter(make(own, "test", set_name))
    next(stream)
    own.close()
    with pytest.raises((NotConnected, AerospikeError)):
        for _ in stream:
            pass


def test_a_slow_reader_gets_everything(client, many, set_name, make):
    policy = {"socket_timeout": 300}
    seen = []
    for record in make(client, "test", set_name).stream(policy):
        if len(seen) in (10, 1000):
            time.sleep(0.7)  # the server gives up, and is asked again
        seen.append(record.bins["n"])
    assert sorted(seen) == sorted(many)


def test_what_is_read_ahead_is_bounded(client, set_name, make):
    size = 20_000
    keys = [("test", set_name, n) for n in range(4000)]
    for at in range(0, len(keys), 500):
        client.batch_write([(key, {"n": key[2], "b": b"y" * size}) for key in keys[at:at + 500]])
    gc.collect()
    before = resident()
    stream = iter(make(client, "test", set_name))
    next(stream)
    time.sleep(0.3)
    assert resident() - before < 20 << 20  # of 80 MB
    assert len(list(stream)) == len(keys) - 1


def resident():
    """Bytes of memory in use by this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_a_total_timeout_ends_a_stream(client, many, set_name, make):
    query = make(client, "test", set_name)
    with pytest.raises(AerospikeTimeoutError, match="total_timeout"):
        for _ in query.stream({"total_timeout": 150, "records_per_second": 1000}):
            pass


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_stream_serves_one_thread_at_a_time(client, many, set_name):
    stream = client.query("test", set_name).stream({"records_per_second": 3000})
    found, errors = [], []

    def work():
        while True:
            try:
                found.append(next(stream).bins["n"])
            except StopIteration:
                return
            except ValueError as error:
                errors.append(error)
                time.sleep(0.001)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(many)
    assert all("another thread" in str(error) for error in errors)


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_threads_may_stream_side_by_side(client, many, set_name):
    found = []
    threads = [threading.Thread(target=lambda: found.append(
        len(set(numbers(list(client.query("test", set_name))))))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [BIG] * 6


# ---- asynchronous ----


@pytest.fixture
async def loaded(aclient, set_name):
    await asyncio.gather(*(aclient.put(("test", set_name, n), {"n": n, "p": b"x" * 2000})
                           for n in range(BIG)))
    return aclient


async def test_streams_run_side_by_side(loaded, set_name):
    async def count():
        return len({record.bins["n"] async for record in loaded.query("test", set_name)})

    assert await asyncio.gather(*(count() for _ in range(8))) == [BIG] * 8


async def test_the_loop_goes_on_while_a_stream_is_read(loaded, set_name):
    ticks = itertools.count()

    async def tick():
        while True:
            next(ticks)
            await asyncio.sleep(0)

    task = asyncio.create_task(tick())
    async for _ in loaded.query("test", set_name).stream({"records_per_second": 10_000}):
        pass
    task.cancel()
    assert next(ticks) > 20


async def test_what_is_read_holds_a_connection(loaded, set_name):
    stream = loaded.query("test", set_name).stream()
    await anext(stream)
    assert in_use(loaded) > 0
    await stream.aclose()
    assert in_use(loaded) == 0


async def test_leaving_async_for_early_leaves_nothing_behind(loaded, set_name):
    for _ in range(5):
        async for _record in loaded.scan("test", set_name):
            break
    async with loaded.query("test", set_name).stream() as stream:
        async for _record in stream:
            break
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)
    assert in_use(loaded) == 0
    assert len(await loaded.query("test", set_name).results()) == BIG


async def test_a_cancelled_wait_loses_nothing(loaded, set_name):
    stream = loaded.query("test", set_name).stream()
    found, cancelled = [], 0

    async def take():
        return await anext(stream)

    for turn in itertools.count():
        task = asyncio.ensure_future(take())
        if turn % 2 == 0:
            await asyncio.sleep(0)
            task.cancel()  # before, while or after it waits
        try:
            found.append((await task).bins["n"])
        except asyncio.CancelledError:
            cancelled += 1
        except StopAsyncIteration:
            break
    assert sorted(found) == list(range(BIG))
    assert cancelled > 0


async def test_a_wait_that_never_began_loses_nothing(loaded, set_name):
    stream = loaded.query("test", set_name).stream()
    found = []
    async for record in stream:
        found.append(record.bins["n"])
        if len(found) % 100 == 0:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(stream), 0)
    assert sorted(found) == list(range(BIG))


async def test_a_cancelled_query_frees_its_connections(loaded, set_name):
    task = asyncio.create_task(
        loaded.query("test", set_name).results({"records_per_second": 100}))
    await asyncio.sleep(0.2)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert in_use(loaded) == 0


async def test_a_stream_is_awaited_by_one(loaded, set_name):
    stream = loaded.query("test", set_name).stream({"records_per_second": 100})
    await anext(stream)
    results = await asyncio.gather(*(anext(stream) for _ in range(300)), return_exceptions=True)
    errors = [r for r in results if isinstance(r, Exception)]
    assert all("awaited already" in str(error) for error in errors)
    await stream.aclose()


async def test_a_stream_stays_with_its_loop(loaded, set_name):
    stream = loaded.query("test", set_name).stream()
    await anext(stream)

    def elsewhere():
        async def drain():
            return [record async for record in stream]

        return asyncio.run(drain())

    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(elsewhere)
    await stream.aclose()


async def test_an_operation_of_a_query_has_a_name(aclient, set_name):
    operation = aclient.query("test", set_name).results()
    assert operation.__qualname__ == "AsyncQuery.results"
    assert asyncio.iscoroutine(operation)
    assert await operation == []


def test_a_loop_that_ended_leaves_its_streams(hosts, set_name, client):
    fill(client, set_name, 1000)
    own = aerospike_py.AsyncClient({"hosts": hosts})
    kept = []

    async def begin():
        if not kept:
            await own.connect()
        stream = own.query("test", set_name).stream({"records_per_second": 10})
        await anext(stream)
        kept.append(stream)

    asyncio.run(begin())
    asyncio.run(begin())
    kept.clear()
    gc.collect()
    asyncio.run(own.close())
