"""A client's life: connecting, closing, and what it says of itself."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import threading
import time

import pytest

import aerospike_py
from aerospike_py import exception as ex, official
from aerospike_py.server import LocalServer

# ---- connecting and closing ----


def test_connect_gives_the_client(make_client):
    client = make_client(connect=False)
    assert not client.is_connected()
    assert client.connect() is client
    assert client.is_connected()


def test_the_statement_of_the_guide(hosts):
    client = aerospike_py.client({"hosts": hosts}).connect()
    assert isinstance(client, aerospike_py.Client)
    assert client.is_connected()
    client.close()


def test_a_client_connects_once(make_client):
    client = make_client()
    with pytest.raises(ex.ClientError, match="already connected"):
        client.connect()
    assert client.is_connected()


def test_close_may_be_repeated_and_undone(make_client, key):
    client = make_client()
    client.put(key, {"a": 1})
    assert client.close() is None
    assert client.close() is None
    assert not client.is_connected()
    client.connect()
    assert client.get(key).bins == {"a": 1}


def test_close_before_connect(make_client):
    client = make_client(connect=False)
    client.close()
    client.close()
    client.connect()
    assert client.ping()


CALLS = {
    "put": lambda c: c.put(("test", "s", 1), {"a": 1}), "get": lambda c: c.get(("test", "s", 1)),
    "select": lambda c: c.select(("test", "s", 1), ["a"]),
    "exists": lambda c: c.exists(("test", "s", 1)), "remove": lambda c: c.remove(("test", "s", 1)),
    "remove_bin": lambda c: c.remove_bin(("test", "s", 1), ["a"]),
    "touch": lambda c: c.touch(("test", "s", 1)),
    "append": lambda c: c.append(("test", "s", 1), "a", "x"),
    "prepend": lambda c: c.prepend(("test", "s", 1), "a", "x"),
    "increment": lambda c: c.increment(("test", "s", 1), "a", 1),
    "operate": lambda c: c.operate(("test", "s", 1), [{"op": 11}]),
    "operate_ordered": lambda c: c.operate_ordered(("test", "s", 1), [{"op": 11}]),
    "info_all": lambda c: c.info_all("build"),
    "info_random_node": lambda c: c.info_random_node("build"),
    "info_single_node": lambda c: c.info_single_node("build", "BB9000000000001"),
    "get_node_names": lambda c: c.get_node_names(), "get_nodes": lambda c: c.get_nodes(),
    "get_stats": lambda c: c.get_stats(),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_closed_client_is_not_connected(make_client, name):
    client = make_client()
    client.close()
    with pytest.raises(ex.NotConnected) as e:
        CALLS[name](client)
    assert e.value.code == 11
    assert e.value.msg == "No connection to aerospike cluster"
    assert "not connected" in str(e.value)
    assert isinstance(e.value, ex.ClientError)
    assert isinstance(e.value, ex.ClusterError)
    assert not client.is_connected()


@pytest.mark.parametrize("name", CALLS)
def test_a_closed_client_of_the_strict_face(make_strict, name):
    client = make_strict()
    client.close()
    with pytest.raises(official.exception.ClusterError) as e:
        CALLS[name](client)
    assert e.value.code == 11
    assert e.value.msg.rstrip(".") == "No connection to aerospike cluster"


@pytest.mark.parametrize("name", CALLS)
def test_a_sync_client_connects_at_its_first_use(hosts, name):
    client = aerospike_py.client({"hosts": hosts})
    try:
        CALLS[name](client)
    except ex.NotConnected:
        raise
    except ex.AerospikeError:
        pass  # of the call itself: no such record or node
    assert client.is_connected()
    client.connect()  # only an explicit one counts
    with pytest.raises(ex.ClientError, match="already connected"):
        client.connect()
    client.close()


@pytest.mark.parametrize("name", CALLS)
async def test_an_async_client_does_not(hosts, name):
    client = aerospike_py.AsyncClient({"hosts": hosts})
    with pytest.raises(ex.NotConnected, match="not connected"):
        await CALLS[name](client)
    assert not client.is_connected()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_a_first_use_that_fails():
    client = aerospike_py.client({"hosts": [("127.0.0.1", free_port())]})
    for _ in range(2):
        with pytest.raises(ex.NotConnected, match="not connected") as e:
            client.get(("test", "s", 1))
        assert isinstance(e.value, (ex.ClientError, ex.ClusterError))
        assert "refused" in str(e.value)
    assert not client.is_connected()
    assert client.ping() is False


def test_bad_arguments_come_before_the_connection():
    client = aerospike_py.client({"hosts": [("127.0.0.1", free_port())]})
    with pytest.raises(ex.ParamError):
        client.get("bad")
    with pytest.raises(ex.ParamError):
        client.put(("test", "s", 1), {"a": 1}, policy={"total_timeout": "x"})


def test_use_by_threads_connects_once(hosts):
    client = aerospike_py.client({"hosts": hosts})
    errors = []
    gate = threading.Barrier(8)

    def use():
        gate.wait()
        try:
            client.exists(("test", "s", 1))
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == []
    client.close()


def test_of_threads_that_connect_one_wins(hosts):
    client = aerospike_py.client({"hosts": hosts})
    results = []
    gate = threading.Barrier(8)

    def use():
        gate.wait()
        try:
            client.connect()
            results.append("connected")
        except ex.ClientError as e:
            assert "already connected" in str(e)
            results.append("refused")

    threads = [threading.Thread(target=use) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(results) == ["connected"] + ["refused"] * 7
    client.close()


@pytest.fixture
def silent():
    """It takes connections and never says a word."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(16)
        yield s


