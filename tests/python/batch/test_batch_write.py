"""Writes of many records at once."""

from __future__ import annotations

import pytest

import aerospike_py as aerospike
from aerospike_py.exception import BinNameError, ParamError
from aerospike_py.helpers.batch import records as br
from aerospike_py.helpers.expressions import Eq, IntBin
from aerospike_py.helpers.operations import operations as op


def codes(result):
    return [row.result for row in result.batch_records]


# ---- records of bins ----


def test_records_are_written(client, new_key):
    keys = [new_key(), new_key()]
    done = client.batch_write([(keys[0], {"a": 1, "b": [1, {"x": 2}]}), (keys[1], {"a": "x"})])
    assert codes(done) == [0, 0] and done.result == 0
    assert done.batch_records[0].key[:3] == keys[0]
    assert done.batch_records[0].record.bins == {"a": None, "b": None}
    assert client.get(keys[0]).bins == {"a": 1, "b": [1, {"x": 2}]}
    assert client.get(keys[1]).bins == {"a": "x"}
    assert done.retry == (1, 1, False, 0)


@pytest.mark.needs_ttl
def test_meta_of_a_record_outranks_the_policy(client, new_key):
    keys = [new_key(), new_key()]
    client.batch_write([(keys[0], {"a": 1}), (keys[1], {"a": 1}, {"ttl": 500})],
                       {"ttl": 1000})
    assert 990 <= client.exists(keys[0]).meta.ttl <= 1000
    assert 490 <= client.exists(keys[1]).meta.ttl <= 500


def test_a_generation_is_that_of_its_record(client, new_key):
    keys = [new_key(), new_key()]
    for key in keys:
        client.put(key, {"a": 1})
    done = client.batch_write([(keys[0], {"a": 2}, {"gen": 1}), (keys[1], {"a": 2}, {"gen": 7})])
    assert codes(done) == [0, 3] and done.result == -16
    assert client.get(keys[1]).bins == {"a": 1}


def test_create_only(client, new_key):
    keys = [new_key(), new_key()]
    client.put(keys[0], {"a": 1})
    policy = {"exists": aerospike.POLICY_EXISTS_CREATE_ONLY}
    assert codes(client.batch_write([(key, {"a": 2}) for key in keys], policy)) == [5, 0]


def test_none_removes_a_bin(client, key):
    client.put(key, {"a": 1, "b": 2})
    client.batch_write([(key, {"a": None})])
    assert client.get(key).bins == {"b": 2}


@pytest.mark.parametrize(("records", "kind", "text"), [
    ([5], TypeError, "record 0 must be a tuple"),
    ([(("test", "s", 1), {}), (1,)], ValueError, "record 1 must have at least 2 elements"),
    ([(("test", "s", 1), [])], TypeError, "record 0: bins must be a dict"),
    ([(("test", "s", 1), {"a": 1}, 5)], TypeError, "meta element must be a dict"),
    ([(("test", "s", 1), {"a": object()})], ParamError, "record 0: "),
    ([(("x",), {"a": 1})], ParamError, "key 0: "),
    (5, TypeError, "records must be a list"),
])
def test_what_is_wrong_is_named(client, records, kind, text):
    with pytest.raises(kind, match=text):
        client.batch_write(records)


@pytest.mark.local_only
def test_what_fits_no_message_is_not_sent(client, new_key):
    keys = [new_key() for _ in range(135)]
    with pytest.raises(ParamError, match="128 MiB"):
        client.batch_write([(key, {"a": bytes([i]) * 10**6}) for i, key in enumerate(keys)])
    assert client.batch_read(keys).found_count() == 0


def test_a_long_bin_name(client, key):
    with pytest.raises(BinNameError, match="record 0: "):
        client.batch_write([(key, {"b" * 16: 1})])


@pytest.mark.parametrize("retry", [-1, 1.5, "x"])
def test_retry_is_a_number(client, key, retry):
    with pytest.raises(ParamError, match="retry"):
        client.batch_write([(key, {"a": 1})], None, retry)


