"""What queries and scans without an index read, in every way there is."""

from __future__ import annotations

import itertools

import pytest
from queries import error_of, numbers

import aerospike_py
from aerospike_py import bit_operations, exp, list_operations, map_operations
from aerospike_py.exception import (
    BinNameError,
    ClientError,
    InvalidRequest,
    NamespaceNotFound,
    NotConnected,
    ParamError,
    RecordNotFound,
)
from aerospike_py.helpers.expressions import arithmetic, base
from aerospike_py.helpers.operations import expression_operations, operations as op
from aerospike_py.types import AerospikeKey, Record


def test_every_way_reads_each_record_once(client, people, set_name, make, read):
    records = read(make(client, "test", set_name))
    assert {r.bins["n"]: r.bins for r in records} == people
    assert len(records) == len(people)


def test_a_query_is_a_loop_of_its_own(client, people, set_name, make):
    query = make(client, "test", set_name)
    assert sorted(numbers(list(query))) == sorted(numbers(list(query))) == sorted(people)


def test_records_have_keys_and_metadata(client, people, set_name):
    record = client.query("test", set_name).results()[0]
    key = ("test", set_name, record.bins["n"])
    assert isinstance(record, Record)
    assert isinstance(record.key, AerospikeKey)
    assert record.key.namespace == "test"
    assert record.key.set_name == set_name
    assert record.key.user_key is None
    assert bytes(record.key.digest) == bytes(aerospike_py.calc_digest(*key))
    assert record.meta.gen == 1


@pytest.mark.parametrize("user_key", ["text", 17, -1, bytearray(b"array")])
def test_a_stored_user_key_comes_back(client, set_name, make, user_key):
    client.put(("test", set_name, user_key), {"n": 1}, policy={"key": aerospike_py.POLICY_KEY_SEND})
    record = make(client, "test", set_name).results()[0]
    assert record.key.user_key == user_key
    assert client.get(record.key).bins == {"n": 1}


def test_without_a_set_all_records_are_read(client, people, set_name, make):
    records = make(client, "test").results()
    mine = [r for r in records if r.key.set_name == set_name]
    assert sorted(numbers(mine)) == sorted(people)


def test_values_of_all_types_come_back(client, set_name, read):
    bins = {"i": -(2**63), "f": 1.5, "s": "ü", "b": b"\0\xff", "t": True, "l": [1, [None, "x"]],
            "m": {"k": {1: b"2"}}, "g": aerospike_py.GeoJSON({"type": "Point",
                                                             "coordinates": [1.0, 2.0]})}
    client.put(("test", set_name, 1), bins)
    assert [r.bins for r in read(client.query("test", set_name))] == [bins]


def test_an_empty_set_has_no_records(client, set_name, make, read):
    assert read(make(client, "test", set_name)) == []


@pytest.mark.needs_ttl
def test_times_to_live_are_told(client, set_name):
    client.put(("test", set_name, 1), {"n": 1}, meta={"ttl": 500})
    client.put(("test", set_name, 2), {"n": 2}, meta={"ttl": aerospike_py.TTL_NEVER_EXPIRE})
    ttls = {r.bins["n"]: r.meta.ttl for r in client.query("test", set_name).results()}
    assert 490 <= ttls[1] <= 500
    assert ttls[2] == 0xFFFFFFFF


# ---- parts of records ----


def test_selected_bins_add_up(client, people, set_name, make, read):
    query = make(client, "test", set_name)
    assert query.select("n") is not None
    query.select("name", "unknown")
    for record in read(query):
        n = record.bins["n"]
        assert record.bins == {"n": n, "name": people[n]["name"]}


def test_records_with_none_of_the_bins_are_left_out(client, set_name, make):
    client.put(("test", set_name, 1), {"a": 1})
    client.put(("test", set_name, 2), {"b": 2})
    assert [r.bins for r in make(client, "test", set_name).select("b").results()] == [{"b": 2}]


