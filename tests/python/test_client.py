"""A client's life: its configuration, connecting, closing, and what it says of itself."""

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


# ---- the configuration ----

BAD_CONFIGS = [
    (1, "Config must be a dict"), ([], "Config must be a dict"),
    ({"": 1}, "Hosts must be a list"), ({"hosts": (("a", 1),)}, "Hosts must be a list"),
    ({"hosts": "127.0.0.1"}, "Hosts must be a list"),
    ({"hosts": [3000]}, "Invalid host"), ({"hosts": [("h", 3000), ()]}, "Invalid host"),
    ({"hosts": [("h", "3000")]}, "Invalid host -> The host port must be an integer"),
    ({"hosts": [(5, 3000)]}, "Invalid host"),
]


@pytest.mark.parametrize("config, text", BAD_CONFIGS[3:], ids=str)
def test_a_malformed_config(config, text):
    for make in (aerospike_py.client, aerospike_py.Client, aerospike_py.AsyncClient,
                 aerospike_py.async_client):
        with pytest.raises(ex.ParamError) as e:
            make(config)
        assert text in e.value.msg
        assert isinstance(e.value, (TypeError, ValueError))


@pytest.mark.parametrize("config, text", [*BAD_CONFIGS, ({}, "Hosts must be a list"),
                                          ({"hosts": []}, "Hosts must not be empty")], ids=str)
def test_a_malformed_config_of_the_strict_face(config, text):
    for make in (official.client, official.Client):
        with pytest.raises(ex.ParamError) as e:
            make(config)
        assert e.value.msg == text
        assert e.value.code == -2


def test_no_config_at_all():
    for make in (official.client, official.Client):
        with pytest.raises(ex.ParamError) as e:
            make()
        assert e.value.msg == "No config argument"
    with pytest.raises(ex.ParamError) as e:
        official.client()
    assert isinstance(e.value.__context__, TypeError)


@pytest.mark.parametrize("config", [{}, {"hosts": []}, {"hosts": ["host:port"]}], ids=str)
def test_mistakes_that_are_said_at_connect(make_client, config, kind):
    make = aerospike_py.AsyncClient if kind == "async" else aerospike_py.client
    make(config)  # says nothing
    with pytest.raises(ex.ClientError) as e:
        make_client(hosts=config.get("hosts", []))
    assert isinstance(e.value, (ValueError, ex.ClusterError))


def test_a_missing_hosts_is_named():
    with pytest.raises(ValueError, match="hosts"):
        aerospike_py.client({}).connect()


def test_a_port_that_is_no_number():
    with pytest.raises(ValueError, match="Invalid port"):
        aerospike_py.client({"hosts": ["127.0.0.1:http"]}).connect()


def test_hosts_as_text(make_client, make_strict, hosts, key):
    host, port = hosts[0]
    for one in (make_client(hosts=[f"{host}:{port}"]), make_strict(hosts=[f"{host}:{port}"]),
                make_client(hosts=[(host, port, "tls-name")]), make_strict(hosts=[(host, port)])):
        one.put(key, {"a": 1})


BAD_SETTINGS = [
    ({"rack_aware": "True"}, "Invalid Policy setting value"),
    ({"rack_id": "5"}, "Invalid Policy setting value"),
    ({"rack_id": -(1 << 40)}, "Invalid Policy setting value"),
    ({"rack_id": 1 << 32}, "Invalid Policy setting value"),
    ({"rack_ids": 4}, "Invalid Policy setting value"),
    ({"rack_ids": ["str", 4]}, "Invalid Policy setting value"),
    ({"rack_ids": [-1]}, "Invalid Policy setting value"),
    ({"use_services_alternate": "True"}, "Invalid Policy setting value"),
    ({"lua": {"user_path": "a" * 256}}, "Lua user path too long"),
    ({"compression_threshold": -1}, "Compression value must not be negative"),
    ({"validate_keys": 1}, 'config["validate_keys"] must be a boolean'),
    ({"serialization": (5, print)}, "Serializer must be callable"),
    ({"serialization": (print, 5)}, "Deserializer must be callable"),
    ({"policies": {"auth_mode": 77}}, "Specify valid auth_mode"),
    ({"policies": {"metrics": ()}},
     "metrics must be an aerospike_helpers.metrics.MetricsPolicy class instance. But a tuple was "
     "received instead"),
    ({"config_provider": 0},
     "config_provider must be an aerospike.ConfigProvider class instance. But a int was received "
     "instead"),
]


