"""What the strict face does where it differs from the main one: arguments, errors, results."""

from __future__ import annotations

import pytest

from aerospike_py import exception as ex, official
from aerospike_py.helpers.batch import records as br
from aerospike_py.official import predicates
from aerospike_py.official.helpers.operations import (
    bitwise_operations as bits,
    hll_operations as hlls,
    list_operations as lists,
    map_operations as maps,
    operations as ops,
)

# ---- how arguments are bound ----


def test_the_official_names_of_arguments_are_told(strict, key):
    for call, name in ((strict.operate, "list"), (strict.operate_ordered, "list"),
                       (strict.remove_bin, "list")):
        with pytest.raises(TypeError, match=rf"missing required argument '{name}' \(pos 2\)"):
            call(key)
    with pytest.raises(TypeError, match=r"'ns' \(pos 1\)"):
        strict.index_remove()
    with pytest.raises(TypeError, match=r"'filename' \(pos 1\)"):
        strict.udf_remove()


def test_what_is_missing_is_told_before_what_is_unknown(face, key):
    with pytest.raises(TypeError, match=r"missing required argument 'bins' \(pos 2\)"):
        face.put(key, nonsense=1)


def test_arguments_that_nobody_looks_at(strict):
    for call in (strict.is_connected, strict.get_nodes, strict.get_node_names, strict.shm_key,
                 strict.get_policies):
        assert type(call("more", "than", more="it takes")) is type(call())
    assert strict.connect("user", "password", "and more") is strict


def test_arguments_are_counted_before_the_connection_is_missed(make_strict, key):
    client = make_strict()
    client.close("now")
    with pytest.raises(TypeError, match=r"argument 'key' \(pos 1\)"):
        client.get()
    with pytest.raises(TypeError, match="takes at most 2 arguments"):
        client.get(key, None, None)
    with pytest.raises(ex.ClusterError, match="No connection to aerospike cluster"):
        client.get(5, 5)


def test_a_batch_of_the_strict_face_has_no_retries(strict, key):
    # Its method has one argument fewer; what stood in its place before must not count.
    for _ in range(50):
        strict.get_nodes()
        records = br.BatchRecords([br.Write(key, [ops.write("a", 1)])])
        assert strict.batch_write(records) is records
        assert records.result == 0


@pytest.mark.parametrize("name, first, count", [
    ("calc_digest", "ns", 3), ("set_serializer", "function", 1),
    ("set_deserializer", "function", 1), ("set_log_level", "loglevel", 1),
    ("geodata", "geo_data", 1), ("geojson", "geojson_str", 1)])
def test_functions_of_the_module_are_bound_as_in_c(name, first, count):
    function = getattr(official, name)
    with pytest.raises(TypeError, match=rf"^{name}\(\) missing required argument '{first}' "
                                        rf"\(pos 1\)$"):
        function()
    with pytest.raises(TypeError, match=rf"takes at most {count} arguments? \({count + 1} given"):
        function(*[None] * (count + 1))
    with pytest.raises(TypeError, match="argument"):
        function(nonsense=1)


def test_errors_inside_a_function_keep_their_text():
    with pytest.raises(TypeError, match="^Namespace should be a string$"):
        official.calc_digest(1, "set", 1)
    with pytest.raises(TypeError, match=r"'set' \(pos 2\)"):
        official.calc_digest("test")


def test_geojson_takes_one_argument():
    for args, kwargs in (((), {}), (({}, {}), {}), ((), {"other": {}})):
        with pytest.raises(ex.ParamError, match="exactly 1 parameter") as e:
            official.GeoJSON(*args, **kwargs)
        assert e.value.in_doubt is False
    assert official.GeoJSON(geo_data={"a": 1}).unwrap() == {"a": 1}


def test_it_is_installed_by_either_name():
    assert official.install_as_aerospike is official.install


# ---- configurations ----