@pytest.mark.parametrize("name", [22, None, b"n"])
def test_a_bin_name_must_be_text(client, set_name, make, name):
    assert "Bin name" in str(error_of(lambda: make(client, "test", set_name).select("a", name)))


@pytest.mark.parametrize("name", ["", "a" * 16])
def test_a_bin_name_must_have_1_to_15_bytes(client, set_name, make, name):
    with pytest.raises(BinNameError):
        make(client, "test", set_name).select(name)


def test_a_refused_select_changes_nothing(client, people, set_name):
    query = client.query("test", set_name).select("n")
    with pytest.raises(ParamError):
        query.select("name", 5)
    assert all(set(r.bins) == {"n"} for r in query.results())


def test_bins_can_be_left_away(client, people, set_name):
    query = client.query("test", set_name)
    for records in (query.results(options={"nobins": True}),
                    query.results({"include_bin_data": False})):
        assert len(records) == len(people)
        assert all(r.bins == {} for r in records)
    assert query.results(options={"nobins": False})[0].bins


def test_operations_take_the_place_of_bins(client, set_name, make, read):
    for n in range(20):
        client.put(("test", set_name, n), {"n": n, "l": [n, n + 1, n + 2]})
    query = make(client, "test", set_name)
    query.add_ops([{"op": aerospike_py.OPERATOR_READ, "bin": "n"}])
    assert sorted((r.bins for r in read(query)), key=str) == sorted(
        ({"n": n} for n in range(20)), key=str)


@pytest.mark.parametrize(("ops", "wanted"), [
    ([list_operations.list_size("l")], lambda n: {"l": 3}),
    ([list_operations.list_get_range("l", 1, 2), op.read("n")],
     lambda n: {"l": [n + 1, 9], "n": n}),
    ([map_operations.map_get_by_key("m", "a", aerospike_py.MAP_RETURN_VALUE)],
     lambda n: {"m": n}),
    ([bit_operations.bit_count("b", 0, 8)], lambda n: {"b": n.bit_count()}),
    ([expression_operations.expression_read("e", arithmetic.Add(base.IntBin("n"), 5).compile())],
     lambda n: {"e": n + 5}),
    ([list_operations.list_size("l"), list_operations.list_get("l", 0)], lambda n: {"l": n}),
])
def test_operations_of_every_family_work_in_queries(client, set_name, make, ops, wanted):
    for n in range(8):
        client.put(("test", set_name, n), {"n": n, "l": [n, n + 1, 9], "m": {"a": n, "b": [1]},
                                           "b": bytes([n, 255])})
    query = make(client, "test", set_name)
    query.add_ops(ops)
    expected = sorted((wanted(n) for n in range(8)), key=str)
    assert sorted((r.bins for r in query.results()), key=str) == expected
    paged = [r.bins for page in query.pages(3) for r in page]
    assert sorted(paged, key=str) == expected


def test_operations_stand_beside_selected_bins(client, people, set_name, make):
    query = make(client, "test", set_name).select("n")
    query.add_ops([expression_operations.expression_read(
        "twice", arithmetic.Add(base.IntBin("n"), base.IntBin("n")).compile())])
    assert sorted(r.bins["twice"] for r in query.results()) == [2 * n for n in sorted(people)]


def test_operations_that_write_are_refused(client, people, set_name, make):
    query = make(client, "test", set_name).add_ops(
        [{"op": aerospike_py.OPERATOR_INCR, "bin": "n", "val": 1}])
    assert "execute_background" in str(error_of(query.results))


@pytest.mark.parametrize("ops", [None, (), {}, "ops"])
def test_operations_must_be_a_list(client, set_name, make, ops):
    with pytest.raises(ClientError):
        make(client, "test", set_name).add_ops(ops)


def test_a_bad_operation_is_found_when_it_runs(client, set_name, make):
    query = make(client, "test", set_name).add_ops([{"op": 999, "bin": "n"}])
    with pytest.raises(ParamError, match="999"):
        query.results()
    empty = make(client, "test", set_name).add_ops([])
    with pytest.raises(ParamError, match="No operations"):
        empty.results()
    assert list_operations.list_size("n")["op"]


