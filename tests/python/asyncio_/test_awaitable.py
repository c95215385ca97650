"""What a method returns works wherever a coroutine does."""

from __future__ import annotations

import asyncio
import collections.abc
import gc
import inspect
import logging
import sys
import warnings
import weakref

import pytest

import aerospike_py
from aerospike_py.exception import AerospikeTimeoutError, RecordNotFound


async def read_in_every_way(client, key):
    """The names of the ways that gave the record."""
    ways = []

    def check(way, record):
        assert record.bins == {"a": 1}, way
        ways.append(way)

    check("await", await client.get(key))
    check("create_task", await asyncio.create_task(client.get(key)))
    check("ensure_future", await asyncio.ensure_future(client.get(key)))
    check("gather", (await asyncio.gather(client.get(key)))[0])
    check("wait_for", await asyncio.wait_for(client.get(key), 10))
    check("shield", await asyncio.shield(client.get(key)))
    for ended in asyncio.as_completed([client.get(key)]):
        check("as_completed", await ended)
    done, _ = await asyncio.wait([asyncio.create_task(client.get(key))])
    check("wait", done.pop().result())
    if sys.version_info >= (3, 11):
        async with asyncio.timeout(10):
            check("timeout", await client.get(key))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(client.get(key))
        check("TaskGroup", task.result())
    return ways


async def test_every_way_to_wait(open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    assert len(await read_in_every_way(client, key)) >= 8


async def test_every_way_to_wait_with_coalesced_reads(open_client, key):
    client = await open_client(coalesce_reads=True)
    await client.put(key, {"a": 1})
    assert len(await read_in_every_way(client, key)) >= 8


async def test_connect_and_close_are_coroutines_too(hosts):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    assert await asyncio.create_task(client.connect()) is client
    await asyncio.create_task(client.close())


async def test_it_is_a_coroutine_to_whoever_asks(open_client, key):
    client = await open_client()
    made = client.exists(key)
    assert asyncio.iscoroutine(made)
    assert isinstance(made, collections.abc.Coroutine)
    assert inspect.isawaitable(made)
    assert made.__name__ == "exists"
    assert made.__qualname__ == "AsyncClient.exists"
    assert "AsyncClient.exists" in repr(made)
    assert weakref.ref(made)() is made
    assert made.cr_await is None
    made.close()


def test_a_loop_runs_it_by_itself(run, hosts, new_loop, key):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    loop = new_loop()
    loop.run_until_complete(client.connect())
    loop.run_until_complete(client.put(key, {"a": 1}))
    assert loop.run_until_complete(client.get(key)).bins == {"a": 1}
    loop.run_until_complete(client.close())
    loop.close()


async def test_nothing_is_sent_before_the_first_step(server, open_client, key):
    client = await open_client()
    before = server.counts()["write"]
    made = client.put(key, {"a": 1})
    await asyncio.sleep(0.02)
    assert server.counts()["write"] == before
    await made
    assert server.counts()["write"] == before + 1


async def test_arguments_that_do_not_fit_are_refused_at_the_call(open_client, key):
    client = await open_client()
    with pytest.raises(TypeError, match="get"):
        client.get()
    with pytest.raises(TypeError):
        await client.get("no key")


async def test_one_that_is_never_awaited_warns_as_pythons_own(open_client, key):
    client = await open_client()
    with pytest.warns(RuntimeWarning, match=r"coroutine 'AsyncClient.get' was never awaited"):
        client.get(key)
        gc.collect()


async def test_one_that_is_closed_does_not_warn(open_client, key):
    client = await open_client()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.get(key).close()
        gc.collect()


async def test_it_can_be_awaited_once(open_client, key):
    client = await open_client()
    made = client.exists(key)
    await made
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        await made


async def test_two_cannot_await_the_same(server, open_client, key):
    client = await open_client()
    server.fault("delay", ms=500, classes="read", times=1)
    made = client.exists(key)
    first = asyncio.create_task(made)
    await asyncio.sleep(0.005)
    with pytest.raises(RuntimeError, match="awaited already"):
        await made
    await first


async def test_a_value_cannot_be_sent_to_one_that_has_not_begun(open_client, key):
    made = (await open_client()).exists(key)
    with pytest.raises(TypeError, match="just-started coroutine"):
        made.send(1)
    made.close()


async def test_throw_before_the_first_step_ends_it(open_client, key):
    made = (await open_client()).exists(key)
    with pytest.raises(KeyError):
        made.throw(KeyError("k"))
    with pytest.raises(RuntimeError, match="cannot reuse"):
        await made


async def test_errors_keep_their_place(open_client, key):
    client = await open_client()

    async def caller():
        return await client.get(key)

    with pytest.raises(RecordNotFound) as caught:
        await caller()
    assert any(entry.name == "caller" for entry in caught.traceback)


async def test_a_shielded_operation_goes_on(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=40, classes="write", times=1)
    inner = asyncio.ensure_future(client.put(key, {"a": 2}))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(inner), 0.01)
    await inner
    assert (await client.get(key)).bins == {"a": 2}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is new in 3.11")
async def test_asyncio_timeout_and_task_groups_end_what_runs(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=1000, classes="read", times=3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await client.get(key)
    with pytest.raises(BaseException) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(client.get(key))
            group.create_task(client.get(key, policy={"total_timeout": 10}))
    assert [type(each) for each in caught.value.exceptions] == [AerospikeTimeoutError]
    server.clear_faults()
    assert (await client.get(key)).bins == {"a": 1}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
async def test_eager_tasks(open_client, key):
    loop = asyncio.get_running_loop()
    client = await open_client()

    def eager(loop, coro, **options):
        options["eager_start"] = True
        return asyncio.Task(coro, loop=loop, **options)

    loop.set_task_factory(eager)
    try:
        await client.put(key, {"a": 1})
        assert len(await read_in_every_way(client, key)) >= 8
        found = await asyncio.gather(*[client.get(key) for _ in range(100)])
        assert all(record.bins == {"a": 1} for record in found)
        with pytest.raises(TypeError):
            await asyncio.create_task(client.get("no key"))
        task = asyncio.create_task(client.get(key))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        loop.set_task_factory(None)


@pytest.mark.parametrize("coalesce", [False, True])
async def test_debug_mode_has_nothing_to_say(open_client, new_key, caplog, coalesce):
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    client = await open_client(coalesce_reads=coalesce)
    keys = [new_key() for _ in range(50)]
    with caplog.at_level(logging.WARNING, "asyncio"):
        await asyncio.gather(*[client.put(key, {"a": 1}) for key in keys])
        await asyncio.gather(*[client.get(key) for key in keys])
        task = asyncio.create_task(client.get(keys[0]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()
    assert not [r for r in caplog.records if "took" not in r.message], caplog.text


async def test_results_are_collected(open_client, new_key):
    client = await open_client()
    key = new_key()
    await client.put(key, {"a": 1})
    for _ in range(3):
        await asyncio.gather(*[client.get(key) for _ in range(50)])
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(20):
        await asyncio.gather(*[client.get(key) for _ in range(50)])
    gc.collect()
    assert len(gc.get_objects()) - before < 50
