"""What users of the official client count on in lists, maps, bits, sketches and expressions: errors
by class, for arguments that are refused here and for what the server refuses."""

from __future__ import annotations

from typing import Any

import pytest

from aerospike_py import exception as e, official as aerospike
from aerospike_py.helpers import cdt_ctx, expressions as x
from aerospike_py.helpers.operations import (
    bitwise_operations as bits,
    expression_operations,
    hll_operations as hll,
    list_operations as lists,
    map_operations as maps,
)

VALUE = aerospike.LIST_RETURN_VALUE
MAP_VALUE = aerospike.MAP_RETURN_VALUE
UNIQUE = {"write_flags": aerospike.LIST_WRITE_ADD_UNIQUE}
CREATE, UPDATE = {"flags": 1}, {"flags": 2}
BITS_CREATE = {"bit_write_flags": aerospike.BIT_WRITE_CREATE_ONLY}
BITS_UPDATE = {"bit_write_flags": aerospike.BIT_WRITE_UPDATE_ONLY}
FIVE = b"\x01\x02\x03\x04\x05"
MAP_CREATE = {"map_write_flags": aerospike.MAP_WRITE_FLAGS_CREATE_ONLY}
MAP_UPDATE = {"map_write_flags": aerospike.MAP_WRITE_FLAGS_UPDATE_ONLY}
NESTED = [cdt_ctx.cdt_ctx_map_key("in")]


@pytest.fixture
def run(strict: Any, key: Any) -> Any:
    """One operation on a record that has one bin of each kind."""
    strict.put(key, {"l": [5, 1, 4], "m": {"a": 1, "in": {"x": [1, 2]}}, "b": FIVE, "n": 1})
    for name, more in (("h", {}), ("mh", {"mh_bit_count": 8})):
        strict.operate(key, [hll.hll_add(name, ["a", "b"], index_bit_count=8, **more)])

    def one(op: Any) -> Any:
        return strict.operate(key, [op])[2].get(op["bin"])

    return one


def refused(make: Any, run: Any) -> None:
    with pytest.raises(e.ParamError):
        run(make())