@pytest.mark.parametrize("setting, text", BAD_SETTINGS, ids=lambda v: str(v)[:40])
def test_a_setting_that_is_wrong(hosts, setting, text):
    for make in (aerospike_py.client, aerospike_py.AsyncClient, official.client):
        with pytest.raises(ex.ParamError) as e:
            make({"hosts": hosts, **setting})
        assert e.value.msg == text
        assert e.value.code == -2


def test_a_bad_setting_is_named(hosts):
    with pytest.raises(ex.ParamError, match="rack_ids"):
        aerospike_py.client({"hosts": hosts, "rack_ids": 4})
    with pytest.raises(ex.ParamError, match="durable_delete"):
        aerospike_py.client({"hosts": hosts, "policies": {"write": {"durable_delete": "x"}}})


def test_an_app_id_is_a_str(hosts):
    for make in (aerospike_py.client, official.client):
        with pytest.raises(TypeError):
            make({"hosts": hosts, "app_id": 1})


@pytest.mark.parametrize("pools, lines", [(1, 0), (4, 1)])
def test_a_setting_without_effect_is_told(hosts, caplog, pools, lines):
    with caplog.at_level("INFO", "aerospike_py"):
        aerospike_py.client({"hosts": hosts, "conn_pools_per_node": pools})
    assert sum("conn_pools_per_node" in row.message for row in caplog.records) == lines


@pytest.mark.parametrize("name", ["max_conns_per_node", "min_conns_per_node", "tend_interval",
                                  "timeout", "connect_timeout", "max_error_rate",
                                  "max_concurrent_operations", "operation_queue_timeout_ms"])
def test_numbers_of_the_configuration(hosts, name):
    with pytest.raises(OverflowError, match=name):
        aerospike_py.client({"hosts": hosts, name: -1})
    with pytest.raises(TypeError, match=name):
        aerospike_py.client({"hosts": hosts, name: "1"})
    with pytest.raises(ex.ParamError, match=name):
        aerospike_py.client({"hosts": hosts, name: 2**40})


BASE = ("total_timeout", "socket_timeout", "max_retries", "sleep_between_retries")
BAD_POLICIES = [
    *((kind, name, "5") for kind in ("read", "write", "operate", "batch", "scan", "query",
                                     "apply", "remove") for name in BASE),
    ("read", "deserialize", "nope"), ("read", "key", "send"), ("read", "replica", "maybe?"),
    ("write", "exists", "exists"), ("write", "gen", "should be a constant"),
    ("write", "commit_level", "committed"), ("write", "commit_level", [1, 2, 3]),
    ("write", "durable_delete", "durable"), ("batch", "concurrent", "x"),
    ("batch", "allow_inline", "x"), ("batch", "deserialize", "x"), ("write", "compress", 0.2),
    ("read", "read_touch_ttl_percent", "fail"), ("query", "expected_duration", "1"),
    ("batch_remove", "generation", 0.3), ("batch_remove", "generation", 65536),
    ("batch_remove", "generation", -1), ("read", "total_timeout", -1),
    ("read", "total_timeout", 2**32), ("write", "durable_delete", 1),
]


@pytest.mark.parametrize("kind, name, value", BAD_POLICIES, ids=str)
def test_a_policy_of_the_configuration_that_is_wrong(hosts, kind, name, value):
    for make in (aerospike_py.client, official.client):
        with pytest.raises(ex.ParamError) as e:
            make({"hosts": hosts, "policies": {kind: {name: value}}})
        assert e.value.msg == "Invalid Policy setting value"
        assert name in str(e.value)


def test_unknown_keys_are_passed_over(make_client, make_strict, key):
    config = {"nonsense": 1, "policies": {"read": {"nonsense": 1}, "nonsense": {}}}
    make_client(**config).put(key, {"a": 1}, {"nonsense": 1}, {"nonsense": 1})
    make_strict(**config).put(key, {"a": 1}, {"nonsense": 1}, {"nonsense": 1})


