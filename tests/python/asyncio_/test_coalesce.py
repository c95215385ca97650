"""Reads that travel together: each has what it would have had alone."""

from __future__ import annotations

import asyncio
import time

import pytest

from aerospike_py.exception import AerospikeTimeoutError, FilteredOut, RecordNotFound


@pytest.fixture
async def both(own_server, open_client):
    """A client that coalesces, and 100 records of its own server."""
    client = await open_client(hosts=own_server.hosts, coalesce_reads=True)
    keys = [("test", "coalesce", i) for i in range(100)]
    await asyncio.gather(*[client.put(key, {"a": i, "b": str(i)}) for i, key in enumerate(keys)])
    return client, keys


def since(server, before):
    now = server.counts()
    return {name: now[name] - before[name] for name in ("read", "batch")}


async def test_reads_of_one_pass_are_one_request(own_server, both, pump):
    client, keys = both
    before = own_server.counts()
    await asyncio.gather(*[client.get(key) for key in keys[:32]])
    found = since(own_server, before)
    # The thread of a pump, when it is awake, does not wait for the end of the pass.
    assert found == {"read": 0, "batch": 1} or (pump == "thread" and sum(found.values()) < 8)


async def test_one_read_alone_is_a_read(own_server, both):
    client, keys = both
    before = own_server.counts()
    await client.get(keys[0])
    assert since(own_server, before) == {"read": 1, "batch": 0}


async def test_without_the_option_nothing_is_coalesced(own_server, open_client, both):
    _, keys = both
    client = await open_client(hosts=own_server.hosts)
    before = own_server.counts()
    await asyncio.gather(*[client.get(key) for key in keys])
    assert since(own_server, before) == {"read": 100, "batch": 0}


async def test_rows_and_requests_are_limited(own_server, open_client, both, pump):
    _, keys = both
    client = await open_client(hosts=own_server.hosts, coalesce_reads=True, coalesce_max_rows=10,
                               coalesce_max_requests=3)
    before = own_server.counts()
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["a"] for record in records] == list(range(100))
    found = since(own_server, before)
    # Beside the thread of a pump one pass may become two of its own.
    assert found["batch"] + found["read"] == 10 or (pump == "thread" and found["batch"] < 20)
    assert own_server.counts()["connections"] <= before["connections"] + 3 + 1


async def test_no_bell_is_lost_while_connections_open(own_server, open_client, both):
    """Reads are ordered while the pump's thread turns the loop for what has just connected."""
    _, keys = both
    forever = {"total_timeout": 0, "socket_timeout": 0}
    for _ in range(150):
        client = await open_client(hosts=own_server.hosts, coalesce_reads=True,
                                   coalesce_max_rows=10)
        for _ in range(5):
            await asyncio.gather(*[client.get(key, policy=forever) for key in keys])
        await client.close()


async def test_different_reads_share_a_request(own_server, both):
    client, keys = both
    before = own_server.counts()
    found = await asyncio.gather(
        client.get(keys[0]), client.select(keys[1], ["b"]), client.exists(keys[2]),
        client.get(("test", "coalesce", "nobody")), client.exists(("test", "coalesce", "nobody")),
        client.select(keys[3], ["none"]), return_exceptions=True)
    assert since(own_server, before) == {"read": 0, "batch": 1}
    assert found[0].bins == {"a": 0, "b": "0"}
    assert found[1].bins == {"b": "1"}
    assert found[2].meta.gen == 1
    assert type(found[3]) is RecordNotFound
    assert found[4].meta is None
    assert found[5].bins == {}
    assert found[0].key[2] == 0


async def test_writes_and_operations_go_their_own_way(own_server, both):
    from aerospike_py.helpers.operations import operations

    client, keys = both
    before = own_server.counts()
    await asyncio.gather(client.put(keys[0], {"a": 0}), client.touch(keys[1]),
                         client.operate(keys[2], [operations.read("a")]))
    assert since(own_server, before)["batch"] == 0


async def test_policies_that_differ_do_not_share(own_server, both):
    client, keys = both
    before = own_server.counts()
    await asyncio.gather(*[client.get(key, policy={"total_timeout": 1000 + i % 2})
                           for i, key in enumerate(keys[:8])])
    assert since(own_server, before)["batch"] + since(own_server, before)["read"] > 1


async def test_filters_are_each_rows_own(both):
    from aerospike_py import exp

    client, keys = both
    wants = [exp.eq(exp.int_bin("a"), exp.int_val(i)) for i in range(6)]
    found = await asyncio.gather(
        *[client.get(keys[0], policy={"filter_expression": want}) for want in wants],
        return_exceptions=True)
    assert found[0].bins["a"] == 0
    assert [type(each) for each in found[1:]] == [FilteredOut] * 5


async def test_the_same_key_many_times(both):
    client, keys = both
    found = await asyncio.gather(*[client.get(keys[7]) for _ in range(500)])
    assert all(record.bins["a"] == 7 for record in found)