@pytest.mark.parametrize("config", [
    {"rack_aware": None}, {"use_services_alternate": None}, {"policies": {"read": None}},
    {"policies": {"write": {"ttl": -1}}}, {"policies": {"batch": None}},
    {"validate_keys": True, "policies": {"batch_read": {}}}], ids=repr)
def test_configurations_that_are_refused(make_strict, config):
    with pytest.raises(ex.ParamError) as e:
        make_strict(**config)
    assert "Invalid Policy setting value" in e.value.msg or "batch_read" in e.value.msg


def test_a_user_counts_with_a_password(make_strict):
    for config in ({"user": "u"}, {"user": "u", "password": None}, {"password": "p"}):
        assert make_strict(**config).is_connected()


def test_hosts_and_intervals_that_are_refused(make_strict):
    with pytest.raises(ex.ParamError, match="^Invalid host$"):
        make_strict(hosts=[("127.0.0.1",)])
    with pytest.raises(ex.ClientError, match="Invalid tend interval: 10") as e:
        make_strict(tend_interval=10)
    assert e.value.code == -1


# ---- policies and meta ----


def test_keys_of_other_policies_are_left_alone(strict, key):
    strict.put(key, {"a": 1}, None, {"read_mode_ap": "what?", "timeout": "x", "short_query": []})
    got = strict.get(key, {"gen": "x", "exists": 99, "ttl": "x", "timeout": None})
    assert got[2] == {"a": 1}


def test_a_config_still_hears_of_keys_that_nobody_knows(make_strict, key):
    client = make_strict(validate_keys=True)
    with pytest.raises(ex.ParamError, match='"ttl" is an invalid policy dictionary key'):
        client.get(key, {"ttl": 5})
    with pytest.raises(ex.ClientError, match='"a" is an invalid policy dictionary key') as e:
        client.remove_bin(key, ["a"], None, {"a": 1})
    assert e.value.code == -1


def test_numbers_of_policies_wrap(strict, key):
    assert strict.put(key, {"a": 1}, None, {"socket_timeout": -5, "total_timeout": 2**33}) == 0
    with pytest.raises(ex.ClientError, match="Unable to fetch long value") as e:
        strict.get(key, {"total_timeout": 2**70})
    assert e.value.code == -1


@pytest.mark.parametrize("value", [None, [], (), 5, [1], "x"], ids=repr)
def test_expressions_are_compiled(strict, key, value):
    with pytest.raises(ex.ParamError, match="Expressions must be a non empty list"):
        strict.get(key, {"expressions": value})


def test_none_is_no_transaction_and_no_meta(strict, key):
    with pytest.raises(ex.ParamError, match="txn is not of type"):
        strict.get(key, {"txn": None})
    with pytest.raises(ex.ParamError, match="Generation should be an int"):
        strict.put(key, {"a": 1}, {"gen": None})
    with pytest.raises(ex.ParamError, match="Ttl should be an int"):
        strict.put(key, {"a": 1}, {"ttl": None})
    with pytest.raises(ex.ParamError):
        strict.put(key, {"a": 1}, {"ttl": 2**64})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("meta", ["", 5, [], (1,), {"gen": "x"}, {"ttl": "x"}], ids=repr)
def test_remove_looks_at_a_generation_alone(strict, key, meta):
    strict.put(key, {"a": 1})
    assert strict.remove(key, meta, {}) == 0


@pytest.mark.needs_ttl
def test_meta_may_leave_the_ttl_to_the_policy(strict, key):
    strict.put(key, {"a": 1}, {"ttl": official.TTL_CLIENT_DEFAULT}, {"ttl": 500})
    assert 490 <= strict.exists(key)[1]["ttl"] <= 500
    strict.put(key, {"a": 1}, {"ttl": 700}, {"ttl": 500})
    assert 690 <= strict.exists(key)[1]["ttl"] <= 700
    row = br.Write(key, [ops.write("a", 2)], {"ttl": official.TTL_CLIENT_DEFAULT}, {"ttl": 300})
    assert strict.batch_write(br.BatchRecords([row])).batch_records[0].result == 0
    assert 290 <= strict.exists(key)[1]["ttl"] <= 300


