"""Reads of many records at once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import aerospike_py as aerospike
from aerospike_py.exception import NamespaceNotFound, ParamError


@pytest.fixture
def keys(client, new_key):
    """Three keys, of which the last has no record."""
    made = [new_key() for _ in range(3)]
    client.put(made[0], {"age": 1, "score": 1.5, "name": "a"})
    client.put(made[1], {"age": 2})
    return made


def test_all_bins_by_user_key(client, keys):
    found = client.batch_read(keys)
    assert found.to_dict() == {keys[0][2]: {"age": 1, "score": 1.5, "name": "a"},
                               keys[1][2]: {"age": 2}}
    assert found.result == 0


def test_some_bins(client, keys):
    assert client.batch_read(keys, ["score"]).to_list() == [{"score": 1.5}, {}, None]
    assert client.batch_read(keys, ("age",)).to_list() == [{"age": 1}, {"age": 2}, None]


def test_no_bins_asks_for_existence_alone(client, keys):
    assert client.batch_read(keys, []).to_list() == [{}, {}, None]


def test_records_in_the_order_of_the_keys(client, keys):
    rows = client.batch_read(keys).batch_records
    assert [row.key[:3] for row in rows] == keys
    assert [row.result for row in rows] == [0, 0, 2]
    assert rows[0].record.meta == {"gen": 1, "ttl": rows[0].record.meta.ttl}
    assert rows[0].record.bins["score"] == 1.5
    assert rows[0].record.key == rows[0].key
    assert rows[2].record is None and rows[2].message == "record not found"
    assert [row.in_doubt for row in rows] == [False] * 3


def test_it_reads_like_a_dict_but_is_none(client, keys):
    found = client.batch_read(keys)
    assert isinstance(found, Mapping) and not isinstance(found, dict)
    assert len(found) == found.found_count() == 2 and found
    assert list(found) == [keys[0][2], keys[1][2]]
    assert found[keys[1][2]] == {"age": 2}
    assert keys[2][2] not in found
    assert found.get(keys[2][2], 5) == 5 and found.get(keys[2][2]) is None
    with pytest.raises(KeyError):
        found[keys[2][2]]
    assert found == found.to_dict() and found != {}
    assert found.all_user_keys() == [key[2] for key in keys]
    assert dict(found.items()) == dict(zip(found.keys(), found.values(), strict=True))


def test_a_dict_is_the_callers_own(client, keys):
    found = client.batch_read(keys)
    found.to_dict().clear()
    assert len(found.to_dict()) == 2
    assert found[keys[0][2]] is found[keys[0][2]]
    kept = found[keys[0][2]]
    found.release_cache()
    assert found[keys[0][2]] == kept and found[keys[0][2]] is not kept


def test_records_one_at_a_time(client, keys):
    found = client.batch_read(keys)
    assert [row.result for row in found.iter_records()] == [0, 0, 2]
    iterator = found.iter_records()
    del found
    assert next(iterator).result == 0


def test_several_results_as_dicts(client, keys):
    found = client.batch_read(keys)
    merged = type(found).merge_to_dict([found, client.batch_read([])])
    assert merged == [found.to_dict(), {}]
    with pytest.raises(TypeError, match="item 0 of handles"):
        type(found).merge_to_dict([{}])


def test_equal_keys_have_a_row_each(client, keys):
    found = client.batch_read([keys[0], keys[0]])
    assert len(found) == 2 and len(found.to_dict()) == 1 and len(found.to_list()) == 2


def test_a_key_of_a_digest_alone(client, keys):
    digest = client.get(keys[0]).key.digest
    found = client.batch_read([("test", "keys", None, digest)])
    assert found.found_count() == 1 and found.to_dict() == {}
    assert found.all_user_keys() == [None]
    assert found.batch_records[0].record.bins["age"] == 1


def test_no_keys(client):
    found = client.batch_read([])
    assert not found and found.to_dict() == {} and found.batch_records == []


def test_many_keys_keep_their_order(client, new_key):
    keys = [new_key() for _ in range(900)]
    client.batch_write([(key, {"n": i}) for i, key in enumerate(keys)])
    rows = client.batch_read(list(reversed(keys))).to_list()
    assert [row["n"] for row in rows] == list(reversed(range(900)))


def test_nodes_side_by_side(kind, make_client, cluster):
    client = make_client(hosts=cluster.hosts)
    keys = [("test", "batch", i) for i in range(300)]
    client.batch_write([(key, {"n": i}) for i, key in enumerate(keys)])
    assert client.batch_read(keys).to_dict() == {i: {"n": i} for i in range(300)}
    assert client.batch_read(keys, policy={"concurrency": 0}).found_count() == 300


def test_a_filter_gives_code_27_to_its_rows(client, keys):
    policy = {"filter_expression": aerospike.exp.eq(aerospike.exp.int_bin("age"),
                                                    aerospike.exp.int_val(2))}
    rows = client.batch_read(keys, policy=policy).batch_records
    assert [row.result for row in rows] == [27, 0, 2]


def test_an_unknown_namespace_fails_its_row_alone(client, keys):
    rows = client.batch_read([("nowhere", "x", 1), keys[0]]).batch_records
    assert [row.result for row in rows] == [20, 0]
    with pytest.raises(NamespaceNotFound):
        client.batch_read([("nowhere", "x", 1)])


@pytest.mark.parametrize(("args", "text"), [
    (("key",), "keys should be a list of aerospike key tuples"),
    (([("test", "s", 1), ("x",)],), "key 1: "),
    (([("test", "s", 1), 5],), "key 1: "),
    (([], "age"), "Bins argument should be a list"),
    (([], [5]), "Bin name should be a string"),
    (([], None, []), "policy"),
])
def test_what_is_wrong_is_named(client, args, text):
    with pytest.raises(ParamError, match=text):
        client.batch_read(*args)


def test_a_bad_key_of_a_thousand_is_named(client):
    keys = [("test", "s", i) for i in range(1000)]
    keys[617] = ("test", "s", 1.5)
    with pytest.raises(ParamError, match="key 617: "):
        client.batch_read(keys)


def test_older_forms(client, keys):
    records = client.get_many(keys)
    assert [record[2] and record[2]["age"] for record in records] == [1, 2, None]
    assert records[2][1] is None
    assert [meta is not None for _, meta in client.exists_many(keys)] == [True, True, False]
    assert client.select_many(keys, ["name"])[0][2] == {"name": "a"}
    reads = [{"op": aerospike.OPERATOR_READ, "bin": "age", "val": None}]
    assert [record[2] for record in client.batch_get_ops(keys, reads)] == [
        {"age": 1}, {"age": 2}, None]


# ---- the strict face ----


def test_strict_records(strict, new_key):
    keys = [new_key(), new_key()]
    strict.put(keys[0], {"a": 1})
    found = strict.batch_read(keys)
    assert found.result == 0
    first, second = found.batch_records
    assert first.key == first.record[0] and first.record[0][:3] == keys[0]
    assert type(first.record[1]) is dict and first.record[2] == {"a": 1}
    assert second.record is None and second.result == 2 and second.in_doubt is False
    assert len(strict.batch_read(keys[:1], []).batch_records[0].record) == 2


@pytest.mark.parametrize(("args", "text"), [
    (("key",), "keys should be a list of aerospike key tuples"),
    (([("x",)],), "failed to convert key at index: 0"),
    (([], "a"), "Bins argument should be a list."),
    (([], [1]), "Bin name should be a string or unicode string."),
    (([("test", "s", 1)], None, {"read_touch_ttl_percent": "fail"}),
     "read_touch_ttl_percent is invalid"),
])
def test_strict_errors(strict, args, text):
    with pytest.raises(aerospike.official.exception.ParamError, match=text):
        strict.batch_read(*args)
