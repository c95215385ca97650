"""Operations on lists, on both clients."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import exception as e, list_operations as main_ops
from aerospike_py.helpers.operations import list_operations as ops, operations

VALUE, COUNT, NONE, EXISTS = (aero.LIST_RETURN_VALUE, aero.LIST_RETURN_COUNT,
                              aero.LIST_RETURN_NONE, aero.LIST_RETURN_EXISTS)
INDEX, REVERSE_INDEX = aero.LIST_RETURN_INDEX, aero.LIST_RETURN_REVERSE_INDEX
RANK, REVERSE_RANK = aero.LIST_RETURN_RANK, aero.LIST_RETURN_REVERSE_RANK
ITEMS = [5, 1, 4, 2, 3]


@pytest.fixture
def items(client: Any, key: Any) -> Any:
    """A record with a list; `run` gives what one operation answers."""
    client.put(key, {"l": list(ITEMS), "n": 1})

    def run(*made: dict[str, Any]) -> Any:
        return client.operate(key, list(made))[2].get("l")

    return run


BY = {
    "index": (ops.list_get_by_index, ops.list_remove_by_index, (2,)),
    "index_range": (ops.list_get_by_index_range, ops.list_remove_by_index_range, (2,)),
    "rank": (ops.list_get_by_rank, ops.list_remove_by_rank, (3,)),
    "rank_range": (ops.list_get_by_rank_range, ops.list_remove_by_rank_range, (3,)),
    "value": (ops.list_get_by_value, ops.list_remove_by_value, (4,)),
    "value_list": (ops.list_get_by_value_list, ops.list_remove_by_value_list, ([4, 5, 9],)),
    "relative": (ops.list_get_by_value_rank_range_relative,
                 ops.list_remove_by_value_rank_range_relative, (3, 1)),
}
#: What each selects, by return type; the single ones answer a single value.
ANSWERS = {
    "index": {VALUE: 4, INDEX: 2, REVERSE_INDEX: 2, RANK: 3, REVERSE_RANK: 1, COUNT: 1,
              EXISTS: True},
    "index_range": {VALUE: [4, 2, 3], INDEX: [2, 3, 4], REVERSE_INDEX: [0, 1, 2], COUNT: 3},
    "rank": {VALUE: 4, INDEX: 2, RANK: 3, REVERSE_RANK: 1, COUNT: 1},
    "rank_range": {VALUE: [4, 5], RANK: [3, 4], REVERSE_RANK: [0, 1], COUNT: 2, EXISTS: True},
    "value": {VALUE: [4], INDEX: [2], RANK: [3], COUNT: 1, EXISTS: True},
    "value_list": {VALUE: [5, 4], INDEX: [0, 2], COUNT: 2, EXISTS: True},
    "relative": {VALUE: [4, 5], COUNT: 2},
}
CASES = [(how, kind) for how, row in ANSWERS.items() for kind in row]


@pytest.mark.parametrize(("how", "kind"), CASES)
def test_every_selection_in_every_form(items: Any, how: str, kind: int) -> None:
    get, _, args = BY[how]
    found = items(get("l", args[0], kind, *([args[1]] if how == "relative" else []))
                  if how != "relative" else get("l", args[0], args[1], kind))
    want = ANSWERS[how][kind]
    if isinstance(want, list) and isinstance(found, list) and "rank" in how + "relative":
        assert sorted(found) == sorted(want)
    else:
        assert found == want


@pytest.mark.parametrize("how", BY)
def test_removing_gives_what_getting_gives(client: Any, key: Any, how: str) -> None:
    get, remove, args = BY[how]
    client.put(key, {"l": list(ITEMS)})
    got = client.operate(key, [get("l", *args, VALUE)])[2]["l"]
    assert client.operate(key, [remove("l", *args, VALUE)])[2]["l"] == got
    gone = got if isinstance(got, list) else [got]
    assert client.get(key)[2]["l"] == [v for v in ITEMS if v not in gone]


@pytest.mark.parametrize("how", ["index_range", "rank_range", "value", "value_list", "relative"])
def test_inverted_is_the_complement(items: Any, how: str) -> None:
    get, _, args = BY[how]
    chosen = items(get("l", *args, VALUE))
    rest = items(get("l", *args, VALUE, inverted=True))
    assert sorted(chosen + rest) == sorted(ITEMS)


def test_a_missing_count_means_to_the_end(items: Any) -> None:
    assert items(ops.list_get_by_index_range("l", 1, VALUE)) == [1, 4, 2, 3]
    assert items(ops.list_get_by_index_range("l", 1, VALUE, count=2)) == [1, 4]


def test_none_leaves_the_bin_out(client: Any, key: Any) -> None:
    client.put(key, {"l": [1, 2]})
    assert client.operate(key, [ops.list_get_by_value("l", 1, NONE)])[2] == {}
    assert client.operate(key, [ops.list_get_by_value("l", 1, COUNT)])[2] == {"l": 1}


def test_value_ranges_are_open_where_nothing_is_given(items: Any) -> None:
    get = ops.list_get_by_value_range
    assert items(get("l", VALUE, 2, 4)) == [2, 3]
    assert items(get("l", VALUE, None, 3)) == [1, 2]
    assert items(get("l", VALUE, 4, None)) == [5, 4]
    assert sorted(items(get("l", VALUE, None, None))) == [1, 2, 3, 4, 5]


def test_wildcards_and_infinity_match_inside_lists(client: Any, key: Any) -> None:
    client.put(key, {"l": [[1, "a"], [2, "b"], [2, "c", 3], [4]]})

    def get(op: dict[str, Any]) -> Any:
        return client.operate(key, [op])[2]["l"]

    assert get(ops.list_get_by_value("l", [2, aero.CDTWildcard()], VALUE)) == [
        [2, "b"], [2, "c", 3]]
    assert get(ops.list_get_by_value_range("l", VALUE, [2], [2, aero.CDTInfinite()])) == [
        [2, "b"], [2, "c", 3]]


def test_ordered_maps_in_lists_are_found_by_value(client: Any, key: Any) -> None:
    held = aero.KeyOrderedDict({"b": 1, "a": 2})
    client.put(key, {"l": [held, 5]})
    for sought in (held, {"a": 2, "b": 1}):
        assert client.operate(key, [ops.list_get_by_value("l", sought, COUNT)])[2]["l"] == 1
    assert client.operate(key, [ops.list_remove_by_value("l", held, COUNT)])[2]["l"] == 1


def test_order_and_sorting(client: Any, key: Any) -> None:
    client.put(key, {"l": [3, 1, 3, 2]})
    client.operate(key, [ops.list_sort("l", aero.LIST_SORT_DROP_DUPLICATES)])
    assert client.get(key)[2]["l"] == [1, 2, 3]
    client.put(key, {"l": [3, 1, 2]})
    client.operate(key, [ops.list_set_order("l", aero.LIST_ORDERED), ops.list_append("l", 0)])
    assert client.get(key)[2]["l"] == [0, 1, 2, 3]


def test_write_flags(client: Any, key: Any) -> None:
    client.put(key, {"l": [1, 2]})
    unique = {"write_flags": aero.LIST_WRITE_ADD_UNIQUE}
    with pytest.raises(e.ElementExistsError) as caught:
        client.operate(key, [ops.list_append("l", 2, unique)])
    assert caught.value.code == 24
    quiet = {"write_flags": aero.LIST_WRITE_ADD_UNIQUE | aero.LIST_WRITE_NO_FAIL}
    assert client.operate(key, [ops.list_append("l", 2, quiet)])[2]["l"] == 2
    partial = {"write_flags": quiet["write_flags"] | aero.LIST_WRITE_PARTIAL}
    assert client.operate(key, [ops.list_append_items("l", [2, 3], partial)])[2]["l"] == 3
    bounded = {"write_flags": aero.LIST_WRITE_INSERT_BOUNDED}
    with pytest.raises(e.OpNotApplicable):
        client.operate(key, [ops.list_insert("l", 9, 0, bounded)])
    assert client.get(key)[2]["l"] == [1, 2, 3]


@pytest.mark.parametrize("policy", [{"list_order": None, "write_flags": None}, {}, None])
def test_policies_may_be_empty(client: Any, key: Any, policy: Any) -> None:
    assert client.operate(key, [ops.list_append("l", 1, policy)])[2]["l"] == 1


@pytest.mark.parametrize(("policy", "named"), [
    (5, "list_policy"), ([], "list_policy"), ({"list_order": "x"}, "list_order"),
    ({"write_flags": 1.5}, "write_flags"),
])
def test_bad_policies_are_named(client: Any, key: Any, policy: Any, named: str) -> None:
    with pytest.raises(e.ParamError, match=f"operation 1, LIST_APPEND: {named}"):
        client.operate(key, [operations.read("l"), {**ops.list_append("l", 1),
                                                    "list_policy": policy}])


@pytest.mark.parametrize("bad", ["zero", "None", 1.5, "cat"])
def test_indexes_must_be_integers(client: Any, key: Any, bad: Any) -> None:
    for op in (ops.list_get_by_index("l", bad, VALUE), ops.list_get_by_rank("l", bad, VALUE),
               ops.list_get_by_index_range("l", 0, VALUE, count=bad), ops.list_pop("l", bad)):
        with pytest.raises(e.ParamError, match="must be an integer") as caught:
            client.operate(key, [op])
        assert isinstance(caught.value, TypeError) and caught.value.code == -2


@pytest.mark.parametrize("kind", [None, "x", 1.5])
def test_return_types_must_be_integers(client: Any, key: Any, kind: Any) -> None:
    with pytest.raises(e.ParamError, match="Return type must be an integer"):
        client.operate(key, [ops.list_get_by_value("l", 1, kind)])
    op = ops.list_get_by_value("l", 1, VALUE)
    del op["return_type"]
    with pytest.raises(e.ParamError, match="Return type should be given"):
        client.operate(key, [op])


@pytest.mark.parametrize("args", [
    {"list_order": "string"}, {"pad": 1}, {"persist_index": 1}])
def test_list_create_takes_real_bools(client: Any, key: Any, args: dict[str, Any]) -> None:
    with pytest.raises(e.ParamError):
        client.operate(key, [ops.list_create("l", **{
            "list_order": 0, "pad": False, "persist_index": False, **args})])


def test_list_create(client: Any, key: Any) -> None:
    client.operate(key, [ops.list_create("l", aero.LIST_ORDERED, False, True)])
    client.operate(key, [ops.list_append_items("l", [3, 1, 2])])
    assert client.get(key)[2]["l"] == [1, 2, 3]


def test_a_nil_item_is_answered_by_nothing(client: Any, key: Any) -> None:
    """Lists answer nil by leaving the bin out, reading and writing alike."""
    client.put(key, {"l": [None, None, 1]})
    for op in (ops.list_get("l", 0), ops.list_pop("l", 0)):
        found = client.operate_ordered(key, [op, operations.read("l")])[2]
        assert [value for _, value in found] == [client.get(key)[2]["l"]]


def test_the_main_face_in_its_order(client: Any, key: Any) -> None:
    client.put(key, {"l": [4, 2, 9]})
    run = [main_ops.list_append("l", 7), main_ops.list_insert("l", 0, 1),
           main_ops.list_get_by_value_range("l", 2, 8, VALUE), main_ops.list_set("l", 1, 5),
           main_ops.list_size("l")]
    found = [value for _, value in client.operate_ordered(key, run)[2]]
    assert found == [4, 5, [4, 2, 7], 5]
    assert client.get(key)[2]["l"] == [1, 5, 2, 9, 7]


def test_errors_leave_the_record_as_it_was(client: Any, key: Any) -> None:
    client.put(key, {"l": [1], "s": "text"})
    for op, code in ((ops.list_pop("l", 5), 26), (ops.list_append("s", 1), 12),
                     (ops.list_size("s"), 12), (ops.list_insert("l", -3, 0), 26),
                     (ops.list_get_by_index("l", 0, 6), 26)):
        with pytest.raises(e.AerospikeError) as caught:
            client.operate(key, [ops.list_append("l", 2), op])
        assert caught.value.code == code
    assert client.get(key)[2] == {"l": [1], "s": "text"}