@pytest.mark.parametrize("config, text", [
    ({"a": 1}, '"a" is an invalid client config dictionary key'),
    ({"lua": {"a": 1}}, '"a" is an invalid client config dictionary key'),
    ({"tls": {"a": 1}}, '"a" is an invalid client config dictionary key'),
    ({"shm": {"a": 1}}, '"a" is an invalid client config dictionary key'),
    ({"policies": {"a": {}}}, '"a" is an invalid client config dictionary key'),
    ({"policies": {"read": {"a": 1}}}, '"a" is an invalid policy dictionary key'),
], ids=str)
def test_unknown_keys_are_refused_if_that_is_wished(hosts, config, text):
    for make in (aerospike_py.client, official.client):
        with pytest.raises(ex.ParamError) as e:
            make({"hosts": hosts, "validate_keys": True, **config})
        assert e.value.msg == text


def test_unknown_keys_of_a_call_are_refused_if_that_is_wished(make_client, make_strict, key):
    for client in (make_client(validate_keys=True), make_strict(validate_keys=True)):
        client.put(key, {"a": 1}, {"ttl": 0}, {"total_timeout": 1000})
        for call in (lambda c, p: c.get(key, p), lambda c, p: c.exists(key, p),
                     lambda c, p: c.select(key, ["a"], p),
                     lambda c, p: c.put(key, {"a": 1}, None, p),
                     lambda c, p: c.remove(key, None, p), lambda c, p: c.touch(key, 0, None, p),
                     lambda c, p: c.append(key, "a", "b", None, p),
                     lambda c, p: c.increment(key, "a", 1, None, p),
                     lambda c, p: c.operate(key, [{"op": 11}], None, p),
                     lambda c, p: c.operate_ordered(key, [{"op": 11}], None, p),
                     lambda c, p: c.remove_bin(key, ["a"], None, p),
                     lambda c, p: c.info_all("build", p),
                     lambda c, p: c.info_random_node("build", p)):
            with pytest.raises(ex.ParamError) as e:
                call(client, {"a": 1})
            assert e.value.msg == '"a" is an invalid policy dictionary key'
        with pytest.raises(ex.ParamError) as e:
            client.put(key, {"a": 1}, {"generation": 1})
        assert e.value.msg == '"generation" is an invalid record metadata dictionary key'


def test_policies_of_the_configuration(make_client, make_strict, key):
    for client in (make_client(policies={"read": {"key": 1}, "write": {"key": 1}}),
                   make_strict(policies={"key": 1})):
        client.put(key, {"a": 1})
        assert client.get(key)[0][2] == key[2]


@pytest.mark.needs_ttl
@pytest.mark.parametrize("call", ["put", "append", "increment", "operate"])
def test_ttls_of_the_configuration(make_client, make_strict, key, call):
    config = {"policies": {"write": {"ttl": 500}, "operate": {"ttl": 700}}}
    for client in (make_client(**config), make_strict(**config)):
        {"put": lambda c: c.put(key, {"a": 1}), "append": lambda c: c.append(key, "s", "x"),
         "increment": lambda c: c.increment(key, "n", 1),
         "operate": lambda c: c.operate(key, [{"op": 9, "bin": "s", "val": "x"}])}[call](client)
        want = 500 if call == "put" else 700
        assert want - 10 <= client.get(key)[1]["ttl"] <= want
        client.remove(key)


def test_a_cluster_name(make_client, make_strict, hosts, local):
    name = "local" if local else make_client().info_random_node("cluster-name")
    make_client(cluster_name=None).ping()
    if name not in ("null", ""):
        assert make_client(cluster_name=name).ping()
    for make in (make_client, make_strict):
        with pytest.raises(ex.ClientError, match="another name"):
            make(cluster_name="another name")


def test_user_and_password_may_be_none(make_client, make_strict, key):
    for client in (make_client(user=None, password=None), make_strict(user=None, password=None)):
        client.put(key, {"a": 1})


def test_the_shared_memory_key(make_strict, make_client):
    assert make_strict().shm_key() is None
    assert make_client().shm_key() is None
    with pytest.warns(UserWarning, match="shm"):
        assert make_strict(shm={"shm_key": 3}).shm_key() == 3
    with pytest.warns(UserWarning, match="shm"):
        assert isinstance(make_strict(shm={}).shm_key(), int)