# ---- keys ----


@pytest.mark.parametrize("user, echo", [(True, 1), (False, 0), (b"abc", "abc"), (b"", ""),
                                        (b"\xff", b"\xff"), (5, 5), ("é", "é")], ids=repr)
def test_what_is_echoed_of_a_user_key(strict, user, echo):
    key = ("test", "echoed", user)
    strict.put(key, {"a": 1})
    told = strict.exists(key)[0][2]
    strict.remove(key)
    assert told == echo and type(told) is type(echo)


# ---- errors ----


def test_the_text_of_an_error_holds_the_official_one(strict, key):
    for call, code in ((lambda: strict.get(key), 2), (lambda: strict.put(key, 5), -2),
                       (lambda: strict.put(key, {"x" * 16: 1}), 21)):
        with pytest.raises(ex.AerospikeError) as e:
            call()
        assert e.value.code == code
        assert e.value.args == (code, e.value.msg, None, None, False)
        assert e.value.msg in str(e.value)


def test_names_too_long_make_the_key_invalid(strict):
    for key in (("n" * 32, "set", 1), ("test", "s" * 64, 1)):
        with pytest.raises(ex.ParamError, match="key is invalid"):
            strict.get(key)
        with pytest.raises(ex.ParamError, match="key is invalid"):
            strict.batch_read([key])
    with pytest.raises(ex.ParamError, match="Byte array size cannot be 0"):
        strict.get(("test", "set", bytearray()))


# ---- values and bins ----


@pytest.mark.parametrize("value", [(1, 2), {1, 2}, [(1,)], {"a": (1,)}, object], ids=repr)
def test_values_that_nobody_serializes(strict, key, value):
    with pytest.raises(ex.ParamError, match="SERIALIZER_NONE selected") as e:
        strict.put(key, {"a": value})
    assert e.value.code == -2
    calls = [lambda: strict.operate(key, [ops.write("a", value)]),
             lambda: strict.operate(key, [lists.list_append("a", value)]),
             lambda: strict.batch_operate([key], [ops.write("a", value)]),
             lambda: strict.apply(key, "module", "function", [value])]
    for call in calls:
        with pytest.raises(ex.ClientError, match="unknown Python native type") as e:
            call()
        assert e.value.code == -1


@pytest.mark.parametrize("name", [5, None, b"a", ("a",)], ids=repr)
def test_bins_that_are_written_have_names(strict, key, name):
    for call in (lambda: strict.put(key, {name: 1}), lambda: strict.remove_bin(key, [name])):
        with pytest.raises(ex.ClientError, match="should be a string|must be a string") as e:
            call()
        assert e.value.code == -1


def test_one_bin_may_be_named_by_a_bytearray(strict, key):
    name = bytearray(b"a")
    strict.increment(key, name, 4)
    strict.append(key, bytearray(b"s"), "x")
    assert strict.operate(key, [ops.read(name)])[2] == {"a": 4}
    with pytest.raises(ex.BinNameError):
        strict.increment(key, bytearray(b"x" * 16), 1)


def test_lists_and_maps_that_stay_packed(face, key):
    face.put(key, {"l": [1], "m": {"a": 1}, "n": 1})
    packed = {"l": b"\x91\x01", "m": b"\x81\xa2\x03a\x01", "n": 1}
    assert face.get(key, {"deserialize": False})[2] == packed
    assert face.select(key, ["l"], {"deserialize": 0})[2] == {"l": packed["l"]}
    assert face.operate(key, [ops.read("m")] if isinstance(face, official.Client) else
                        [{"op": 1, "bin": "m"}], None, {"deserialize": False})[2] == {
                            "m": packed["m"]}
    rows = face.batch_read([key], None, {"deserialize": False}).batch_records
    assert rows[0].record[2] == packed
    assert face.get(key)[2] == {"l": [1], "m": {"a": 1}, "n": 1}