@pytest.mark.local_only
def test_rows_that_failed_for_the_moment_are_sent_again(client, server, new_key):
    keys = [new_key() for _ in range(4)]
    server.fault("code", code=14, times=2)
    done = client.batch_write([(key, {"a": 1}) for key in keys], retry=3)
    assert codes(done) == [0] * 4
    assert done.retry.max_attempts == 4 and done.retry.attempts > 1
    assert done.retry.unresolved == 0


# ---- rows that each do what they say ----


def test_mixed_rows(face, new_key):
    keys = [new_key() for _ in range(3)]
    face.put(keys[1], {"a": 5})
    face.put(keys[2], {"a": 5})
    batch = br.BatchRecords([
        br.Write(keys[0], [op.write("new", 10), op.read("new")]),
        br.Read(keys[1], None, read_all_bins=True),
        br.Read(keys[1], [op.read("a")]),
        br.Remove(keys[2]),
        br.Read(("test", "keys", "nobody"), [op.read("a")]),
    ])
    assert face.batch_write(batch) is batch
    assert batch.result == 0
    assert [row.result for row in batch.batch_records] == [0, 0, 0, 0, 2]
    assert [row.record and row.record[2] for row in batch.batch_records] == [
        {"new": 10}, {"a": 5}, {"a": 5}, {}, None]
    assert batch.batch_records[0].record[0][:3] == keys[0]
    assert face.exists(keys[2])[1] is None


def test_the_strict_face_takes_no_argument_of_an_earlier_call(strict, key):
    with pytest.raises(ParamError, match="policy"):
        strict.batch_read([key], None, "no policy")
    batch = strict.batch_write(br.BatchRecords([br.Write(key, [op.write("a", 1)])]))
    assert codes(batch) == [0]


def test_rows_are_filled_anew(client, key):
    batch = br.BatchRecords([br.Read(key, None, read_all_bins=True)])
    client.batch_write(batch)
    assert batch.batch_records[0].result == 2
    client.put(key, {"a": 1})
    client.batch_write(batch)
    assert batch.batch_records[0].result == 0 and batch.batch_records[0].record[2] == {"a": 1}


def test_a_read_of_nothing_asks_for_existence(client, key):
    client.put(key, {"a": 1})
    batch = client.batch_write(br.BatchRecords([br.Read(key, None)]))
    assert batch.batch_records[0].result == 0
    assert batch.batch_records[0].record[2] == {}


def test_a_filter_of_each_kind_of_row(face, new_key):
    never = {"expressions": Eq(IntBin("a"), 99).compile()}
    keys = [new_key() for _ in range(3)]
    for key in keys:
        face.put(key, {"a": 1})
    batch = br.BatchRecords([
        br.Read(keys[0], None, read_all_bins=True, policy=never),
        br.Write(keys[1], [op.write("a", 2)], policy=never),
        br.Remove(keys[2], policy=never),
    ])
    assert [row.result for row in face.batch_write(batch).batch_records] == [27, 27, 27]
    assert batch.result == 0


@pytest.mark.needs_ttl
def test_meta_and_policy_of_a_row(face, new_key):
    keys = [new_key(), new_key()]
    face.batch_write(br.BatchRecords([
        br.Write(keys[0], [op.write("a", 1)], meta={"ttl": 500}),
        br.Write(keys[1], [op.write("a", 1)], policy={"ttl": 700}),
    ]))
    assert 490 <= face.exists(keys[0])[1]["ttl"] <= 500
    assert 690 <= face.exists(keys[1])[1]["ttl"] <= 700


def test_an_instance_has_rows_of_its_own():
    one, two = br.BatchRecords(), br.BatchRecords()
    one.batch_records.append(br.Read(("test", "s", 1), None))
    assert two.batch_records == []


@pytest.mark.parametrize(("policy", "text"), [
    ("bad policy", "policy must be a dict"),
    ({"read_touch_ttl_percent": "fail"}, "read_touch_ttl_percent is invalid")])
def test_policies_of_batch_and_row_are_checked(face, key, policy, text):
    with pytest.raises(ParamError, match=text):
        face.batch_write(br.BatchRecords([br.Read(key, None)]), policy)
    with pytest.raises(ParamError, match=text):
        face.batch_write(br.BatchRecords([br.Read(key, None, policy=policy)]))


