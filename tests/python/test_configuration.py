"""The configuration of a client, and the policies of a call."""

from __future__ import annotations

import pytest

import aerospike_py
from aerospike_py import exception as ex, official

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


def refused(face, name):
    """How a wrong policy is refused: the strict face's remove_bin() has its own way."""
    if name == "remove_bin" and isinstance(face, official.Client):
        return ex.ClientError, -1, "Incorrect policy -> "
    return ex.ParamError, -2, ""


@pytest.mark.parametrize("name", [*READS, *WRITES])
@pytest.mark.parametrize("bad", ["", "policy", [], (), 5, False], ids=repr)
def test_a_policy_is_a_dict(face, key, name, bad):
    kind, code, prefix = refused(face, name)
    with pytest.raises(kind) as e:
        {**READS, **WRITES}[name](face, key, bad)
    assert e.value.msg == f"{prefix}policy must be a dict"
    assert e.value.code == code
    assert prefix or isinstance(e.value, TypeError)


@pytest.mark.parametrize("name", [*READS, *WRITES])
@pytest.mark.parametrize("field", ["total_timeout", "socket_timeout", "max_retries",
                                   "sleep_between_retries", "timeout_delay"])
def test_a_number_of_a_policy_is_an_int(face, key, name, field):
    kind, code, prefix = refused(face, name)
    for bad in (0.5, "1000", "", [1], {}):
        with pytest.raises(kind) as e:
            {**READS, **WRITES}[name](face, key, {field: bad})
        assert e.value.msg == f"{prefix}{field} is invalid"
        assert e.value.code == code
        assert prefix or isinstance(e.value, TypeError)


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
            with pytest.raises(refused(face, name)[0], match=field):
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
