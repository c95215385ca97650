"""How many operations run at once: the client's limit, and the pools of connections."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from patience import until

import aerospike_py
from aerospike_py.exception import AerospikeTimeoutError, BackpressureError, ClientError
from aerospike_py.server import LocalServer, User

SLOW = 150  # ms that the server takes


async def kinds(*operations):
    found = await asyncio.gather(*operations, return_exceptions=True)
    return [type(each).__name__ if isinstance(each, BaseException) else "ok" for each in found]


# ---- max_concurrent_operations ----


async def test_no_more_than_the_limit_run_at_once(server, open_client, new_key):
    client = await open_client(max_concurrent_operations=3)
    keys = [new_key() for _ in range(12)]
    server.fault("delay", ms=SLOW, classes="write")
    began = time.monotonic()
    tasks = [asyncio.create_task(client.put(key, {"a": 1}, policy={"total_timeout": 5000}))
             for key in keys]
    await asyncio.gather(*tasks)
    assert time.monotonic() - began >= 4 * SLOW / 1000


async def test_who_waits_longer_than_the_queue_timeout_hears_backpressure(server, open_client,
                                                                          key):
    client = await open_client(max_concurrent_operations=2, operation_queue_timeout_ms=50)
    await client.put(key, {"a": 1})
    server.fault("delay", ms=SLOW, classes="read")
    found = await asyncio.gather(*[client.get(key) for _ in range(5)], return_exceptions=True)
    refused = [each for each in found if isinstance(each, BaseException)]
    assert len(refused) == 3
    for each in refused:
        assert type(each) is BackpressureError
        assert isinstance(each, ClientError)
        assert each.in_doubt is False
        assert "get" in str(each)
        assert "50" in str(each)
        assert "2" in str(each)


async def test_the_line_is_served_in_its_order(server, open_client, key):
    client = await open_client(max_concurrent_operations=1)
    ended = []

    async def put(number):
        await client.put(key, {"a": number})
        ended.append(number)

    server.fault("delay", ms=5, classes="write")
    await asyncio.gather(*[put(i) for i in range(20)])
    assert ended == list(range(20))
    assert (await client.get(key)).bins == {"a": 19}


async def test_the_wait_is_inside_the_total_timeout(server, open_client, key):
    client = await open_client(max_concurrent_operations=1)
    server.fault("delay", ms=10 * SLOW, classes="write", times=1)
    before = server.counts()["write"]
    first = asyncio.create_task(client.put(key, {"a": 1}, policy={"total_timeout": 5000}))
    await asyncio.sleep(0.01)
    began = time.monotonic()
    with pytest.raises(AerospikeTimeoutError, match="max_concurrent_operations") as caught:
        await client.put(key, {"a": 2}, policy={"total_timeout": 50})
    assert 0.04 < time.monotonic() - began < 8 * SLOW / 1000
    assert caught.value.in_doubt is False
    await first
    assert server.counts()["write"] == before + 1  # the second was never sent


async def test_a_cancelled_waiter_leaves_the_line_and_costs_nobody_a_place(server, open_client,
                                                                           key):
    client = await open_client(max_concurrent_operations=1)
    server.fault("delay", ms=SLOW, classes="write")
    policy = {"total_timeout": 20_000}
    tasks = [asyncio.create_task(client.put(key, {"a": i}, policy=policy)) for i in range(6)]
    await asyncio.sleep(0.005)
    for i in (1, 3):
        tasks[i].cancel()
    tasks[0].cancel()  # it runs: its place is free at once
    assert await kinds(*tasks) == ["CancelledError", "CancelledError", "ok", "CancelledError",
                                   "ok", "ok"]
    server.clear_faults()
    assert await kinds(*[client.get(key) for _ in range(5)]) == ["ok"] * 5


async def test_what_fails_gives_its_place_back(server, open_client, key):
    client = await open_client(max_concurrent_operations=1)
    for _ in range(3):
        assert await kinds(client.get(key), client.get(key)) == ["RecordNotFound"] * 2
        server.fault("drop", classes="write", times=1)
        assert (await kinds(client.put(key, {"a": 1})))[0] != "ok"
    assert await kinds(client.put(key, {"a": 1})) == ["ok"]


async def test_questions_about_the_cluster_are_not_counted(server, open_client, key):
    client = await open_client(max_concurrent_operations=1)
    server.fault("delay", ms=20 * SLOW, classes="write", times=1)
    policy = {"total_timeout": 20_000}
    task = asyncio.create_task(client.put(key, {"a": 1}, policy=policy))
    await asyncio.sleep(0.005)
    assert await client.info_all("build")
    assert not task.done()
    task.cancel()


async def test_batches_are_counted(server, open_client, key):
    client = await open_client(max_concurrent_operations=1, operation_queue_timeout_ms=20)
    server.fault("delay", ms=SLOW, classes="batch")
    found = await kinds(client.batch_read([key]), client.batch_read([key]))
    assert sorted(found) == ["BackpressureError", "ok"]


async def test_with_coalesced_reads_too(server, open_client, new_key):
    client = await open_client(max_concurrent_operations=8, coalesce_reads=True)
    keys = [new_key() for _ in range(100)]
    await asyncio.gather(*[client.put(key, {"a": i}) for i, key in enumerate(keys)])
    records = await asyncio.gather(*[client.get(key) for key in keys])
    assert [record.bins["a"] for record in records] == list(range(100))


def test_threads_wait_in_the_same_way(server, key):
    with aerospike_py.client({"hosts": server.hosts, "max_concurrent_operations": 2,
                              "operation_queue_timeout_ms": 60}).connect() as client:
        client.put(key, {"a": 1})
        server.fault("delay", ms=SLOW, classes="read")
        found = []

        def get():
            try:
                client.get(key)
                found.append("ok")
            except BackpressureError as error:
                found.append(type(error).__name__)
                assert "get" in str(error)

        threads = [threading.Thread(target=get) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == ["BackpressureError"] * 3 + ["ok"] * 2
        server.clear_faults()
        client.get(key)


def test_one_limit_for_loops_in_several_threads(server, run, new_key):
    client = aerospike_py.AsyncClient({"hosts": server.hosts, "max_concurrent_operations": 1})
    run(client.connect())
    server.fault("delay", ms=10, classes="write")
    keys = [new_key() for _ in range(4)]
    errors = []

    async def work(key):
        await asyncio.gather(*[client.put(key, {"a": i}, policy={"total_timeout": 10_000})
                               for i in range(10)])

    def thread(key):
        try:
            run(work(key))
        except BaseException as error:
            errors.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=thread, args=(key,)) for key in keys]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not errors
    assert time.monotonic() - began >= 40 * 0.01
    run(client.close())


@pytest.mark.parametrize("name", ["max_concurrent_operations", "operation_queue_timeout_ms"])
def test_settings_are_checked(name):
    with pytest.raises(TypeError, match=name):
        aerospike_py.AsyncClient({"hosts": [("127.0.0.1", 1)], name: "5"})
    with pytest.raises(OverflowError, match=name):
        aerospike_py.AsyncClient({"hosts": [("127.0.0.1", 1)], name: -1})


@pytest.mark.parametrize("name", ["async_warm_connections", "coalesce_max_rows",
                                  "coalesce_max_requests"])
def test_settings_of_the_loop_are_at_least_one(name):
    with pytest.raises(ValueError, match=name):
        aerospike_py.AsyncClient({"hosts": [("127.0.0.1", 1)], name: 0})


# ---- connections ----


@pytest.fixture
def login_server():
    with LocalServer(edition="enterprise", security=True,
                     users=[User("u", "p", ["read-write"])]) as server:
        yield server


async def test_connections_are_opened_a_few_at_a_time(login_server, open_client):
    client = await open_client(hosts=login_server.hosts, user="u", password="p")
    before = login_server.counts()["connections"]
    login_server.fault("delay", ms=500, classes="admin")
    key = ("test", "limits", 1)
    task = asyncio.gather(*[client.put(key, {"a": 1}, policy={"total_timeout": 10_000})
                            for _ in range(300)])
    await until(lambda: login_server.counts()["connections"] >= before + 4)
    await asyncio.sleep(0.01)
    assert login_server.counts()["connections"] == before + 4
    login_server.clear_faults()
    await task


async def test_a_near_server_is_served_by_few_connections(own_server, open_client):
    """Where others keep the processors from both ends, a near server is a slow one for a few
    milliseconds: of many tries one is not disturbed.
    """
    key = ("test", "limits", 1)
    for _ in range(200):
        while own_server.counts()["connections"]:
            await asyncio.sleep(0.001)  # those of the last try are going
        client = await open_client(hosts=own_server.hosts)
        await client.put(key, {"a": 1})
        for _ in range(3):
            await asyncio.gather(*[client.get(key) for _ in range(64)])
        found = own_server.counts()["connections"]
        await client.close()
        if found <= 16 + 2:  # and the tender's
            return
    pytest.fail("the pool always grew")


async def test_slow_connections_become_more(own_server, open_client):
    key = ("test", "limits", 1)
    client = await open_client(hosts=own_server.hosts, max_conns_per_node=64)
    await client.put(key, {"a": 1})
    own_server.fault("delay", ms=20, classes="read")
    await asyncio.gather(*[client.get(key, policy={"total_timeout": 10_000})
                           for _ in range(640)])
    assert 2 * 16 < own_server.counts()["connections"] <= 64 + 2  # and the tender's


async def test_never_more_than_the_configured_number(own_server, open_client, new_key):
    client = await open_client(hosts=own_server.hosts, max_conns_per_node=5)
    key = ("test", "limits", 1)
    await client.put(key, {"a": 1})
    own_server.fault("delay", ms=5, classes="read")
    tasks = [asyncio.create_task(client.get(key, policy={"total_timeout": 10_000}))
             for _ in range(200)]
    most = 0
    while not all(task.done() for task in tasks):
        most = max(most, own_server.counts()["connections"])
        await asyncio.sleep(0.002)
    await asyncio.gather(*tasks)
    assert most <= 5 + 2  # and those of the tender and of this question


async def test_a_full_pool_is_a_wait_inside_the_deadline(server, open_client, key):
    client = await open_client(max_conns_per_node=1)
    await client.put(key, {"a": 1})
    server.fault("delay", ms=SLOW, classes="read", times=1)
    first = asyncio.create_task(client.get(key))
    await asyncio.sleep(0.01)
    with pytest.raises(AerospikeTimeoutError, match="waiting for a connection") as caught:
        await client.get(key, policy={"total_timeout": 50, "max_retries": 0})
    assert caught.value.in_doubt is False
    assert (await first).bins == {"a": 1}
    assert (await client.get(key)).bins == {"a": 1}


async def test_ten_thousand_at_once_with_a_pool_of_64(server, open_client, set_name):
    client = await open_client(max_conns_per_node=64)
    keys = [("test", set_name, i) for i in range(10_000)]
    policy = {"total_timeout": 30_000}
    await asyncio.gather(*[client.put(key, {"a": i}, policy=policy)
                           for i, key in enumerate(keys)])
    records = await asyncio.gather(*[client.get(key, policy=policy) for key in keys])
    assert [record.bins["a"] for record in records] == list(range(10_000))
    assert server.counts()["connections"] <= 64 + 64