# ---- some records ----


def test_a_filter_leaves_records_out(client, people, set_name, make, read):
    policy = {"filter_expression": exp.lt(exp.int_bin("n"), exp.int_val(25))}
    assert sorted(numbers(read(make(client, "test", set_name), policy=policy))) == list(range(25))


def test_a_filter_the_server_refuses_says_so(client, people, set_name, make, read):
    bad = exp.eq(exp.int_bin("n"), exp.string_val("text"))
    with pytest.raises(InvalidRequest):
        read(make(client, "test", set_name), policy={"filter_expression": bad})


@pytest.mark.parametrize("bad", [5, "bad", {"n": 1}, []])
def test_a_filter_that_is_none_is_refused(client, set_name, make, bad):
    with pytest.raises(ParamError):
        make(client, "test", set_name).results({"filter_expression": bad})


@pytest.mark.parametrize("most", [1, 7, 599, 600, 601])
def test_max_records_is_exact(client, people, set_name, make, most):
    query = make(client, "test", set_name)
    assert len(query.results({"max_records": most})) == min(most, len(people))
    query.max_records = most
    assert query.max_records == most
    for records in (query.results(), list(query)):
        assert len(records) == len(set(numbers(records))) == min(most, len(people))


def test_the_policy_goes_before_the_attribute(client, people, set_name):
    query = client.query("test", set_name)
    query.max_records = 5
    assert len(query.results({"max_records": 9})) == 9


def test_records_per_second_slows_down(client, people, set_name):
    import time

    query = client.query("test", set_name)
    query.records_per_second = 2000
    began = time.monotonic()
    assert len(query.results()) == len(people)
    assert time.monotonic() - began > 0.15


@pytest.mark.parametrize("name", ["max_records", "records_per_second", "ttl"])
def test_attributes_are_checked(client, set_name, make, name):
    query = make(client, "test", set_name)
    assert getattr(query, name) == 0
    for bad in ("5", 1.5, None):
        with pytest.raises(TypeError):
            setattr(query, name, bad)
    for bad in (-1, 2**64):
        with pytest.raises(OverflowError):
            setattr(query, name, bad)
    assert getattr(query, name) == 0


# ---- callbacks ----


def test_false_stops_a_callback(client, people, set_name, make):
    seen = []

    def callback(record):
        seen.append(record)
        return None if len(seen) < 5 else False

    make(client, "test", set_name).foreach(callback)
    assert len(seen) == 5


@pytest.mark.parametrize("answer", [0, None, "", True])
def test_only_false_stops_a_callback(client, people, set_name, answer):
    count = itertools.count()
    client.query("test", set_name).foreach(lambda record: (next(count), answer)[1])
    assert next(count) == len(people)


def test_what_a_callback_raises_comes_out(client, people, set_name, make):
    def callback(record):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        make(client, "test", set_name).foreach(callback)
    with pytest.raises(TypeError):
        make(client, "test", set_name).foreach(lambda: None)
    assert len(make(client, "test", set_name).results()) == len(people)


@pytest.mark.parametrize("callback", [5, None, "callback"])
def test_a_callback_must_be_callable(client, set_name, make, callback):
    with pytest.raises(TypeError, match="callable"):
        make(client, "test", set_name).foreach(callback)


def test_a_callback_may_use_a_client(people, set_name, make, make_client, client, clients, hosts):
    writer = clients("sync", hosts)

    def callback(record):
        writer.put(("test", set_name, record.bins["n"]), {"seen": 1})

    make(client, "test", set_name).foreach(callback, policy={"max_records": 50})
    seen = {"filter_expression": exp.eq(exp.int_bin("seen"), exp.int_val(1))}
    assert len(client.query("test", set_name).results(seen)) == 50


async def test_a_coroutine_function_is_awaited(aclient, set_name):
    for n in range(30):
        await aclient.put(("test", set_name, n), {"n": n})
    seen = []

    async def callback(record):
        seen.append((await aclient.get(("test", set_name, record.bins["n"]))).bins["n"])
        return len(seen) < 20

    await aclient.query("test", set_name).foreach(callback)
    assert len(set(seen)) == 20