def test_touch_is_about_no_bin(strict, key):
    with pytest.raises(ex.RecordNotFound) as e:
        strict.touch(key, 100)
    assert e.value.bin is None


@pytest.mark.parametrize("op", [
    bits.bit_set("b", 0, 8, 1, b"x", policy=5), bits.bit_lscan("b", 0, 8, 1),
    bits.bit_get_int("b", 0, 8, 1), bits.bit_add("b", 0, 8, 1, 5, 0),
    hlls.hll_add("h", ["a"], 8, policy=5)], ids=lambda op: str(op["op"]))
def test_numbers_are_no_policies_and_no_bools(strict, key, op):
    strict.put(key, {"b": b"\x00\x01"})
    with pytest.raises(ex.ParamError):
        strict.operate(key, [op])


def test_a_map_policy_of_none(strict, key):
    strict.operate(key, [maps.map_set_policy("m", None)])
    assert strict.get(key)[2] == {"m": {}}
    with pytest.raises(ex.ParamError):
        strict.operate(key, [{"op": official.OP_MAP_SET_POLICY, "bin": "m"}])


def test_errors_have_their_official_names(strict, key):
    from aerospike_py.official import exception

    strict.put(key, {"a": 1})
    with pytest.raises(exception.BinIncompatibleType) as e:
        strict.append(key, "a", "x")
    assert type(e.value) is exception.BinIncompatibleType
    assert isinstance(e.value, ex.BinTypeError)
    assert type(e.value).__name__ == "BinIncompatibleType"
    with pytest.raises(exception.IndexError) as e:
        strict.query("test", key[1]).where(predicates.equals("nobody", 1)).results()
    assert type(e.value) is exception.IndexNotFound
    assert isinstance(e.value, ex.IndexNotFound) and e.value.code == 201


def test_a_closed_client_raises_the_official_class(make_strict, key):
    from aerospike_py.official import exception

    client = make_strict()
    query = client.query("test", "set")
    client.close()
    for call in (lambda: client.get(key), lambda: client.query("test"), query.results):
        with pytest.raises(exception.ClusterError, match="No connection to aerospike") as e:
            call()
        assert type(e.value) is exception.ClusterError and e.value.code == 11


@pytest.mark.local_only
def test_a_timeout_has_its_official_name(strict, server, key):
    from aerospike_py.official import exception

    server.fault("delay", ms=2000, classes="read", times=1)
    with pytest.raises(exception.TimeoutError) as e:
        strict.get(key, {"total_timeout": 50, "max_retries": 0})
    assert type(e.value).__name__ == "TimeoutError" and e.value.code == 9


# ---- batches ----


def test_rows_know_their_digest(strict, new_key):
    keys = [new_key(), new_key()]
    strict.put(keys[0], {"a": 1})
    for records in (strict.batch_read(keys), strict.batch_operate(keys, [ops.read("a")]),
                    strict.batch_apply(keys, "module", "function", []),
                    strict.batch_remove(keys)):
        for key, row in zip(keys, records.batch_records, strict=True):
            assert row.key == (*key, official.calc_digest(*key))
            assert type(row.key) is tuple and type(row.key[3]) is bytearray


def test_a_rows_policy_is_refused_with_its_kind(strict, key):
    for row, kind in ((br.Read(key, None, True, policy=5), "Read"), (br.Remove(key, 5), "Remove"),
                      (br.Write(key, [ops.write("a", 1)], policy=5), "Write"),
                      (br.Apply(key, "m", "f", [], 5), "Apply")):
        with pytest.raises(ex.ParamError) as e:
            strict.batch_write(br.BatchRecords([row]))
        assert e.value.msg == (f"batch_type: {kind}, failed to convert policy -> "
                               f"policy must be a dict")