async def test_an_error_is_the_single_commands_error(own_server, open_client):
    client = await open_client(hosts=own_server.hosts, coalesce_reads=True)
    alone = await open_client(hosts=own_server.hosts)
    key = ("test", "coalesce", "nobody")
    with pytest.raises(RecordNotFound) as caught:
        await alone.get(key)
    errors = await asyncio.gather(client.get(key), client.get(key), return_exceptions=True)
    for error in errors:
        assert (str(error), error.code, error.in_doubt) == \
            (str(caught.value), caught.value.code, caught.value.in_doubt)


@pytest.mark.parametrize("kind", ["drop", "cut", "garbage"])
async def test_a_lost_connection_retries_rows_singly(own_server, both, kind):
    client, keys = both
    own_server.fault(kind, classes="batch", times=1, **({} if kind == "drop" else {"bytes": 40}))
    before = own_server.counts()
    records = await asyncio.gather(*[client.get(key, policy={"max_retries": 2})
                                     for key in keys[:20]])
    assert [record.bins["a"] for record in records] == list(range(20))
    assert since(own_server, before)["read"] > 0


async def test_without_retries_a_lost_connection_is_each_rows_error(own_server, both):
    client, keys = both
    own_server.fault("drop", classes="batch", times=1)
    found = await asyncio.gather(*[client.get(key, policy={"max_retries": 0})
                                   for key in keys[:5]], return_exceptions=True)
    assert all(isinstance(each, Exception) for each in found)
    assert (await client.get(keys[0])).bins["a"] == 0


@pytest.mark.parametrize("code", [150, 151, 152, 4, 13])
async def test_a_server_that_takes_no_batches_gets_single_reads(own_server, both, code):
    client, keys = both
    own_server.fault("code", code=code, classes="batch")
    records = await asyncio.gather(*[client.get(key, policy={"max_retries": 0})
                                     for key in keys[:10]])
    assert [record.bins["a"] for record in records] == list(range(10))


async def test_a_late_row_ends_by_its_own_deadline(own_server, both):
    client, keys = both
    own_server.fault("delay", ms=2000, classes="batch", times=1)
    began = time.monotonic()
    found = await asyncio.gather(*[client.get(key, policy={"total_timeout": 40,
                                                           "timeout_delay": 3000})
                                   for key in keys[:5]], return_exceptions=True)
    assert time.monotonic() - began < 1.5
    assert {type(each) for each in found} == {AerospikeTimeoutError}
    records = await asyncio.gather(*[client.get(key) for key in keys[:20]])
    assert [record.bins["a"] for record in records] == list(range(20))


async def test_a_row_that_waits_behind_full_requests_ends_by_its_deadline(own_server,
                                                                          open_client, both):
    _, keys = both
    client = await open_client(hosts=own_server.hosts, coalesce_reads=True, coalesce_max_rows=2,
                               coalesce_max_requests=1)
    own_server.fault("delay", ms=2000, classes="batch")
    began = time.monotonic()
    found = await asyncio.gather(*[client.get(key, policy={"total_timeout": 50})
                                   for key in keys[:9]], return_exceptions=True)
    assert time.monotonic() - began < 1.5
    assert {type(each) for each in found} == {AerospikeTimeoutError}


async def test_a_cancelled_row_harms_nobody(own_server, both):
    client, keys = both
    own_server.fault("delay", ms=600, classes="batch", times=1)
    tasks = [asyncio.create_task(client.get(key)) for key in keys[:32]]
    await asyncio.sleep(0.01)
    for task in tasks[::3]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    for i, each in enumerate(found):
        if i % 3 == 0:
            assert isinstance(each, asyncio.CancelledError)
        else:
            assert each.bins["a"] == i


async def test_all_rows_cancelled(own_server, both):
    client, keys = both
    own_server.fault("delay", ms=200, classes="batch", times=1)
    tasks = [asyncio.create_task(client.get(key)) for key in keys[:10]]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["a"] for record in records] == list(range(100))


async def test_closing_with_rows_under_way(own_server, both):
    client, keys = both
    own_server.fault("delay", ms=2000, classes="batch")
    tasks = [asyncio.create_task(client.get(key)) for key in keys]
    await asyncio.sleep(0.01)
    await client.close()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each).__name__ for each in found} == {"NotConnected"}


async def test_a_thousand_at_once_on_three_nodes(cluster, open_client):
    client = await open_client(hosts=cluster.hosts, coalesce_reads=True)
    keys = [("test", "coalesce", i) for i in range(1000)]
    await asyncio.gather(*[client.put(key, {"a": i}) for i, key in enumerate(keys)])
    for _ in range(3):
        records = await asyncio.gather(*[client.get(key) for key in keys])
        assert [record.bins["a"] for record in records] == list(range(1000))


async def test_big_records_share_a_request(own_server, both):
    client, _ = both
    keys = [("test", "coalesce", f"big{i}") for i in range(20)]
    await asyncio.gather(*[client.put(key, {"a": bytes([i]) * 200_000})
                           for i, key in enumerate(keys)])
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["a"][0] for record in records] == list(range(20))
