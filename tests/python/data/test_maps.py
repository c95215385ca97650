"""Operations on maps, on both clients."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import exception as e, map_operations as main_ops
from aerospike_py.helpers.operations import map_operations as ops, operations

KEY, VALUE, KEY_VALUE = (aero.MAP_RETURN_KEY, aero.MAP_RETURN_VALUE, aero.MAP_RETURN_KEY_VALUE)
COUNT, NONE, EXISTS = aero.MAP_RETURN_COUNT, aero.MAP_RETURN_NONE, aero.MAP_RETURN_EXISTS
INDEX, RANK = aero.MAP_RETURN_INDEX, aero.MAP_RETURN_RANK
ORDERED, UNORDERED = aero.MAP_RETURN_ORDERED_MAP, aero.MAP_RETURN_UNORDERED_MAP
ENTRIES = {"a": 5, "b": 1, "c": 4, "d": 2}


@pytest.fixture
def ask(client: Any, key: Any) -> Any:
    client.put(key, {"m": dict(ENTRIES)})
    return lambda *made: client.operate(key, list(made))[2].get("m")


SELECTIONS: dict[str, tuple[Any, Any, tuple[Any, ...], list[str]]] = {
    "key": (ops.map_get_by_key, ops.map_remove_by_key, ("b",), ["b"]),
    "key_list": (ops.map_get_by_key_list, ops.map_remove_by_key_list, (["d", "a"],), ["a", "d"]),
    "key_range": (ops.map_get_by_key_range, ops.map_remove_by_key_range, ("b", "d"), ["b", "c"]),
    "value": (ops.map_get_by_value, ops.map_remove_by_value, (4,), ["c"]),
    "value_list": (ops.map_get_by_value_list, ops.map_remove_by_value_list, ([1, 5],),
                   ["a", "b"]),
    "value_range": (ops.map_get_by_value_range, ops.map_remove_by_value_range, (2, 5),
                    ["c", "d"]),
    "index": (ops.map_get_by_index, ops.map_remove_by_index, (-1,), ["d"]),
    "index_range": (ops.map_get_by_index_range, ops.map_remove_by_index_range, (1, 2),
                    ["b", "c"]),
    "rank": (ops.map_get_by_rank, ops.map_remove_by_rank, (0,), ["b"]),
    "rank_range": (ops.map_get_by_rank_range, ops.map_remove_by_rank_range, (0, 2), ["b", "d"]),
    "value_relative": (ops.map_get_by_value_rank_range_relative,
                       ops.map_remove_by_value_rank_range_relative, (3, 0), ["c", "a"]),
    "key_relative": (ops.map_get_by_key_index_range_relative,
                     ops.map_remove_by_key_index_range_relative, ("b", 1), ["c", "d"]),
}
SINGLE = ("key", "index", "rank")


@pytest.mark.parametrize("how", SELECTIONS)
def test_every_selection_in_every_form(ask: Any, how: str) -> None:
    get, _, args, keys = SELECTIONS[how]
    one = how in SINGLE
    values = [ENTRIES[k] for k in keys]
    pairs = [(k, ENTRIES[k]) for k in keys]
    assert ask(get("m", *args, KEY)) == (keys[0] if one else keys)
    assert ask(get("m", *args, VALUE)) == (values[0] if one else values)
    assert ask(get("m", *args, KEY_VALUE)) == pairs
    assert ask(get("m", *args, COUNT)) == len(keys)
    assert ask(get("m", *args, EXISTS)) is True
    assert ask(get("m", *args, NONE)) is None
    for kind, cls in ((UNORDERED, dict), (ORDERED, aero.KeyOrderedDict)):
        found = ask(get("m", *args, kind))
        assert type(found) is cls and found == dict(pairs)
    index = ["abcd".index(k) for k in keys]
    found = ask(get("m", *args, INDEX))
    assert found == index[0] if one else sorted(found) == sorted(index)


@pytest.mark.parametrize("how", SELECTIONS)
def test_removing_gives_what_getting_gives(client: Any, key: Any, how: str) -> None:
    get, remove, args, keys = SELECTIONS[how]
    client.put(key, {"m": dict(ENTRIES)})
    got = client.operate(key, [get("m", *args, KEY_VALUE)])[2]["m"]
    assert client.operate(key, [remove("m", *args, KEY_VALUE)])[2]["m"] == got
    assert client.get(key)[2]["m"] == {k: v for k, v in ENTRIES.items() if k not in keys}


@pytest.mark.parametrize("how", [h for h in SELECTIONS if h not in SINGLE])
def test_inverted_is_the_complement(client: Any, key: Any, how: str) -> None:
    get, remove, args, keys = SELECTIONS[how]
    client.put(key, {"m": dict(ENTRIES)})
    rest = sorted(set(ENTRIES) - set(keys))
    assert sorted(client.operate(key, [get("m", *args, KEY, inverted=True)])[2]["m"]) == rest
    client.operate(key, [remove("m", *args, NONE, inverted=True)])
    assert sorted(client.get(key)[2]["m"]) == sorted(keys)


def test_key_value_is_flat_on_the_strict_face(strict: Any, key: Any) -> None:
    strict.put(key, {"m": {"name": "bubba"}})
    op = ops.map_get_by_key("m", "name", KEY_VALUE)
    assert strict.operate(key, [op])[2]["m"] == ["name", "bubba"]


def test_numbers_and_sizes(ask: Any) -> None:
    assert ask(ops.map_increment("m", "b", 10)) == 11
    assert ask(ops.map_decrement("m", "b", 1)) == 10
    assert ask(ops.map_size("m")) == 4
    assert ask(ops.map_clear("m"), ops.map_size("m")) == 0


def test_map_increment_of_no_number(client: Any, key: Any) -> None:
    client.put(key, {"m": {"a": "text"}})
    with pytest.raises(e.InvalidRequest):
        client.operate(key, [ops.map_increment("m", "a", 1)])


def test_write_flags(client: Any, key: Any) -> None:
    client.put(key, {"m": {"a": 1}})

    def put(k: str, *flags: int) -> Any:
        policy = {"map_write_flags": sum(flags)}
        return client.operate(key, [ops.map_put("m", k, 9, policy)])[2]["m"]

    with pytest.raises(e.ElementExistsError) as caught:
        put("a", aero.MAP_WRITE_FLAGS_CREATE_ONLY)
    assert caught.value.code == 24
    with pytest.raises(e.ElementNotFoundError):
        put("z", aero.MAP_WRITE_FLAGS_UPDATE_ONLY)
    assert put("z", aero.MAP_WRITE_FLAGS_UPDATE_ONLY, aero.MAP_WRITE_FLAGS_NO_FAIL) == 1
    assert client.get(key)[2]["m"] == {"a": 1}


def test_partial_writes_the_allowed_items(client: Any, key: Any) -> None:
    create = aero.MAP_WRITE_FLAGS_CREATE_ONLY | aero.MAP_WRITE_FLAGS_NO_FAIL
    for flags, left in ((create, {"a": 1}),
                        (create | aero.MAP_WRITE_FLAGS_PARTIAL, {"a": 1, "b": 2})):
        client.put(key, {"m": {"a": 1}})
        client.operate(key, [ops.map_put_items("m", {"a": 9, "b": 2},
                                               {"map_write_flags": flags})])
        assert client.get(key)[2]["m"] == left


@pytest.mark.parametrize("order", [aero.MAP_UNORDERED, aero.MAP_KEY_ORDERED,
                                   aero.MAP_KEY_VALUE_ORDERED])
def test_orders(client: Any, key: Any, order: int) -> None:
    client.put(key, {"m": {"b": 1}})
    client.operate(key, [ops.map_set_policy("m", {"map_order": order}),
                         ops.map_put("m", "a", 2)])
    found = client.get(key)[2]["m"]
    assert list(found.items()) == [("a", 2), ("b", 1)]
    assert (type(found) is aero.KeyOrderedDict) == (order == aero.MAP_KEY_ORDERED)


@pytest.mark.parametrize(("op", "named"), [
    (lambda: ops.map_put("m", "a", 1, {"persist_index": 1}), "persist_index must be a bool"),
    (lambda: ops.map_put("m", "a", 1, {"map_write_flags": "x"}), "map_write_flags"),
    (lambda: ops.map_set_policy("m", "bad_policy"), "map_policy"),
    (lambda: ops.map_get_by_value_rank_range_relative("m", 1, "zero", KEY), "rank"),
    (lambda: ops.map_get_by_value_rank_range_relative("m", 1, 1.5, KEY), "rank"),
    (lambda: ops.map_get_by_key_index_range_relative("m", "a", 0, KEY, "None"), "count"),
    (lambda: ops.map_get_by_key_index_range_relative("m", "a", 0, KEY, 1.5), "count"),
    (lambda: ops.map_put_items("m", [1]), "val must be a dict"),
])
def test_wrong_types_are_named(client: Any, key: Any, op: Any, named: str) -> None:
    with pytest.raises(e.ParamError, match="operation 1, MAP_[A-Z_]*: ") as caught:
        client.operate(key, [operations.read("m"), op()])
    assert named in str(caught.value)


def test_keys_that_are_none(client: Any, key: Any) -> None:
    """The server takes int, str and bytes; the official client drops others in silence."""
    for bad in (1.5, True, None):
        with pytest.raises(e.ParamError):
            client.put(key, {"m": {bad: 1}})
    client.put(key, {"m": {1: "i", "s": "s", b"b": "b"}})
    assert client.get(key)[2]["m"] == {1: "i", "s": "s", b"b": "b"}


def test_ranges_to_infinity(ask: Any) -> None:
    assert ask(ops.map_get_by_key_range("m", "c", aero.CDTInfinite(), KEY)) == ["c", "d"]
    assert ask(ops.map_get_by_value_range("m", None, 3, KEY)) == ["b", "d"]
    # on the wire None is nil, the smallest value: as an end it selects nothing
    assert ask(ops.map_get_by_key_range("m", "c", None, KEY)) == []


def test_the_main_face_in_its_order(client: Any, key: Any) -> None:
    run = [main_ops.map_put("m", "a", 1), main_ops.map_put_items("m", {"b": 2, "c": 3}),
           main_ops.map_get_by_index_range("m", 0, KEY, 2),
           main_ops.map_get_by_key_range("m", "b", None, KEY), main_ops.map_size("m")]
    found = [value for _, value in client.operate_ordered(key, run)[2]]
    assert found == [1, 3, ["a", "b"], ["b", "c"], 3]


def test_mixed_operations_answer_in_order(client: Any, key: Any) -> None:
    client.put(key, {"n": 1, "m": {"a": 1}})
    run = [operations.increment("n", 2), ops.map_put("m", "b", 2), operations.read("n"),
           ops.map_get_by_key("m", "b", VALUE), operations.write("s", "x"),
           operations.read("s")]
    found = client.operate_ordered(key, run)[2]
    assert [tuple(item) for item in found if item[1] is not None] == [
        ("m", 2), ("n", 3), ("m", 2), ("s", "x")]
    assert client.operate(key, run)[2] == {"n": 5, "m": 2, "s": "x"}