def test_what_is_wrong_with_a_row(strict, key):
    for row in (br.Write(key, [{}]), br.Read(key, [{}])):
        with pytest.raises(ex.ParamError) as e:
            strict.batch_write(br.BatchRecords([row]))
        assert e.value.msg == 'Operation must contain an "op" entry'
    for row in (br.Write(key, []), br.Read(key, []), br.Read(key, [], True), br.Read(key, 5)):
        with pytest.raises(ex.ParamError, match="ops must be a list"):
            strict.batch_write(br.BatchRecords([row]))
    for args in (None, 5, (1,)):
        with pytest.raises(ex.ParamError, match="args must be a list of arguments"):
            strict.batch_write(br.BatchRecords([br.Apply(key, "m", "f", args)]))
        with pytest.raises(ex.ParamError, match="args must be a list of arguments"):
            strict.batch_apply([key], "m", "f", args)


# ---- queries ----


def test_operations_of_a_query_are_looked_at_at_once(strict, set_name):
    for wrong in ([1], [{}], [{"op": 999}], [ops.write("a", (1,))]):
        for one in (strict.query("test", set_name), strict.scan("test", set_name)):
            with pytest.raises(ex.ParamError, match="Failed to convert ops"):
                one.add_ops(wrong)
    query = strict.query("test", set_name)
    assert query.add_ops([ops.write("a", 1)]) is query


def test_who_may_select_twice(strict, key):
    strict.put(key, {"a": 1, "b": 2, "c": 3})
    scan = strict.scan("test", key[1])
    scan.select("a")
    scan.select("b")
    assert {"a": 1} in [record[2] for record in scan.results()]
    query = strict.query("test", key[1]).select("a")
    with pytest.raises(ex.ClientError, match="cannot be called more than once"):
        query.select("b")


def test_options_of_a_scan(strict, set_name):
    with pytest.raises(ex.ParamError, match="Invalid value for scan options"):
        strict.scan("test", set_name).foreach(print, None, {"percent": 100})
    strict.scan("test", set_name).foreach(print, None, {"concurrent": True, "nobins": True})
    # A query does not know them, and does not mind.
    strict.query("test", set_name).foreach(print, None, {"percent": 100})


@pytest.mark.parametrize("wrong", [5, {"begin": -1}, {"begin": 0, "count": 0}, {"begin": "x"},
                                   {"begin": 4095, "count": 2}, {"partition_status": 5},
                                   {"partition_status": {"done": "x", "retry": True}}], ids=repr)
def test_wrong_partitions_of_a_scan_are_all(strict, new_key, set_name, wrong):
    keys = [new_key(i, set_name) for i in range(4)]
    for key in keys:
        strict.put(key, {"a": 1})
    policy = {"partition_filter": wrong}
    assert len(strict.scan("test", set_name).results(policy)) == len(keys)
    with pytest.raises(ex.ParamError):
        strict.query("test", set_name).results(policy)


def test_predicates_without_an_index(strict, set_name):
    with pytest.raises(ex.IndexNotFound):
        strict.query("test", set_name).where(predicates.equals("nobody", 1)).results()


# ---- metrics ----


def test_a_cluster_without_an_application_says_so(strict):
    from aerospike_py.helpers.metrics import MetricsListeners, MetricsPolicy

    seen = []
    strict.enable_metrics(MetricsPolicy(MetricsListeners(
        lambda: None, seen.append, seen.append, seen.append)))
    strict.disable_metrics()
    assert seen[-1].app_id == "not-set"


def test_a_listener_that_raises(strict):
    from aerospike_py.helpers.metrics import MetricsListeners, MetricsPolicy

    def bad(*args):
        raise ValueError("boo")

    def good(*args):
        pass

    with pytest.raises(ex.ClientError, match="enable_listener threw a ValueError") as e:
        strict.enable_metrics(MetricsPolicy(MetricsListeners(bad, good, good, good)))
    assert e.value.code == -1
    strict.disable_metrics()


# ---- roles ----


@pytest.mark.needs_enterprise
def test_a_role_of_no_privileges_lists_none(strict):
    with pytest.raises(ex.ParamError, match="Privileges should be a list"):
        strict.admin_create_role("role", None)
