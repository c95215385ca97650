"""Contexts and paths: operations on what is inside lists and maps."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import exception as e
from aerospike_py.helpers import expressions as exps
from aerospike_py.helpers.cdt_ctx import (
    cdt_ctx_all_children,
    cdt_ctx_all_children_with_filter,
    cdt_ctx_and_filter,
    cdt_ctx_list_index,
    cdt_ctx_list_index_create,
    cdt_ctx_list_rank,
    cdt_ctx_list_value,
    cdt_ctx_map_index,
    cdt_ctx_map_key,
    cdt_ctx_map_key_create,
    cdt_ctx_map_keys_in,
    cdt_ctx_map_rank,
    cdt_ctx_map_value,
)
from aerospike_py.helpers.operations import (
    list_operations as lists,
    map_operations as maps,
    operations as ops,
)

NESTED = {"list": [[1, 2], [9, [5, 6, 7]], {"k": [3]}], "n": 1}
DEEP = {"a": [1, {"x": [10, 20]}], "b": {"c": {"d": 4}}}


@pytest.fixture
def ask(client: Any, key: Any) -> Any:
    client.put(key, {"l": NESTED["list"], "m": DEEP, "n": 1})
    return lambda op: client.operate(key, [op])[2].get(op["bin"])


@pytest.mark.parametrize(("steps", "want"), [
    ([cdt_ctx_list_index(1)], 2),
    ([cdt_ctx_list_index(1), cdt_ctx_list_index(-1)], 3),
    ([cdt_ctx_list_rank(1), cdt_ctx_list_rank(1)], 3),
    ([cdt_ctx_list_value([1, 2])], 2),
    ([cdt_ctx_list_index(2), cdt_ctx_map_key("k")], 1),
])
def test_steps_into_lists(ask: Any, steps: list[Any], want: int) -> None:
    assert ask(lists.list_size("l", ctx=steps)) == want


@pytest.mark.parametrize(("steps", "want"), [
    ([cdt_ctx_map_key("b")], 1),
    ([cdt_ctx_map_index(1), cdt_ctx_map_rank(0)], 1),
    ([cdt_ctx_map_value({"c": {"d": 4}}), cdt_ctx_map_key("c")], 1),
    ([cdt_ctx_map_key("a"), cdt_ctx_list_index(1)], 1),
])
def test_steps_into_maps(ask: Any, steps: list[Any], want: int) -> None:
    assert ask(maps.map_size("m", ctx=steps)) == want


def test_changes_inside(client: Any, key: Any, ask: Any) -> None:
    ask(lists.list_append("m", 30, ctx=[cdt_ctx_map_key("a"), cdt_ctx_list_index(1),
                                        cdt_ctx_map_key("x")]))
    ask(maps.map_put("m", "e", 5, ctx=[cdt_ctx_map_key("b"), cdt_ctx_map_key("c")]))
    assert client.get(key)[2]["m"] == {"a": [1, {"x": [10, 20, 30]}],
                                       "b": {"c": {"d": 4, "e": 5}}}


@pytest.mark.parametrize("op", [
    lists.list_append("l", 1, ctx=[cdt_ctx_list_index(9)]),
    lists.list_append("m", 1, ctx=[cdt_ctx_map_key("none")]),
    maps.map_put("m", "k", 1, ctx=[cdt_ctx_list_index(0)]),
])
def test_a_step_that_leads_nowhere(ask: Any, op: dict[str, Any]) -> None:
    with pytest.raises(e.OpNotApplicable):
        ask(op)


@pytest.mark.parametrize("op", [
    lists.list_append("m", 1, ctx=[cdt_ctx_map_key("b")]),
    maps.map_put("l", "k", 1, ctx=[cdt_ctx_list_index(0)]),
    lists.list_size("n"), lists.list_append("n", 1, ctx=[cdt_ctx_list_index(0)]),
    lists.list_append("l", 1, ctx=[cdt_ctx_list_index(0), cdt_ctx_list_index(0)]),
])
def test_a_path_that_ends_at_another_type(ask: Any, op: dict[str, Any]) -> None:
    with pytest.raises((e.BinIncompatibleType, e.InvalidRequest)):
        ask(op)


def test_a_context_on_a_scalar_is_an_invalid_request(ask: Any) -> None:
    """Of the bin itself: not 12, as for the operation alone."""
    with pytest.raises(e.AerospikeError) as alone:
        ask(lists.list_append("n", 1))
    with pytest.raises(e.AerospikeError) as inside:
        ask(lists.list_append("n", 1, ctx=[cdt_ctx_list_index(0)]))
    assert (alone.value.code, inside.value.code) == (12, 4)


def test_levels_are_created(client: Any, key: Any) -> None:
    client.put(key, {"n": 1})
    path = [cdt_ctx_map_key_create("a", aero.MAP_KEY_ORDERED),
            cdt_ctx_list_index_create(0, aero.LIST_UNORDERED, False)]
    client.operate(key, [maps.map_put("m", "x", 1, ctx=path)])
    assert client.get(key)[2]["m"] == {"a": [{"x": 1}]}
    beyond = [cdt_ctx_map_key("a"), cdt_ctx_list_index_create(3, aero.LIST_UNORDERED, False)]
    with pytest.raises(e.OpNotApplicable):
        client.operate(key, [maps.map_put("m", "x", 1, ctx=beyond)])
    padded = [cdt_ctx_map_key("a"), cdt_ctx_list_index_create(3, aero.LIST_UNORDERED, True)]
    client.operate(key, [maps.map_put("m", "x", 2, ctx=padded)])
    assert client.get(key)[2]["m"] == {"a": [{"x": 1}, None, None, {"x": 2}]}


@pytest.mark.parametrize(("ctx", "named"), [
    ("bad", "ctx must be a list"), ([], "empty"), ([1], "ctx"),
    ([cdt_ctx_list_index("cat")], "index or rank must be an integer"),
    ([cdt_ctx_map_rank(1.5)], "index or rank must be an integer"),
    ([cdt_ctx_map_key("a")] * 600, "ctx is deeper than"),
])
def test_bad_contexts_are_named(client: Any, key: Any, ctx: Any, named: str) -> None:
    op = {**lists.list_size("l"), "ctx": ctx}
    with pytest.raises(e.ParamError, match=f"operation 1, LIST_SIZE: .*{named}"):
        client.operate(key, [ops.read("l"), op])


# ---- paths ----

BOOKS = {"books": [{"title": "a", "price": 8.5, "tags": {"x": 1}},
                   {"title": "b", "price": 12.0, "tags": {"y": 2, "x": 3}}], "year": 1999}
CHEAP = exps.LT(exps.MapGetByKey(None, aero.MAP_RETURN_VALUE, exps.ResultType.FLOAT, "price",
                                 exps.LoopVarMap(aero.EXP_LOOPVAR_VALUE)), 10.0).compile()


@pytest.fixture
def books(client: Any, key: Any) -> Any:
    client.put(key, {"b": BOOKS})
    return lambda op: client.operate(key, [op])[2].get("b")


def test_select_by_path(books: Any) -> None:
    every = [cdt_ctx_map_key("books"), cdt_ctx_all_children(), cdt_ctx_map_key("title")]
    cheap = [cdt_ctx_map_key("books"), cdt_ctx_all_children_with_filter(CHEAP)]
    value, tree = aero.EXP_PATH_SELECT_VALUE, aero.EXP_PATH_SELECT_MATCHING_TREE
    assert books(ops.select_by_path("b", every, value)) == ["a", "b"]
    titles = [*cheap, cdt_ctx_map_key("title")]
    assert books(ops.select_by_path("b", titles, value)) == ["a"]
    assert books(ops.select_by_path("b", cheap, tree)) == {"books": [BOOKS["books"][0]]}
    tags = [cdt_ctx_map_key("books"), cdt_ctx_all_children(), cdt_ctx_map_key("tags"),
            cdt_ctx_all_children()]
    assert books(ops.select_by_path("b", tags, aero.EXP_PATH_SELECT_MAP_KEY)) == ["x", "x", "y"]
    pairs = books(ops.select_by_path("b", tags, aero.EXP_PATH_SELECT_MAP_KEY_VALUE))
    assert pairs == ["x", 1, "x", 3, "y", 2]
    picked = [cdt_ctx_map_key("books"), cdt_ctx_list_index(1), cdt_ctx_map_key("tags"),
              cdt_ctx_map_keys_in(["y", "z"])]
    assert books(ops.select_by_path("b", picked, value)) == [2]


def test_and_filters_narrow_a_step(books: Any) -> None:
    big = exps.GT(exps.LoopVarInt(aero.EXP_LOOPVAR_VALUE), 2).compile()
    path = [cdt_ctx_map_key("books"), cdt_ctx_list_index(1), cdt_ctx_map_key("tags"),
            cdt_ctx_map_keys_in(["x", "y"]), cdt_ctx_and_filter(big)]
    assert books(ops.select_by_path("b", path, aero.EXP_PATH_SELECT_VALUE)) == [3]


def test_modify_by_path(client: Any, key: Any, books: Any) -> None:
    path = [cdt_ctx_map_key("books"), cdt_ctx_all_children(), cdt_ctx_map_key("price")]
    double = exps.Mul(exps.LoopVarFloat(aero.EXP_LOOPVAR_VALUE), 2.0).compile()
    books(ops.modify_by_path("b", path, double, aero.EXP_PATH_MODIFY_DEFAULT))
    assert [book["price"] for book in client.get(key)[2]["b"]["books"]] == [17.0, 24.0]
    gone = [cdt_ctx_map_key("books"), cdt_ctx_all_children(), cdt_ctx_map_key("tags")]
    books(ops.modify_by_path("b", gone, exps.RemoveResult().compile(),
                             aero.EXP_PATH_MODIFY_DEFAULT))
    assert all("tags" not in book for book in client.get(key)[2]["b"]["books"])


def test_filters_of_another_type(books: Any) -> None:
    """A price is no int: that fails, unless nothing may."""
    wrong = exps.GT(exps.LoopVarInt(aero.EXP_LOOPVAR_VALUE), 2).compile()
    path = [cdt_ctx_map_key("books"), cdt_ctx_all_children_with_filter(wrong)]
    with pytest.raises(e.AerospikeError):
        books(ops.select_by_path("b", path, aero.EXP_PATH_SELECT_VALUE))
    quiet = aero.EXP_PATH_SELECT_VALUE | aero.EXP_PATH_SELECT_NO_FAIL
    assert books(ops.select_by_path("b", path, quiet)) == []


@pytest.mark.parametrize("ctx", [None, []])
def test_paths_need_a_context(books: Any, ctx: Any) -> None:
    with pytest.raises(e.ParamError):
        books(ops.select_by_path("b", ctx, aero.EXP_PATH_SELECT_VALUE))


def test_filters_must_be_compiled(strict: Any, key: Any) -> None:
    strict.put(key, {"b": BOOKS})
    tree = exps.GT(exps.LoopVarInt(aero.EXP_LOOPVAR_VALUE), 2)
    path = [cdt_ctx_map_key("books"), cdt_ctx_all_children_with_filter(tree.compile())]
    path[1].extra_args = dict.fromkeys(path[1].extra_args, tree)
    with pytest.raises(e.ParamError):
        strict.operate(key, [ops.select_by_path("b", path, aero.EXP_PATH_SELECT_VALUE)])


def test_paths_as_expressions(client: Any, key: Any, books: Any) -> None:
    from aerospike_py.helpers.operations.expression_operations import expression_read
    path = [cdt_ctx_map_key("books"), cdt_ctx_all_children(), cdt_ctx_map_key("title")]
    tree = exps.SelectByPath(path, exps.ResultType.LIST, aero.EXP_PATH_SELECT_VALUE,
                             exps.MapBin("b"))
    assert client.operate(key, [expression_read("t", tree.compile())])[2]["t"] == ["a", "b"]
    price = [cdt_ctx_map_key("books"), cdt_ctx_all_children(), cdt_ctx_map_key("price")]
    change = exps.ModifyByPath(price, exps.ResultType.MAP, exps.Val(1.0).compile(),
                               aero.EXP_PATH_MODIFY_DEFAULT, exps.MapBin("b"))
    found = client.operate(key, [expression_read("t", change.compile())])[2]["t"]
    assert [book["price"] for book in found["books"]] == [1.0, 1.0]