def test_a_config_is_read_once(make_client, hosts):
    config = {"hosts": list(hosts), "policies": {"read": {"total_timeout": 500}}}
    client = make_client(**config)
    config["policies"]["read"]["total_timeout"] = 1
    config["hosts"].clear()
    assert client.get_policies()["read"]["total_timeout"] == 500


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
        with pytest.raises(TypeError, match="nonsense"):
            getattr(face, name)(("test", "s", 1), nonsense=1)
    with pytest.raises(TypeError, match="key"):
        face.get(("test", "s", 1), key=("test", "s", 1))


# ---- info ----


def test_info_of_all_nodes(client):
    answer = client.info_all("build")
    assert isinstance(answer, list)
    assert type(answer[0]) is aerospike_py.InfoNodeResult
    node, code, text = answer[0]
    assert (answer[0].node_name, answer[0].error_code, answer[0].response) == (node, code, text)
    assert node == client.get_node_names()[0]
    assert code == 0
    assert text[0].isdigit()
    assert "\n" not in text
    assert "build" not in text


def test_info_is_read_as_a_dict_too(client):
    answer = client.info_all("build")
    name = client.get_node_names()[0]
    assert list(answer.keys()) == [name]
    error, text = answer[name]
    assert error is None
    assert text == answer[0].response + "\n"
    assert dict(answer.items())[name] == (None, text)
    assert list(answer.values()) == [(None, text)]
    # as users of the official client write it
    assert [answer[node][1] for node in answer] == [text]


def test_info_of_all_nodes_on_the_strict_face(strict):
    answer = strict.info_all("build")
    assert type(answer) is dict
    (name, (error, text)), = answer.items()
    assert name == strict.get_node_names()[0]["node_name"]
    assert error is None
    assert text.endswith("\n")
    assert "\t" not in text


def test_info_of_some_node(client, strict):
    text = client.info_random_node("build")
    assert text[0].isdigit()
    assert "\n" not in text
    assert strict.info_random_node("build") == f"build\t{text}\n"


def test_info_of_one_node(face):
    name = face.get_node_names()[0]
    name = name["node_name"] if isinstance(name, dict) else name
    assert face.info_single_node("build", name).startswith("build\t")
    with pytest.raises(ex.ParamError, match="Could not get node"):
        face.info_single_node("build", "nobody")


@pytest.mark.parametrize("bad", [None, 5, [], {}, 3000.0, ()])
def test_the_host_of_info_is_a_str(face, bad):
    with pytest.raises(ex.ParamError, match=r"(?i)host"):
        face.info_single_node("build", bad)


@pytest.mark.parametrize("bad", [None, 5, [], {}, False])
def test_a_command_is_a_str(face, bad):
    for call in (face.info_all, face.info_random_node, lambda c: face.info_single_node(c, "x")):
        with pytest.raises(ex.ParamError, match=r"(?i)request|command"):
            call(bad)
        with pytest.raises(TypeError):
            call(bad)


@pytest.mark.parametrize("bad", ["", "two\nlines"])
def test_a_command_is_one_line(client, bad):
    for call in (client.info_all, client.info_random_node):
        with pytest.raises(ValueError, match="command"):
            call(bad)


def test_a_command_that_is_refused(client, strict):
    answer = client.info_all("no-such-command")
    assert answer[0].error_code == 4
    assert answer[0].response.startswith("ERROR:4")
    for one in (client, strict):
        with pytest.raises(ex.InvalidRequest) as e:
            one.info_random_node("no-such-command")
        assert e.value.code == 4
    with pytest.raises(ex.InvalidRequest):
        strict.info_all("no-such-command")


@pytest.mark.parametrize("bad", ["", [], (), 5, False, "policy"])
def test_the_policy_of_info(face, bad):
    for call in (face.info_all, face.info_random_node):
        with pytest.raises(ex.ParamError) as e:
            call("build", bad)
        assert e.value.msg == "policy must be a dict"


@pytest.mark.parametrize("bad", [0.5, "1000", "", [1]])
def test_the_timeout_of_info(face, bad):
    with pytest.raises(ex.ParamError) as e:
        face.info_random_node("build", {"timeout": bad})
    assert e.value.msg == "timeout is invalid"


def test_a_long_answer(client):
    text = client.info_random_node("statistics")
    assert "cluster_size=1" in text.split(";")


