"""One client on several event loops, and its life."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import aerospike_py
from aerospike_py.exception import ClientError, ClusterError, NotConnected


def fds():
    return len(os.listdir("/proc/self/fd"))


def few_fds(limit):
    """The server in this process closes its ends a little later."""
    for _ in range(500):
        if fds() <= limit:
            return True
        time.sleep(0.002)
    return False


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts in /proc")


@pytest.fixture
def own(hosts, run):
    """A connected client, closed after the test."""
    client = aerospike_py.AsyncClient({"hosts": hosts})
    run(client.connect())
    yield client
    run(client.close())


# ---- several loops ----


def test_one_loop_after_another(own, run, key):
    for i in range(5):
        run(own.put(key, {"a": i}))
        assert run(own.get(key)).bins == {"a": i}


def test_asyncio_run_twice(hosts, key):
    client = aerospike_py.AsyncClient({"hosts": hosts})

    async def first():
        await client.connect()
        await client.put(key, {"a": 1})

    async def second():
        record = await client.get(key)
        await client.close()
        return record

    asyncio.run(first())
    assert asyncio.run(second()).bins == {"a": 1}


def test_loops_in_several_threads(own, run, new_key):
    keys = [new_key() for _ in range(4)]

    async def work(key):
        for i in range(50):
            await own.put(key, {"a": i})
            found = await asyncio.gather(*[own.get(key) for _ in range(8)])
            assert all(record.bins == {"a": i} for record in found)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda key: run(work(key)), keys))


@needs_proc
def test_loops_made_and_closed_leave_nothing_behind(own, run, key):
    run(own.put(key, {"a": 1}))
    run(own.get(key))
    before = fds()
    for _ in range(100):
        run(own.get(key))
    assert few_fds(before + 4)


@needs_proc
def test_clients_made_and_closed_leave_nothing_behind(hosts, run, key):
    async def once():
        client = aerospike_py.AsyncClient({"hosts": hosts})
        await client.connect()
        await asyncio.gather(*[client.exists(key) for _ in range(10)])
        await client.close()

    run(once())
    before = fds()
    for _ in range(20):
        run(once())
    assert few_fds(before + 4)


@needs_proc
def test_a_client_that_is_forgotten_closes_its_connections(hosts, new_loop, key):
    loop = new_loop()
    before = fds()
    client = aerospike_py.AsyncClient({"hosts": hosts})
    loop.run_until_complete(client.connect())
    loop.run_until_complete(client.exists(key))
    del client
    loop.run_until_complete(asyncio.sleep(0.01))
    assert few_fds(before + 4)
    loop.close()


def test_a_loop_that_ends_with_operations_under_way(server, new_loop, run, key):
    client = aerospike_py.AsyncClient({"hosts": server.hosts})
    run(client.connect())
    run(client.put(key, {"a": 1}))
    server.fault("delay", ms=100, classes="read")
    loop = new_loop()
    tasks = [loop.create_task(client.get(key)) for _ in range(5)]
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()  # nobody has cancelled them
    server.clear_faults()
    assert run(client.get(key)).bins == {"a": 1}
    run(client.close())
    for task in tasks:
        task._log_destroy_pending = False


def test_an_operation_without_a_loop_says_so(own, key):
    with pytest.raises(RuntimeError, match="no running event loop"):
        own.get(key).send(None)


# ---- before connect, after close ----


@pytest.mark.parametrize("state", ["new", "closed"])
async def test_not_connected_is_said_at_once(hosts, key, state):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    if state == "closed":
        await client.connect()
        await client.close()
    for made in (client.get(key), client.put(key, {"a": 1}), client.batch_read([key]),
                 client.info_all("build")):
        began = time.monotonic()
        with pytest.raises(ClientError, match="not connected") as caught:
            await made
        assert time.monotonic() - began < 1
        assert type(caught.value) is NotConnected
    assert not client.is_connected()
    assert await client.ping() is False


async def test_arguments_are_looked_at_before_the_connection(hosts):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    with pytest.raises(TypeError):
        await client.put("no key", {"a": 1})


async def test_close_is_idempotent_and_connect_works_again(hosts, key):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    await client.close()
    for i in range(3):
        await client.connect()
        await client.put(key, {"a": i})
        await client.close()
        await client.close()
    async with client:
        await client.connect()
        assert (await client.get(key)).bins == {"a": 2}
    assert not client.is_connected()


async def test_connecting_twice_is_an_error(open_client):
    client = await open_client()
    with pytest.raises(ClientError, match="already connected"):
        await client.connect()


async def test_one_of_many_who_connect_wins(hosts):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    found = await asyncio.gather(*[client.connect() for _ in range(5)], return_exceptions=True)
    assert found.count(client) == 1
    assert all(isinstance(each, ClientError) for each in found if each is not client)
    await client.close()


async def test_close_while_connecting(server):
    server.fault("delay", ms=100, classes="info")
    client = aerospike_py.AsyncClient({"hosts": server.hosts})
    task = asyncio.create_task(client.connect())
    await asyncio.sleep(0.01)
    with pytest.raises(ClientError, match="currently connecting"):
        await client.close()
    server.clear_faults()
    await task
    await client.close()


async def test_nobody_there(unused_port):
    client = aerospike_py.AsyncClient({"hosts": [("127.0.0.1", unused_port)], "timeout": 500})
    began = time.monotonic()
    with pytest.raises(ClusterError):
        await client.connect()
    assert time.monotonic() - began < 2
    assert not client.is_connected()


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def test_other_code_runs_while_it_connects(server):
    server.fault("delay", ms=50, classes="info")
    client = aerospike_py.AsyncClient({"hosts": server.hosts})
    task = asyncio.create_task(client.connect())
    ticks = 0
    while not task.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks > 10
    server.clear_faults()
    await client.close()


# ---- closing with operations under way ----


async def test_what_runs_fails_when_the_client_closes(server, open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    server.fault("delay", ms=8000, classes=("read", "write", "batch"))
    reads = [asyncio.create_task(client.get(key)) for _ in range(30)]
    write = asyncio.create_task(client.put(key, {"a": 2}))
    batch = asyncio.create_task(client.batch_read([key]))
    await asyncio.sleep(0.02)
    began = time.monotonic()
    await client.close()
    found = await asyncio.gather(*reads, write, batch, return_exceptions=True)
    assert time.monotonic() - began < 6
    server.clear_faults()
    assert {type(each) for each in found} == {NotConnected}


async def test_a_write_under_way_is_in_doubt_when_the_client_closes(server, open_client, key):
    client = await open_client()
    await asyncio.gather(*[client.put(key, {"a": 1}) for _ in range(8)])  # to have connections
    server.fault("delay", ms=2000, classes=("read", "write"))
    read = asyncio.create_task(client.get(key))
    write = asyncio.create_task(client.put(key, {"a": 2}))
    await asyncio.sleep(0.05)
    await client.close()
    with pytest.raises(NotConnected) as caught:
        await write
    assert caught.value.in_doubt is True
    with pytest.raises(NotConnected) as caught:
        await read
    assert caught.value.in_doubt is False
    server.clear_faults()


def test_closing_ends_what_runs_on_other_loops(server, run, new_loop, key):
    client = aerospike_py.AsyncClient({"hosts": server.hosts})
    run(client.connect())
    run(client.put(key, {"a": 1}))
    server.fault("delay", ms=3000, classes="read")
    started = threading.Event()
    found = []

    async def work():
        task = asyncio.create_task(client.get(key, policy={"total_timeout": 5000}))
        await asyncio.sleep(0.02)
        started.set()
        try:
            await task
        except NotConnected as error:
            found.append(error)

    thread = threading.Thread(target=lambda: run(work()))
    thread.start()
    started.wait()
    began = time.monotonic()
    run(client.close())
    thread.join()
    assert time.monotonic() - began < 2
    assert len(found) == 1


def test_close_on_another_loop_than_the_one_that_worked(own, new_loop, run, key):
    first, second = new_loop(), new_loop()
    first.run_until_complete(own.put(key, {"a": 1}))
    second.run_until_complete(own.close())
    second.close()
    with pytest.raises(NotConnected):
        first.run_until_complete(own.get(key))
    first.close()