@pytest.mark.needs_ttl
def test_policies_of_a_client_hold_for_its_batches(make_client, new_key):
    own = make_client(policies={"batch_write": {"ttl": 700}, "batch_remove": {"generation": 9,
                                                                             "gen": 1}})
    keys = [new_key(), new_key()]
    own.batch_write(br.BatchRecords([br.Write(keys[0], [op.write("a", 1)]),
                                     br.Write(keys[1], [op.write("a", 1)], meta={"ttl": 500})]))
    assert 690 <= own.exists(keys[0]).meta.ttl <= 700
    assert 490 <= own.exists(keys[1]).meta.ttl <= 500
    assert codes(own.batch_remove(keys)) == [3, 3]


class Odd(br.BatchRecord):
    """Neither of the four."""


@pytest.mark.parametrize(("batch", "text"), [
    (5, "BatchRecords"),
    (br.BatchRecords("rows"), "must be a list"),
    (br.BatchRecords(["row"]), r"batch_records\[0\] is no Read"),
    (br.BatchRecords([Odd(("test", "s", 1))]), r"batch_records\[0\] is no Read"),
    (br.BatchRecords([br.Read("key", None)]), "key must be a tuple"),
    (br.BatchRecords([br.Write(("test", "s", 1), [])]), "ops must be a list of at least one"),
    (br.BatchRecords([br.Write(("test", "s", 1), [5])]), "Operation must be a dict"),
    (br.BatchRecords([br.Read(("test", "s", 1), "ops")]), "ops must be a list or None"),
    (br.BatchRecords([br.Read(("test", "s", 1), None, policy=5)]), "policy"),
])
def test_rows_that_are_wrong(face, batch, text):
    with pytest.raises(ParamError, match=text):
        face.batch_write(batch)


# ---- operate, remove ----


def test_operations_on_all(face, new_key):
    keys = [new_key() for _ in range(3)]
    done = face.batch_operate(keys, [op.increment("n", 2), op.read("n")])
    assert codes(done) == [0] * 3
    assert [row.record[2] for row in done.batch_records] == [{"n": 2}] * 3
    done = face.batch_operate([*keys, ("test", "keys", "nobody")], [op.read("n")])
    assert codes(done) == [0, 0, 0, 2]


@pytest.mark.needs_ttl
def test_operations_with_a_time_to_live(face, key):
    face.batch_operate([key], [op.write("a", 1)], None, None, 300)
    assert 290 <= face.exists(key)[1]["ttl"] <= 300


@pytest.mark.parametrize("args", [
    (["key"], [op.read("a")]), ([("test", "s", 1)], {}), ([("test", "s", 1)], [5]),
    ([("test", "s", 1)], []), ([("test", "s", 1)], [op.read("a")], []),
    ([("test", "s", 1)], [op.read("a")], None, []),
    ([("test", "s", 1)], [op.write("a", 1)], None, None, "ttl"),
])
def test_operations_that_are_wrong(face, args):
    with pytest.raises(ParamError):
        face.batch_operate(*args)


def test_removal(face, new_key):
    keys = [new_key() for _ in range(3)]
    face.put(keys[0], {"a": 1})
    face.put(keys[1], {"a": 1})
    done = face.batch_remove(keys)
    assert codes(done) == [0, 0, 2]
    assert done.batch_records[0].record[2] == {}
    assert [face.exists(key)[1] for key in keys] == [None] * 3


def test_removal_of_a_generation(client, new_key):
    keys = [new_key(), new_key()]
    for key in keys:
        client.put(key, {"a": 1})
    assert codes(client.batch_remove([keys[0], (keys[1], {"gen": 9})])) == [0, 3]


@pytest.mark.parametrize("policy", [{"generation": 0.3}, {"generation": 65536},
                                    {"generation": -1}, 5])
def test_removal_with_a_wrong_policy(client, key, policy):
    with pytest.raises(ParamError):
        client.batch_remove([key], None, policy)


def test_removal_with_a_wrong_policy_on_the_strict_face(strict, key):
    for policy in ({"generation": 0.3}, 5):
        with pytest.raises(ParamError):
            strict.batch_remove([key], None, policy)
    # Numbers wrap there, as in C.
    assert strict.batch_remove([key], None, {"generation": 65536}).batch_records[0].result == 2