def test_info_of_three_nodes(cluster, make_client):
    client = make_client(hosts=cluster.hosts[:1])
    assert len(client.info_all("build")) == 3
    assert len(client.get_nodes()) == 3
    seen = {client.info_random_node("node") for _ in range(60)}
    assert seen == set(client.get_node_names())
    for name in client.get_node_names():
        assert client.info_single_node("node", name) == f"node\t{name}\n"


# ---- policies of a call ----

READS = {
    "get": lambda c, k, p: c.get(k, p), "exists": lambda c, k, p: c.exists(k, p),
    "select": lambda c, k, p: c.select(k, ["a"], p),
}
WRITES = {
    "put": lambda c, k, p: c.put(k, {"a": 1}, None, p),
    "remove": lambda c, k, p: c.remove(k, None, p), "touch": lambda c, k, p: c.touch(k, 0, None, p),
    "append": lambda c, k, p: c.append(k, "s", "x", None, p),
    "prepend": lambda c, k, p: c.prepend(k, "s", "x", None, p),
    "increment": lambda c, k, p: c.increment(k, "n", 1, None, p),
    "remove_bin": lambda c, k, p: c.remove_bin(k, ["n"], None, p),
    "operate": lambda c, k, p: c.operate(k, [{"op": 11}], None, p),
    "operate_ordered": lambda c, k, p: c.operate_ordered(k, [{"op": 11}], None, p),
}


@pytest.mark.parametrize("name", [*READS, *WRITES])
@pytest.mark.parametrize("bad", ["", "policy", [], (), 5, False], ids=repr)
def test_a_policy_is_a_dict(face, key, name, bad):
    with pytest.raises(ex.ParamError) as e:
        {**READS, **WRITES}[name](face, key, bad)
    assert e.value.msg == "policy must be a dict"
    assert e.value.code == -2
    assert isinstance(e.value, TypeError)


@pytest.mark.parametrize("name", [*READS, *WRITES])
@pytest.mark.parametrize("field", ["total_timeout", "socket_timeout", "max_retries",
                                   "sleep_between_retries", "timeout_delay"])
def test_a_number_of_a_policy_is_an_int(face, key, name, field):
    for bad in (0.5, "1000", "", [1], {}):
        with pytest.raises(ex.ParamError) as e:
            {**READS, **WRITES}[name](face, key, {field: bad})
        assert e.value.msg == f"{field} is invalid"
        assert isinstance(e.value, TypeError)


@pytest.mark.parametrize("field", ["total_timeout", "socket_timeout", "max_retries"])
def test_a_number_of_a_policy_is_not_negative(client, key, field):
    for bad in (-1, 2**32, 2**64):
        with pytest.raises(ex.ParamError, match=field):
            client.get(key, {field: bad})


@pytest.mark.parametrize("name", WRITES)
def test_enums_of_writes(face, key, name):
    for field in ("key", "gen", "exists", "commit_level"):
        if name == "remove" and field == "exists":
            continue
        for bad in (999, -1, "x"):
            with pytest.raises(ex.ParamError, match=field):
                WRITES[name](face, key, {field: bad})


@pytest.mark.parametrize("name", READS)
def test_enums_of_reads(face, key, name):
    for field in ("replica", "read_mode_ap", "read_mode_sc", "key"):
        for bad in (999, -1, "x"):
            with pytest.raises(ex.ParamError, match=field):
                READS[name](face, key, {field: bad})


@pytest.mark.parametrize("bad", [(), [], "x", 5, object()], ids=lambda b: type(b).__name__)
def test_a_filter_is_an_expression(face, key, bad):
    for field in ("expressions", "filter_expression"):
        with pytest.raises(ex.ParamError):
            face.get(key, {field: bad})
        with pytest.raises(ex.ParamError):
            face.put(key, {"a": 1}, None, {field: bad})


@pytest.mark.parametrize("bad", [5, "txn", {}], ids=repr)
def test_a_transaction_is_one(face, key, bad):
    with pytest.raises(ex.ParamError) as e:
        face.put(key, {"a": 1}, None, {"txn": bad})
    assert e.value.msg == "txn is not of type aerospike.Transaction"


def test_an_empty_policy_and_none(face, key):
    for policy in (None, {}):
        face.put(key, {"a": 1}, None, policy)
        assert face.get(key, policy)[2] == {"a": 1}
        face.info_all("build", policy)