# ---- arguments ----


def test_bad_names_are_refused(client, make):
    for where in ((1, "demo"), ("test", 1), (None, "demo"), (None, None), (b"test",)):
        with pytest.raises(ParamError):
            make(client, *where)


def test_arguments_are_counted(client):
    for call in (client.query, client.scan):
        for args in ((), ("test", "demo", "more")):
            with pytest.raises(ParamError):
                call(*args)
        with pytest.raises(TypeError):
            call(namespace="test", unknown=1)
    assert client.query(ns="test", set="demo") is not None
    assert client.scan(namespace="test", set_name=None) is not None


def test_the_types_make_no_objects(client):
    for kind in (aerospike_py.Query, aerospike_py.AsyncQuery, aerospike_py.Scan,
                 aerospike_py.AsyncScan):
        with pytest.raises(TypeError):
            kind("test", "demo")


def test_an_unknown_namespace_is_not_found(client, make, read):
    with pytest.raises(NamespaceNotFound) as caught:
        read(make(client, "nope", "demo"))
    assert caught.value.code == 20


@pytest.mark.parametrize("policy", [5, "policy", [], ""])
def test_a_policy_must_be_a_dict(client, set_name, make, read, policy):
    with pytest.raises(ParamError, match="policy must be a dict"):
        read(make(client, "test", set_name), policy=policy)


@pytest.mark.parametrize(("key", "value"), [
    ("total_timeout", ""), ("total_timeout", 0.5), ("expected_duration", "t"),
    ("max_records", "5"), ("expected_duration", 3)])
def test_values_of_a_policy_are_checked(client, set_name, key, value):
    with pytest.raises(ParamError, match=f"{key} is invalid"):
        client.query("test", set_name).results({key: value})


@pytest.mark.parametrize("options", [5, "nobins", [], {"nobins": "False"}, {"nobins": 1}])
def test_options_are_checked(client, set_name, options):
    with pytest.raises(ParamError):
        client.query("test", set_name).results(options=options)
    with pytest.raises(ParamError):
        client.query("test", set_name).foreach(print, options=options)


@pytest.mark.parametrize("duration", [aerospike_py.QUERY_DURATION_LONG,
                                      aerospike_py.QUERY_DURATION_LONG_RELAX_AP])
def test_long_queries_take_any_duration(client, people, set_name, duration):
    query = client.query("test", set_name)
    assert len(query.results({"expected_duration": duration})) == len(people)


def test_short_queries_read_all_as_well(client, people, set_name):
    query = client.query("test", set_name)
    for policy in ({"expected_duration": aerospike_py.QUERY_DURATION_SHORT},
                   {"short_query": True}):
        assert sorted(numbers(query.results(policy))) == sorted(people)


def test_a_closed_client_reads_nothing(make_client, people, set_name):
    own = make_client()
    query = own.query("test", set_name)
    job = own.query("test", set_name).apply("module", "function")
    own.close()
    for call in (query.results, lambda: list(query), lambda: own.query("test", set_name),
                 lambda: own.scan("test", set_name),
                 job.execute_background,
                 lambda: query.foreach(print)):
        with pytest.raises(NotConnected):
            call()


def test_a_node_can_be_named(client, people, set_name):
    found = []
    for node in client.get_node_names():
        found += numbers(client.scan("test", set_name).results(nodename=node))
    assert sorted(found) == sorted(people)
    for bad, text in (("nope", "Invalid node name"), (5, "nodename must be a string")):
        with pytest.raises(ParamError, match=text):
            client.scan("test", set_name).results(nodename=bad)


def test_the_record_is_there_until_it_is_removed(client, people, set_name):
    record = client.query("test", set_name).results({"max_records": 1})[0]
    client.remove(record.key)
    with pytest.raises(RecordNotFound):
        client.get(record.key)
