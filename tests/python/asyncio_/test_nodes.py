"""Nodes that go while operations are under way, and replies that are large."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from aerospike_py.exception import AerospikeError

POLICY = {"total_timeout": 1500, "socket_timeout": 300, "max_retries": 3}


async def flood(client, keys, seconds, found, in_flight=256):
    """Reads and writes in turn; each ends by its deadline, well or with an error of ours."""
    end = time.monotonic() + seconds
    count = iter(range(10**9))

    async def one():
        while time.monotonic() < end:
            i = next(count) % len(keys)
            began = time.monotonic()
            try:
                if i % 4 == 0:
                    await client.put(keys[i], {"who": i}, policy=POLICY)
                else:
                    assert (await client.get(keys[i], policy=POLICY)).bins == {"who": i}
                found["ok"] = found.get("ok", 0) + 1
            except AerospikeError as error:
                name = type(error).__name__
                found[name] = found.get(name, 0) + 1
                await asyncio.sleep(0.005)
            took = time.monotonic() - began
            found["longest"] = max(found.get("longest", 0), took)

    await asyncio.gather(*[one() for _ in range(in_flight)])


@pytest.mark.parametrize("coalesce", [False, True])
async def test_a_node_goes_under_256_in_flight(cluster, open_client, coalesce):
    client = await open_client(hosts=cluster.hosts, coalesce_reads=coalesce, tend_interval=250)
    keys = [("test", "nodes", i) for i in range(200)]
    await asyncio.gather(*[client.put(key, {"who": i}) for i, key in enumerate(keys)])
    found: dict[str, float] = {}
    work = asyncio.create_task(flood(client, keys, 1.6, found))
    await asyncio.sleep(0.3)
    cluster.node_down(1)
    await asyncio.sleep(0.7)
    cluster.node_up(1)
    await work
    longest = found.pop("longest")
    assert longest < 1.5 + 2, found
    assert found.pop("ok") > 500
    assert set(found) <= {"ConnectionError", "AerospikeTimeoutError", "InvalidNodeError",
                          "MaxErrorRateExceeded", "ClientError", "NoMoreConnectionsError"}, found
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["who"] for record in records] == list(range(200))


async def test_a_node_that_is_silent_ends_everybody_by_the_deadline(cluster, open_client):
    client = await open_client(hosts=cluster.hosts, tend_interval=250)
    keys = [("test", "nodes", i) for i in range(256)]
    await asyncio.gather(*[client.put(key, {"who": i}) for i, key in enumerate(keys)])
    cluster.fault("stall", node=0, bytes=0, classes=("read", "write"))
    began = time.monotonic()
    policy = {"total_timeout": 400, "socket_timeout": 0, "max_retries": 0}
    found = await asyncio.gather(*[client.get(key, policy=policy) for key in keys],
                                 return_exceptions=True)
    assert time.monotonic() - began < 0.4 + 2
    late = [each for each in found if isinstance(each, BaseException)]
    assert late
    assert {type(each).__name__ for each in late} == {"AerospikeTimeoutError"}
    assert all("total_timeout" in str(each) for each in late)
    cluster.clear_faults()
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["who"] for record in records] == list(range(256))


# ---- how long the loop is held ----


async def holds(work):
    """How long the loop was held each time, in CPU time of this thread: no clock of others."""
    held = []
    ended = False

    async def watch():
        before = time.thread_time()
        while not ended:
            await asyncio.sleep(0)
            now = time.thread_time()
            held.append(now - before)
            before = now

    watcher = asyncio.create_task(watch())
    result = await work
    ended = True
    await watcher
    return result, held


#: A sanitizer's own time is no measure of the client's.
SANITIZED = os.environ.get("AERO_VARIANT", "release") in ("asan", "ubsan", "tsan")


async def in_slices(make, before=None):
    """Whether no time that the loop was held is a large part of all the work."""
    for _ in range(3):
        given = [] if before is None else [await before()]
        result, held = await holds(make(*given))
        if max(held) < max(0.002, sum(held) / 4) or SANITIZED:
            return result
    raise AssertionError(f"held for {max(held) * 1e3:.1f} ms of {sum(held) * 1e3:.1f}")


async def test_thousands_that_end_at_once_do_not_hold_the_loop(server, open_client, set_name):
    client = await open_client(max_conns_per_node=64)
    key = ("test", set_name, 1)
    await client.put(key, {"a": 1})
    server.fault("stall", bytes=0, classes="read")
    policy = {"total_timeout": 50, "max_retries": 0}

    async def ask():
        tasks = [asyncio.create_task(client.get(key, policy=policy)) for _ in range(10_000)]
        await asyncio.sleep(0)
        return tasks

    ended, _ = await in_slices(asyncio.wait, before=ask)
    found = [type(task.exception()).__name__ for task in ended]
    assert len(found) == 10_000
    assert set(found) == {"AerospikeTimeoutError"}


async def test_a_large_batch_is_made_in_slices(open_client, set_name, pump):
    client = await open_client()
    keys = [("test", set_name, i) for i in range(5000)]
    bins = {"a": 1, "b": 2.5, "c": "twenty letters long!", "d": bytes(50)}
    for i in range(0, 5000, 500):
        await asyncio.gather(*[client.put(key, bins) for key in keys[i:i + 500]])
    assert len(await in_slices(lambda: client.batch_read(keys * 4))) == 20_000


async def test_a_large_query_is_made_in_slices(open_client, set_name, pump):
    client = await open_client()
    bins = {"a": 1, "b": 2.5, "c": "twenty letters long!", "d": bytes(50)}
    for i in range(0, 5000, 500):
        await asyncio.gather(*[client.put(("test", set_name, j), bins)
                               for j in range(i, i + 500)])
    found = await in_slices(lambda: client.query("test", set_name).results())
    assert len(found) == 5000
