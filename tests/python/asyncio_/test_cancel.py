"""Cancellation at any moment: nobody gets another's reply, the pool stays whole."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest
from patience import until

import aerospike_py
from aerospike_py.exception import AerospikeError, AerospikeTimeoutError

DRAIN = {"timeout_delay": 3000, "total_timeout": 5000}
DROP = {"timeout_delay": 0, "total_timeout": 5000}


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def three_records(client, new_key):
    keys = [new_key() for _ in range(3)]
    for i, key in enumerate(keys):
        await client.put(key, {"who": i, "pad": "x" * (20 * i)})
    return keys


async def hold_and_cancel(tap, client, keys, count, policy):
    """Cancel the first when `count` bytes of its reply are there, ask for the others."""
    tap.hold(count)
    task = asyncio.create_task(client.get(keys[0], policy=policy))
    await until(tap.held.is_set)
    await asyncio.sleep(0.002)
    if task.done():
        assert count >= tap.size
    else:
        await cancelled(task)
    others = [asyncio.create_task(client.get(key, policy=policy)) for key in keys[1:]]
    await asyncio.sleep(0)
    tap.release()
    for i, other in enumerate(others):
        assert (await other).bins["who"] == i + 1
    assert (await client.get(keys[0], policy=policy)).bins["who"] == 0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("policy", [DRAIN, DROP], ids=["drained", "dropped"])
async def test_at_every_byte_of_the_reply(tap, open_client, new_key, policy, pump):
    client = await open_client(**tap.config, max_conns_per_node=1)
    keys = await three_records(client, new_key)
    await hold_and_cancel(tap, client, keys, 0, policy)
    open_then, accepted_then = tap.open, tap.accepted
    for count in range(tap.size + 1):
        await hold_and_cancel(tap, client, keys, count, policy)
    await until(lambda: tap.open <= open_then)
    if policy is DRAIN:
        assert tap.accepted == accepted_then  # each reply was read out; none was lost
    elif pump == "embedded":  # a thread may have the whole reply before it hears of it
        assert tap.accepted >= accepted_then + tap.size


async def test_at_every_byte_of_a_coalesced_reply(tap, open_client, new_key):
    client = await open_client(**tap.config, coalesce_reads=True, max_conns_per_node=2)
    keys = await three_records(client, new_key)
    tap.hold(0)
    tasks = [asyncio.create_task(client.get(key)) for key in keys]
    await until(tap.held.is_set)
    tap.release()
    await asyncio.gather(*tasks)
    for count in range(tap.size + 1):
        tap.hold(count)
        tasks = [asyncio.create_task(client.get(key, policy=DRAIN)) for key in keys]
        await until(tap.held.is_set)
        await asyncio.sleep(0.001)
        gone = count % 3
        tasks[gone].cancel()
        await asyncio.sleep(0)
        tap.release()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        for i, record in enumerate(found):
            if i != gone:
                assert record.bins["who"] == i
            elif isinstance(record, BaseException):
                assert isinstance(record, asyncio.CancelledError)
            else:
                assert record.bins["who"] == i  # it was there already


@pytest.mark.parametrize("coalesce", [False, True])
@pytest.mark.parametrize("passes", range(6))
async def test_at_every_await(open_client, new_key, coalesce, passes):
    client = await open_client(coalesce_reads=coalesce, max_conns_per_node=2)
    keys = await three_records(client, new_key)
    for _ in range(20):
        tasks = [asyncio.create_task(client.get(key)) for key in keys * 4]
        for _ in range(passes):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        for i, record in enumerate(found):
            if not isinstance(record, asyncio.CancelledError):
                assert record.bins["who"] == i % 3
        assert all(not isinstance(each, BaseException) for each in found[1::2])


@pytest.mark.parametrize("coalesce", [False, True])
@pytest.mark.parametrize("policy", [DRAIN, DROP], ids=["drained", "dropped"])
async def test_under_load_at_random(own_server, open_client, coalesce, policy):
    client = await open_client(hosts=own_server.hosts, coalesce_reads=coalesce)
    keys = [("test", "cancel", i) for i in range(200)]
    for i, key in enumerate(keys):
        await client.put(key, {"who": i})
    dice = random.Random(4)
    own_server.fault("delay", ms=2, classes=("read", "batch"))

    async def ask():
        for _ in range(40):
            i = dice.randrange(200)
            task = asyncio.create_task(client.get(keys[i], policy=policy))
            if dice.random() < 0.5:
                await asyncio.sleep(dice.random() * 0.004)
                task.cancel()
            try:
                assert (await task).bins == {"who": i}
            except asyncio.CancelledError:
                pass

    await asyncio.gather(*[ask() for _ in range(30)])
    own_server.clear_faults()
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["who"] for record in records] == list(range(200))
    await until(lambda: own_server.counts()["connections"] <= 102)


async def test_a_cancelled_write_that_was_sent_is_in_doubt(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=500, classes="write")
    heard = []

    async def put():
        try:
            await client.put(key, {"a": 2}, policy={"total_timeout": 5000})
        except asyncio.CancelledError as error:
            heard.append(error.in_doubt)
            raise

    task = asyncio.create_task(put())
    await asyncio.sleep(0.05)
    await cancelled(task)
    assert heard == [True]
    server.clear_faults()
    for _ in range(200):
        if (await client.get(key)).bins == {"a": 2}:
            break
        await asyncio.sleep(0.1)
    assert (await client.get(key)).bins == {"a": 2}


async def test_a_write_that_has_ended_as_it_is_cancelled_is_in_doubt(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=20, classes="write", times=1)
    step = client.put(key, {"a": 2})
    waits_for = step.send(None)
    while not waits_for.done():
        await asyncio.sleep(0.001)
    with pytest.raises(asyncio.CancelledError) as caught:
        step.throw(asyncio.CancelledError())
    assert caught.value.in_doubt is True


async def test_a_write_that_was_not_sent_is_not_in_doubt(server, open_client, key, pump):
    client = await open_client(max_conns_per_node=1)
    await client.put(key, {"a": 1})
    server.fault("delay", ms=500, classes="write", times=1)
    first = asyncio.create_task(client.put(key, {"a": 2}))
    await asyncio.sleep(0.01)
    task = asyncio.create_task(client.put(key, {"a": 3}))
    await asyncio.sleep(0.01)
    assert getattr(await cancelled(task), "in_doubt", False) is False
    await first
    assert (await client.get(key)).bins == {"a": 2}


async def test_a_cancelled_read_is_not_in_doubt(server, open_client, key):
    client = await open_client()
    server.fault("delay", ms=1000, classes="read")
    task = asyncio.create_task(client.get(key))
    await asyncio.sleep(0.01)
    assert not hasattr(await cancelled(task), "in_doubt")
    server.clear_faults()


async def test_before_its_first_step_nothing_is_sent(server, open_client, key):
    client = await open_client()
    before = server.counts()
    task = asyncio.create_task(client.put(key, {"a": 1}))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.counts()["write"] == before["write"]


async def test_between_two_attempts(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("code", code=9, classes="read")
    policy = {"max_retries": 50, "sleep_between_retries": 50, "total_timeout": 10_000}
    task = asyncio.create_task(client.get(key, policy=policy))
    await asyncio.sleep(0.08)
    await cancelled(task)
    server.clear_faults()
    assert (await client.get(key)).bins == {"a": 1}


async def test_while_a_connection_opens(tap, open_client, key):
    client = await open_client(**tap.config, max_conns_per_node=1)
    for _ in range(20):
        task = asyncio.create_task(client.put(key, {"a": 1}))
        await asyncio.sleep(0)
        await cancelled(task)
    await client.put(key, {"a": 2})
    assert (await client.get(key)).bins == {"a": 2}


async def test_connect_can_be_cancelled_and_tried_again(server):
    server.fault("delay", ms=100, classes="info")
    client = aerospike_py.AsyncClient({"hosts": server.hosts})
    for passes in range(8):
        task = asyncio.create_task(client.connect())
        for _ in range(passes):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not client.is_connected()
    server.clear_faults()
    await client.connect()
    assert client.is_connected()
    await client.close()


@pytest.mark.parametrize("form", ["batch", "query"])
async def test_many_records_are_cancelled_as_well(server, open_client, set_name, form):
    client = await open_client()
    keys = [("test", set_name, i) for i in range(50)]
    for i, key in enumerate(keys):
        await client.put(key, {"who": i})
    server.fault("delay", ms=1000, classes=("batch", "query"), times=1)
    made = (client.batch_read(keys) if form == "batch"
            else client.query("test", set_name).results())
    task = asyncio.create_task(made)
    await asyncio.sleep(0.01)
    await cancelled(task)
    found = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["who"] for record in found] == list(range(50))


async def test_wait_for_and_timeouts_of_asyncio(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=1000, classes="read", times=1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(client.get(key), 0.01)
    assert (await client.get(key)).bins == {"a": 1}


async def test_a_total_timeout_never_mixes_replies_up(server, open_client, new_key):
    client = await open_client(max_conns_per_node=1)
    keys = await three_records(client, new_key)
    for delay in (0, 1000):
        server.fault("delay", ms=60, classes="read", times=1)
        with pytest.raises(AerospikeTimeoutError):
            await client.get(keys[0], policy={"total_timeout": 20, "timeout_delay": delay})
        for i in (1, 2, 0):
            record = await client.get(keys[i], policy={"total_timeout": 2000})
            assert record.bins["who"] == i


async def test_a_dropped_operation_is_given_up(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=50, classes="read", times=1)
    step = client.get(key)
    step.send(None)
    step.close()
    with pytest.raises(RuntimeError, match="already awaited"):
        await step
    del step
    gc.collect()
    assert (await client.get(key)).bins == {"a": 1}


async def test_errors_of_the_server_come_after_cancelled_ones(server, open_client, key):
    client = await open_client(max_conns_per_node=1)
    await client.put(key, {"a": 1})
    for kind in ("drop", "garbage", "cut"):
        server.fault(kind, classes="read", times=1, **({"bytes": 12} if kind != "drop" else {}))
        with pytest.raises(AerospikeError):
            await client.get(key, policy={"max_retries": 0})
        assert (await client.get(key)).bins == {"a": 1}
