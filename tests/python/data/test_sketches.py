"""HyperLogLog sketches, on both clients."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import exception as e, hll_operations as main_ops
from aerospike_py.helpers import expressions as exps
from aerospike_py.helpers.operations import (
    expression_operations,
    hll_operations as ops,
    map_operations,
)

CREATE, UPDATE = {"flags": aero.HLL_WRITE_CREATE_ONLY}, {"flags": aero.HLL_WRITE_UPDATE_ONLY}


@pytest.fixture
def run(client: Any, key: Any) -> Any:
    client.put(key, {"other": 1})
    return lambda *made: client.operate(key, list(made))[2].get("h")


def test_members_are_counted(run: Any, client: Any, key: Any) -> None:
    members = [f"member {i}" for i in range(50)]
    assert run(ops.hll_add("h", members, 12)) == 50
    assert run(ops.hll_add("h", members)) == 0
    assert abs(run(ops.hll_get_count("h")) - 50) <= 2
    assert run(ops.hll_describe("h")) == [12, 0]
    assert run(ops.hll_refresh_count("h")) == run(ops.hll_get_count("h"))
    sketch = client.get(key)[2]["h"]
    assert type(sketch) is aero.HyperLogLog and isinstance(sketch, bytes)
    assert repr(sketch).startswith("HyperLogLog(b'")
    assert pickle.loads(pickle.dumps(sketch)) == sketch


def test_sketches_come_back_as_arguments_and_bins(run: Any, client: Any, key: Any) -> None:
    run(ops.hll_add("h", list("abcdef"), 8))
    sketch = client.get(key)[2]["h"]
    client.put(key, {"copy": sketch, "m": {"k": sketch}})
    assert client.get(key)[2]["copy"] == sketch
    assert type(client.get(key)[2]["m"]["k"]) is aero.HyperLogLog
    assert run(ops.hll_get_union_count("h", [sketch])) == 6
    assert type(run(ops.hll_get_union("h", [sketch]))) is aero.HyperLogLog
    assert run(ops.hll_get_intersect_count("h", [sketch])) == 6
    assert run(ops.hll_get_similarity("h", [sketch])) == 1.0
    in_map = map_operations.map_get_by_key("m", "k", aero.MAP_RETURN_VALUE)
    assert client.operate(key, [in_map])[2]["m"] == sketch
    same = exps.Eq(exps.HLLGetCount(exps.HLLBin("h")), exps.HLLGetUnionCount([sketch], "h"))
    read = expression_operations.expression_read("same", same.compile())
    assert client.operate(key, [read])[2]["same"] is True


@pytest.mark.parametrize("bits", [0, 3, 20])
def test_index_bits_have_a_range(run: Any, bits: int) -> None:
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_init("h", bits))


def test_flags(run: Any) -> None:
    with pytest.raises(e.BinNotFound):
        run(ops.hll_init("h", 4, None, UPDATE))
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_add("h", ["a"], 4, None, UPDATE))
    with pytest.raises(e.OpNotApplicable):
        run(ops.hll_add("h", ["a"]))
    run(ops.hll_init("h", 4))
    with pytest.raises(e.BinExistsError):
        run(ops.hll_init("h", 4, None, CREATE))
    with pytest.raises(e.BinExistsError):
        run(ops.hll_add("h", ["a"], 4, None, CREATE))
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_get_union("h", []))
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_get_union_count("h", []))


def test_folding(run: Any) -> None:
    run(ops.hll_add("h", list("abc"), 8))
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_fold("h", 2))
    run(ops.hll_fold("h", 6))
    assert run(ops.hll_describe("h")) == [6, 0]
    with pytest.raises(e.BinNotFound):
        run(ops.hll_refresh_count("none"))
    assert run(ops.hll_describe("none")) is None
    run(ops.hll_init("h", 8, 10))
    with pytest.raises(e.OpNotApplicable):
        run(ops.hll_fold("h", 6))


def test_unions_across_sizes(run: Any, client: Any, key: Any) -> None:
    client.operate(key, [ops.hll_add("small", list("ab"), 6)])
    small = client.get(key)[2]["small"]
    run(ops.hll_add("h", list("cd"), 10))
    with pytest.raises(e.OpNotApplicable):
        run(ops.hll_set_union("h", [small]))
    with pytest.raises(e.BinExistsError):
        run(ops.hll_set_union("h", [small], CREATE))
    with pytest.raises(e.BinNotFound):
        run(ops.hll_set_union("none", [small], UPDATE))
    run(ops.hll_set_union("h", [small], {"flags": aero.HLL_WRITE_ALLOW_FOLD}))
    assert run(ops.hll_describe("h")) == [6, 0]
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_get_intersect_count("h", [small] * 4))
    with pytest.raises(e.InvalidRequest):
        run(ops.hll_get_similarity("h", [small] * 4))


@pytest.mark.parametrize("op", [
    lambda: ops.hll_init("h", "bits"), lambda: ops.hll_init("h", 4, None, "policy"),
    lambda: ops.hll_add("h", "no list", 4), lambda: ops.hll_fold("h", 1.5),
])
def test_wrong_types(run: Any, op: Any) -> None:
    with pytest.raises(e.ParamError, match="operation 0, HLL_"):
        run(op())


def test_the_main_face_in_its_order(run: Any) -> None:
    run(main_ops.hll_init("h", 8), main_ops.hll_add("h", [1, 2, 3]))
    assert run(main_ops.hll_get_count("h")) == 3