@pytest.fixture
def silent_port(silent):
    return silent.getsockname()[1]


def test_close_while_another_thread_connects(silent, silent_port):
    client = aerospike_py.client({"hosts": [("127.0.0.1", silent_port)], "connect_timeout": 3000})
    failed = []

    def connect():
        with pytest.raises(ex.AerospikeError):
            client.connect()
        failed.append(True)

    thread = threading.Thread(target=connect)
    thread.start()
    taken, _ = silent.accept()
    with taken, pytest.raises(ex.ClientError, match="currently connecting"):
        client.close()
    thread.join()
    assert failed
    client.close()


def open_files():
    return len(os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"))


def soon(done):
    """Whether it comes true: the local server closes its ends in a thread of its own."""
    for _ in range(200):
        if done():
            return True
        time.sleep(0.02)
    return False


def test_connecting_and_closing_leaks_nothing(make_client):
    for _ in range(3):
        make_client().close()
    before = open_files()
    threads = threading.active_count()
    for _ in range(30):
        client = make_client()
        client.ping()
        client.close()
    assert soon(lambda: open_files() <= before)
    assert threading.active_count() == threads


def test_a_client_that_is_forgotten_closes(hosts):
    import gc

    gc.collect()
    before = open_files()
    for _ in range(5):
        aerospike_py.client({"hosts": hosts}).connect().ping()
    gc.collect()
    assert soon(lambda: open_files() <= before)


# ---- the context manager ----


def test_a_with_statement_closes(make_client):
    client = make_client()
    with client as same:
        assert same is client
        assert client.ping()
    assert not client.is_connected()


def test_a_with_statement_does_not_connect(make_client):
    with make_client(connect=False) as client:
        assert not client.is_connected()


def test_a_with_statement_hides_nothing(make_client):
    client = make_client()
    with pytest.raises(ZeroDivisionError), client:
        _ = 1 / 0
    assert not client.is_connected()


# ---- the strict face ----


def test_the_strict_face_connects_when_it_is_made(hosts):
    client = official.client({"hosts": hosts})
    assert client.is_connected()
    assert client.connect() is client
    assert client.connect("user", "ignored") is client
    assert client.close() is None
    assert client.close() is None
    assert not client.is_connected()
    assert client.connect() is client
    assert client.is_connected()
    client.close()


def test_the_constructor_of_the_strict_face(hosts):
    client = official.Client({"hosts": hosts})
    assert client.is_connected()
    assert isinstance(official.client({"hosts": hosts}), official.Client)
    client.close()


def test_too_many_arguments_of_a_strict_connect(make_strict):
    client = make_strict()
    client.close()
    with pytest.raises(TypeError):
        client.connect("u", "p", "extra")


def test_a_strict_client_that_reaches_nobody():
    port = free_port()
    with pytest.raises(official.exception.AerospikeError) as e:
        official.client({"hosts": [("127.0.0.1", port)]})
    assert e.value.code in (-10, 9)
    assert e.value.msg.startswith("Failed to connect")
    assert f"127.0.0.1:{port}" in str(e.value)


def test_a_strict_client_that_was_never_made():
    client = official.Client.__new__(official.Client)
    with pytest.raises(official.exception.ParamError) as e:
        client.get(("test", "s", 1))
    assert e.value.msg == "Invalid aerospike object"
    assert not client.is_connected()
    client.close()


# ---- nobody there ----


def test_each_seed_is_reported_with_its_cause(make_client, silent_port):
    refused = free_port()
    client = make_client(hosts=[("127.0.0.1", refused), ("127.0.0.1", silent_port),
                                ("no-such-host.invalid", 3000)],
                         connect=False, connect_timeout=1000)
    begin = time.monotonic()
    with pytest.raises(ex.ConnectionError) as e:
        client.connect()
    assert time.monotonic() - begin < 20
    assert e.value.code == -10
    assert e.value.result_code == -1
    assert isinstance(e.value, ex.ClusterError)
    text = str(e.value)
    assert f"127.0.0.1:{refused}" in text
    assert "refused" in text
    assert f"127.0.0.1:{silent_port}" in text
    assert "no-such-host.invalid" in text
    assert not client.is_connected()


def test_an_unreachable_cluster_within_the_deadline(make_client, silent_port):
    client = make_client(hosts=[("127.0.0.1", silent_port)] * 4, connect=False,
                         connect_timeout=300)
    begin = time.monotonic()
    with pytest.raises(ex.AerospikeError):
        client.connect()
    assert time.monotonic() - begin < 20


def test_timeout_is_another_name_for_connect_timeout(make_client, silent_port):
    client = make_client(hosts=[("127.0.0.1", silent_port)], connect=False, timeout=1400)
    begin = time.monotonic()
    with pytest.raises(ex.ClusterError):
        client.connect()
    assert time.monotonic() - begin >= 1.39  # connect_timeout has 1 s as its default


def test_one_good_seed_is_enough(make_client, hosts, silent_port, key):
    client = make_client(hosts=[("127.0.0.1", free_port()), ("127.0.0.1", silent_port), *hosts])
    client.put(key, {"a": 1})


def test_after_a_failure_it_may_connect(make_client):
    server = LocalServer().start()
    hosts = server.hosts
    port = server.port
    server.stop()
    client = make_client(hosts=hosts, connect=False)
    with pytest.raises(ex.ConnectionError):
        client.connect()
    with LocalServer(port=port):
        client.connect()
        assert client.ping()
        client.close()


# ---- what it says of itself ----


def test_ping(make_client):
    client = make_client()
    assert client.ping() is True
    client.close()
    assert client.ping() is False


def test_ping_of_a_server_that_is_gone(make_client):
    with LocalServer() as server:
        client = make_client(hosts=server.hosts)
        assert client.ping()
    assert client.ping() is False


def test_the_nodes(client, strict, hosts):
    names = client.get_node_names()
    assert isinstance(names, list)
    assert len(names) == 1
    assert isinstance(names[0], str)
    assert names[0]["address"] == hosts[0][0]
    assert names[0]["port"] == hosts[0][1]
    assert names[0]["node_name"] == names[0]
    assert client.get_nodes() == [hosts[0]]
    got = strict.get_node_names()
    assert got == [{"address": hosts[0][0], "port": hosts[0][1], "node_name": str(names[0])}]
    assert type(got[0]) is dict
    assert strict.get_nodes() == [hosts[0]]


def test_the_policies_in_effect(make_client):
    policies = make_client(policies={"read": {"total_timeout": 7}}).get_policies()
    assert policies["read"]["total_timeout"] == 7
    assert policies["read"]["socket_timeout"] == 30000
    assert policies["read"]["max_retries"] == 2
    assert policies["write"]["max_retries"] == 0
    assert policies["write"]["total_timeout"] == 1000
    assert policies["query"]["total_timeout"] == 0
    assert policies["query"]["max_retries"] == 5
    assert policies["batch"]["allow_inline"] is True
    assert policies["write"]["timeout_delay"] == 3000


def test_counters(make_client, key):
    client = make_client()
    client.put(key, {"a": 1})
    stats = client.get_stats()
    assert len(stats.nodes) == 1
    assert stats.nodes[0].name == client.get_node_names()[0]
    assert type(stats.retry_count) is int


def test_connections_of_event_loops_are_counted(hosts):
    client = aerospike_py.AsyncClient({"hosts": hosts})

    def conns():
        return client.get_stats().nodes[0].conns

    async def work():
        if not client.is_connected():
            await client.connect()
        await asyncio.gather(*[client.exists(("test", "none", n)) for n in range(20)])
        return conns()

    first = asyncio.run(work())
    assert first.in_use == 0
    assert 0 < first.in_pool == first.opened - first.closed
    second = asyncio.run(work())  # the first loop has ended
    assert second.opened > first.opened
    assert 0 < second.in_pool == second.opened - second.closed
    asyncio.run(client.close())


def test_a_client_has_a_short_repr(make_client):
    assert "Client" in repr(make_client())


def test_a_client_is_not_pickled(make_client, kind):
    import pickle

    one = make_client()
    with pytest.raises(TypeError):
        pickle.dumps(getattr(one, "inner", one))


def test_signatures_can_be_asked_for():
    for cls in (aerospike_py.Client, aerospike_py.AsyncClient):
        assert list(inspect.signature(cls.get).parameters) == ["self", "key", "policy"]
        assert inspect.signature(cls.put).parameters["meta"].default is None
        assert list(inspect.signature(cls.connect).parameters) == ["self", "username", "password"]
        assert inspect.signature(cls.touch).parameters["val"].default == 0
        for name in CALLS:
            inspect.signature(getattr(cls, name))
            assert getattr(cls, name).__doc__
    assert len(inspect.signature(aerospike_py.AsyncClient.__aexit__).parameters) == 4
    assert "__aenter__" in aerospike_py.AsyncClient.__dict__


# ---- arguments ----


@pytest.mark.parametrize("name, most", [
    ("get", 2), ("exists", 2), ("select", 3), ("put", 5), ("remove", 3), ("remove_bin", 4),
    ("append", 5), ("prepend", 5), ("increment", 5), ("touch", 4), ("operate", 4),
    ("operate_ordered", 4), ("info_all", 2), ("info_random_node", 2), ("info_single_node", 3)])
def test_too_many_arguments(face, name, most):
    with pytest.raises(TypeError, match=rf"{name}\(\) takes at most {most} "
                                        rf"(positional )?arguments \({most + 1} given\)"):
        getattr(face, name)(*[None] * (most + 1))


@pytest.mark.parametrize("name, first", [
    ("get", "key"), ("exists", "key"), ("select", "key"), ("put", "key"), ("remove", "key"),
    ("append", "key"), ("increment", "key"), ("touch", "key"), ("info_all", "command"),
    ("info_random_node", "command"), ("info_single_node", "command")])
def test_an_argument_that_is_missing(face, name, first):
    with pytest.raises(TypeError, match=rf"argument '{first}' \(pos 1\)"):
        getattr(face, name)()


def test_arguments_that_are_missing_later(face):
    key = ("test", "s", 1)
    for name, args, missing, pos in (("put", (key,), "bins", 2), ("select", (key,), "bins", 2),
                                     ("append", (key, "b"), "val", 3),
                                     ("increment", (key, "b"), "offset", 3),
                                     ("info_single_node", ("build",), "host", 2)):
        with pytest.raises(TypeError, match=rf"argument '{missing}' \(pos {pos}\)"):
            getattr(face, name)(*args)


def test_keywords_that_nobody_knows(face):
    for name in ("get", "put", "operate", "info_all"):
        args = {"put": [{}], "operate": [[]]}.get(name, [])
        with pytest.raises(TypeError, match="nonsense"):
            getattr(face, name)(("test", "s", 1), *args, nonsense=1)
    with pytest.raises(TypeError, match="key"):
        face.get(("test", "s", 1), key=("test", "s", 1))