# ---- functions ----


def test_an_unknown_function_is_the_rows_failure(face, key):
    done = face.batch_apply([key], "no_such_module", "nothing", [])
    assert codes(done) == [100]
    assert done.batch_records[0].record is None


@pytest.fixture
def module(client, tmp_path):
    path = tmp_path / "batch_write_test.lua"
    path.write_text("""
        function echo(rec, value) return value end
        function fail(rec) error("went wrong") end
        function mark(rec, value) rec["v"] = value
            if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end end
        """)
    client.udf_put(str(path))
    yield "batch_write_test"
    client.udf_remove("batch_write_test.lua")


def test_what_a_function_gives_is_the_rows_record(client, strict, module, new_key):
    keys = [new_key(), new_key()]
    for face in (client, strict):
        done = face.batch_apply(keys, module, "echo", [{"a": [1, "x"]}])
        assert codes(done) == [0, 0]
        assert [row.record[2] for row in done.batch_records] == [{"SUCCESS": {"a": [1, "x"]}}] * 2
        assert codes(face.batch_apply(keys, module, "fail", [])) == [100, 100]
        assert codes(face.batch_apply(keys[:1], module, "unknown", [])) == [100]


def test_functions_stand_among_other_rows(client, strict, module, new_key):
    never = {"expressions": Eq(IntBin("a"), 99).compile()}
    for face in (client, strict):
        keys = [new_key() for _ in range(4)]
        face.put(keys[1], {"a": 1})
        batch = face.batch_write(br.BatchRecords([
            br.Apply(keys[0], module, "mark", [7]),
            br.Apply(keys[1], module, "mark", [8], policy=never),
            br.Apply(keys[2], "no_such_module", "f", []),
            br.Apply(keys[3], module, "fail", []),
            br.Read(keys[1], None, read_all_bins=True),
            br.Write(keys[3], [op.write("a", 5), op.read("a")]),
        ]))
        assert codes(batch) == [0, 27, 100, 100, 0, 0]
        assert [row.record and row.record[2] for row in batch.batch_records[1:]] == [
            None, None, None, {"a": 1}, {"a": 5}]
        assert face.get(keys[0])[2] == {"v": 7}
        assert [row.in_doubt for row in batch.batch_records] == [False] * 6


@pytest.mark.parametrize("args", [("m", "f", [], "p"), ("m", "f", [], None, "p")])
def test_policies_of_functions_are_checked(face, key, args):
    with pytest.raises(ParamError, match="policy must be a dict"):
        face.batch_apply([key], *args)


def test_many_operations_keep_their_order(face, new_key):
    keys = [new_key() for _ in range(900)]
    face.batch_operate(keys, [op.write("n", 1)])
    numbers = list(range(900))
    face.batch_write(br.BatchRecords([br.Write(keys[n], [op.write("n", n)]) for n in numbers]))
    done = face.batch_operate(list(reversed(keys)), [op.read("n")])
    assert [row.record[2]["n"] for row in done.batch_records] == numbers[::-1]


@pytest.mark.parametrize("args", [(5, "f", []), ("m", 5, []), ("m", "f", 5)])
def test_functions_that_are_wrong(face, key, args):
    with pytest.raises(ParamError):
        face.batch_apply([key], *args)


def test_a_retry_that_is_no_number_of_times(client, key):
    with pytest.raises(TypeError, match="retry"):
        client.batch_write([(key, {"a": 1})], retry="x")
    for bad in (-1, 2**70):
        with pytest.raises(OverflowError, match="retry"):
            client.batch_write([(key, {"a": 1})], retry=bad)


def test_a_request_that_is_refused_whole_is_told_by_its_rows(server, client, new_key):
    keys = [new_key() for _ in range(3)]
    server.fault("code", code=18, classes="batch", times=2)
    written = client.batch_write([(key, {"a": 1}) for key in keys])
    assert [row.result for row in written.batch_records] == [18] * 3
    assert not any(row.in_doubt for row in written.batch_records)
    found = client.batch_read(keys)
    assert [row.result for row in found.batch_records] == [18] * 3
    assert found.to_dict() == {}