BAD_INT = ("zero", "None", 1.5, "cat")
REFUSED: dict[str, Any] = {
    **{f"list index {bad!r}": lambda bad=bad: lists.list_get_by_index("l", bad, VALUE)
       for bad in BAD_INT},
    **{f"list rank {bad!r}": lambda bad=bad: lists.list_get_by_rank("l", bad, VALUE)
       for bad in BAD_INT},
    **{f"list count {bad!r}": lambda bad=bad: lists.list_get_by_index_range("l", 0, VALUE, bad)
       for bad in BAD_INT},
    **{f"list return type {bad!r}": lambda bad=bad: lists.list_get_by_index("l", 0, bad)
       for bad in (*BAD_INT, None)},
    "list create order": lambda: lists.list_create("q", "string", False, False),
    "list create pad": lambda: lists.list_create("q", 0, 1, False),
    "list create persist": lambda: lists.list_create("q", 0, False, 1),
    "list policy": lambda: lists.list_append("l", 1, "policy"),
    "list policy order": lambda: lists.list_append("l", 1, {"list_order": "x"}),
    "list policy flags": lambda: lists.list_append("l", 1, {"write_flags": "x"}),
    "list items": lambda: lists.list_append_items("l", 5),
    "list order": lambda: lists.list_set_order("l", "bad"),
    "list sort": lambda: lists.list_sort("l", "bad"),
    "map persist": lambda: maps.map_put("m", "k", 1, {"persist_index": 1}),
    "map flags": lambda: maps.map_put("m", "k", 1, {"map_write_flags": "x"}),
    "map policy": lambda: maps.map_set_policy("m", "bad_policy"),
    **{f"map offset {bad!r}": lambda bad=bad: maps.map_get_by_key_index_range_relative(
        "m", "a", bad, MAP_VALUE) for bad in ("zero", 1.5)},
    **{f"map count {bad!r}": lambda bad=bad: maps.map_get_by_value_rank_range_relative(
        "m", 1, 0, MAP_VALUE, bad) for bad in ("None", 1.5)},
    "context of a str": lambda: lists.list_size("m", ctx=[cdt_ctx.cdt_ctx_list_index("cat")]),
    "bit offset": lambda: bits.bit_get("b", 1.5, 8),
    "bit size": lambda: bits.bit_count("b", 0, 3.5),
    "bit bytes": lambda: bits.bit_set("b", 0, 8, 1, 5),
    "bit shift": lambda: bits.bit_lshift("b", 0, 8, 2.7),
    "hll bits": lambda: hll.hll_init("h2", "bits"),
    "hll policy": lambda: hll.hll_add("h", ["a"], policy="policy"),
    "exp flags": lambda: expression_operations.expression_read("v", x.Val(1).compile(), "x"),
    "exp not compiled": lambda: expression_operations.expression_read("v", x.Val(1)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_here(run: Any, name: str) -> None:
    refused(REFUSED[name], run)


ANSWERED: dict[str, tuple[type[Exception], Any]] = {
    "a list item twice": (e.ElementExistsError, lists.list_append("l", 5, UNIQUE)),
    "a missing context": (e.OpNotApplicable, lists.list_size(
        "m", ctx=[cdt_ctx.cdt_ctx_map_key("none")])),
    "a scalar as a list": (e.BinIncompatibleType, lists.list_size("n")),
    "create beyond the end": (e.OpNotApplicable, lists.list_append(
        "l", 1, ctx=[cdt_ctx.cdt_ctx_list_index_create(9, 0, False)])),
    "map key exists": (e.AerospikeError, maps.map_put("m", "a", 2, MAP_CREATE)),
    "map key missing": (e.ElementNotFoundError, maps.map_put("m", "z", 2, MAP_UPDATE)),
    "map key missing inside": (e.ElementNotFoundError, maps.map_put(
        "m", "z", 2, MAP_UPDATE, NESTED)),
    "increment of no number": (e.InvalidRequest, maps.map_increment("m", "in", 1)),
    **{f"bit_{name} without a bin": (e.BinNotFound, op) for name, op in {
        "remove": bits.bit_remove("q", 0, 1), "set": bits.bit_set("q", 0, 8, 1, b"x"),
        "and": bits.bit_and("q", 0, 8, 1, b"x"), "or": bits.bit_or("q", 0, 8, 1, b"x"),
        "xor": bits.bit_xor("q", 0, 8, 1, b"x"), "not": bits.bit_not("q", 0, 8),
        "lshift": bits.bit_lshift("q", 0, 8, 1), "rshift": bits.bit_rshift("q", 0, 8, 1),
        "add": bits.bit_add("q", 0, 8, 1, False, 0),
        "subtract": bits.bit_subtract("q", 0, 8, 1, False, 0)}.items()},
    **{f"bit_{name} beyond the end": (e.OpNotApplicable, op) for name, op in {
        "set": bits.bit_set("b", 41, 8, 1, b"x"), "count": bits.bit_count("b", 41, 8),
        "add": bits.bit_add("b", 41, 8, 1, False, 0), "and": bits.bit_and("b", 41, 8, 1, b"x"),
        "subtract": bits.bit_subtract("b", 41, 8, 1, False, 0),
        "or": bits.bit_or("b", 41, 8, 1, b"x"), "xor": bits.bit_xor("b", 41, 8, 1, b"x"),
        "not": bits.bit_not("b", 41, 8), "get": bits.bit_get("b", 41, 8),
        "get_int": bits.bit_get_int("b", 41, 8, False), "lscan": bits.bit_lscan("b", 41, 8, True),
        "rscan": bits.bit_rscan("b", 41, 8, True), "lshift": bits.bit_lshift("b", 41, 8, 1),
        "rshift": bits.bit_rshift("b", 41, 8, 1)}.items()},
    **{f"bit_{name} of too few bytes": (e.InvalidRequest, op) for name, op in {
        "set": bits.bit_set("b", 0, 16, 1, b"x"), "and": bits.bit_and("b", 0, 16, 1, b"x"),
        "or": bits.bit_or("b", 0, 16, 1, b"x"), "xor": bits.bit_xor("b", 0, 16, 1, b"x")}.items()},
    "bit_remove beyond the end": (e.InvalidRequest, bits.bit_remove("b", 6, 1)),
    "bit_add that overflows": (e.OpNotApplicable, bits.bit_add("b", 0, 8, 255, False, 0)),
    "bit_resize creates": (e.BinExistsError, bits.bit_resize("b", 9, BITS_CREATE)),
    "bit_resize updates": (e.BinNotFound, bits.bit_resize("q", 9, BITS_UPDATE)),
    "bit_resize grows": (e.InvalidRequest, bits.bit_resize(
        "b", 2, resize_flags=aerospike.BIT_RESIZE_GROW_ONLY)),
    "bit_resize shrinks": (e.InvalidRequest, bits.bit_resize(
        "b", 9, resize_flags=aerospike.BIT_RESIZE_SHRINK_ONLY)),
    "hll_add updates": (e.InvalidRequest, hll.hll_add("q", ["a"], 8, policy=UPDATE)),
    "hll_add creates": (e.BinExistsError, hll.hll_add("h", ["a"], 8, policy=CREATE)),
    **{f"hll_init of {n}": (e.InvalidRequest, hll.hll_init("q", n)) for n in (0, 3, 20)},
    "hll_init updates": (e.BinNotFound, hll.hll_init("q", 8, policy=UPDATE)),
    "hll_init creates": (e.BinExistsError, hll.hll_init("h", 8, policy=CREATE)),
    "hll_add without bits": (e.OpNotApplicable, hll.hll_add("q", ["a"])),
    "hll_fold to 2": (e.InvalidRequest, hll.hll_fold("h", 2)),
    "hll_fold with minhash": (e.OpNotApplicable, hll.hll_fold("mh", 4)),
    "hll_refresh_count": (e.BinNotFound, hll.hll_refresh_count("q")),
    "hll_get_union of none": (e.InvalidRequest, hll.hll_get_union("h", [])),
    "hll_get_union_count of none": (e.InvalidRequest, hll.hll_get_union_count("h", [])),
    "reading the unknown": (e.OpNotApplicable, expression_operations.expression_read(
        "v", x.Unknown().compile())),
    "hll of bad bits inside": (e.OpNotApplicable, expression_operations.expression_read(
        "v", x.HLLInit(None, 3, None, x.HLLBin("h")).compile())),
    "int and float": (e.InvalidRequest, expression_operations.expression_read(
        "v", x.Add(x.IntBin("n"), 1.5).compile())),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_refused_by_the_server(run: Any, name: str) -> None:
    error, op = ANSWERED[name]
    with pytest.raises(error) as caught:
        run(op)
    assert caught.value.code > 0


OUTCOMES: dict[str, tuple[Any, Any]] = {
    "bit_add wraps": (bits.bit_add("b", 0, 8, 255, False, aerospike.BIT_OVERFLOW_WRAP), None),
    "bit_add saturates": (bits.bit_add("b", 0, 8, 255, False, aerospike.BIT_OVERFLOW_SATURATE),
                          None),
    "signed": (bits.bit_get_int("b", 0, 8, True), 1),
    "lscan finds none": (bits.bit_lscan("b", 0, 7, True), -1),
    "none": (lists.list_get_by_index("l", 0, aerospike.LIST_RETURN_NONE), None),
    "count": (lists.list_get_by_value("l", 5, aerospike.LIST_RETURN_COUNT), 1),
    "one value in a list": (lists.list_get_by_value("l", 5, VALUE), [5]),
    "to the end": (lists.list_get_by_index_range("l", 1, VALUE), [1, 4]),
    "all but": (lists.list_get_by_index_range("l", 1, VALUE, inverted=True), [5]),
    "open end": (lists.list_get_by_value_range("l", VALUE, None, 5), [1, 4]),
    "pairs": (maps.map_get_by_key("m", "a", aerospike.MAP_RETURN_KEY_VALUE), ["a", 1]),
    "dict": (maps.map_get_by_key_list("m", ["a"], aerospike.MAP_RETURN_UNORDERED_MAP), {"a": 1}),
    "describe": (hll.hll_describe("mh"), [8, 8]),
    "describe of none": (hll.hll_describe("q"), None),
    "count of none": (hll.hll_get_count("q"), None),
    "quiet": (maps.map_put("m", "z", 2, {"map_write_flags": 2 | 4}), 2),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes(run: Any, name: str) -> None:
    op, want = OUTCOMES[name]
    assert run(op) == want


def test_markers_and_ordered_maps_match(strict: Any, key: Any) -> None:
    held = aerospike.KeyOrderedDict({"a": 1})
    strict.put(key, {"l": [[1, "x"], [1, "y"], [2, "z"], held], "m": {"p": 1, "q": 9}})
    ones = lists.list_get_by_value("l", [1, aerospike.CDTWildcard()], VALUE)
    assert strict.operate(key, [ones])[2]["l"] == [[1, "x"], [1, "y"]]
    assert strict.operate(key, [lists.list_get_by_value("l", held, VALUE)])[2]["l"] == [held]
    rest = maps.map_get_by_value_range("m", 2, aerospike.CDTInfinite(), MAP_VALUE)
    assert strict.operate(key, [rest])[2]["m"] == [9]
    strict.operate(key, [lists.list_remove_by_value("l", held, aerospike.LIST_RETURN_NONE)])
    assert len(strict.get(key)[2]["l"]) == 3
