"""The official package's operations inside values, and its expressions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aerospike
import common
import single
from aerospike_helpers import cdt_ctx
from aerospike_helpers.batch import records as br
from aerospike_helpers.expressions import arithmetic, base, list as exp_list
from aerospike_helpers.operations import (
    bitwise_operations as bits,
    expression_operations as exps,
    hll_operations as hll,
    list_operations as lists,
    map_operations as maps,
    operations as ops,
)

SET = single.SET
K = ("test", SET, "values")


def collections(c: Any) -> Iterator[common.Call]:
    ordered = {"list_order": aerospike.LIST_ORDERED}
    by_key = {"map_order": aerospike.MAP_KEY_ORDERED}
    inner = [cdt_ctx.cdt_ctx_map_key("c"), cdt_ctx.cdt_ctx_list_index(-1)]
    value, key_value = aerospike.LIST_RETURN_VALUE, aerospike.MAP_RETURN_KEY_VALUE
    many = {
        "list append": [lists.list_append("l", 5), lists.list_append_items("l", [1, "x", 2.5])],
        "list ordered": [lists.list_append("o", v, ordered) for v in (3, 1, 2)],
        "list by rank": [lists.list_get_by_rank_range("l", -2, value),
                         lists.list_get_by_value("l", 1, aerospike.LIST_RETURN_INDEX)],
        "list remove": [lists.list_remove_by_index("l", 0, value), lists.list_size("l")],
        "list wrong index": [lists.list_get("l", 77)],
        "map put": [maps.map_put("m", k, v, by_key) for k, v in (("b", 2), ("a", 1), (7, b"x"))],
        "map increment": [maps.map_increment("m", "a", 10), maps.map_size("m")],
        "map by key": [maps.map_get_by_key_list("m", ["a", 7], key_value)],
        "map by rank": [maps.map_get_by_rank_range("m", 0, 2, key_value)],
        "map remove": [maps.map_remove_by_key("m", "b", aerospike.MAP_RETURN_VALUE)],
        "context": [ops.write("n", {"c": [1, [2, 3]]}), lists.list_append("n", 4, ctx=inner),
                    ops.read("n")],
        "context missing": [lists.list_append("n", 4, ctx=[cdt_ctx.cdt_ctx_map_key("z")])],
        "wrong bin": [lists.list_append("m", 1)],
        "all of it": [ops.read("l"), ops.read("o"), ops.read("m")],
    }
    for name, operations in many.items():
        yield name, lambda operations=operations: c.operate(K, operations)


def others(c: Any) -> Iterator[common.Call]:
    many = {
        "bits": [ops.write("b", b"\x0f\x00\xff"), bits.bit_set("b", 8, 8, 1, b"\xaa"),
                 bits.bit_count("b", 0, 24), bits.bit_get_int("b", 4, 12, True)],
        "bits past the end": [bits.bit_get("b", 100, 8)],
        "hll": [hll.hll_add("h", [str(i) for i in range(100)], 10), hll.hll_get_count("h"),
                hll.hll_describe("h")],
        "hll twice": [hll.hll_init("h", 10, policy={"flags": aerospike.HLL_WRITE_CREATE_ONLY})],
        "expression": [exps.expression_read("e", arithmetic.Add(base.IntBin("i"), 1).compile()),
                       exps.expression_write("j", arithmetic.Mul(base.IntBin("i"), 2).compile()),
                       ops.read("j")],
        "expression unknown": [exps.expression_read("e", base.IntBin("none").compile())],
    }
    yield "start others", lambda: c.put(K, {"i": 20, "s": "x"})
    for name, operations in many.items():
        yield name, lambda operations=operations: c.operate(K, operations)
    shape = aerospike.GeoJSON({"type": "Point", "coordinates": [1.5, 2.5]})
    yield "shape", lambda: c.put(K, {"g": shape})
    yield "shape read", lambda: c.select(K, ["g"])
    yield "no shape", lambda: c.put(K, {"g": aerospike.GeoJSON({"type": "Line"})})


def filters(c: Any) -> Iterator[common.Call]:
    keys = [("test", SET, f"filter{i}") for i in range(4)]
    large = base.GT(base.IntBin("i"), 1).compile()
    wrong = base.GT(base.IntBin("none"), 1).compile()
    listed = base.Eq(exp_list.ListSize(None, base.ListBin("l")), 2).compile()

    def fill() -> None:
        for i, key in enumerate(keys):
            c.put(key, {"i": i, "l": list(range(i))})

    def rows(expression: Any) -> Any:
        batch = c.batch_read(keys, policy={"expressions": expression})
        return [r.result for r in batch.batch_records]

    def found(expression: Any) -> Any:
        results = c.query("test", SET).results(policy={"expressions": expression})
        return sorted(bins["i"] for _, _, bins in results if "i" in bins)

    yield "fill for filters", fill
    for name, expression in (("large", large), ("wrong", wrong), ("listed", listed)):
        policy = {"expressions": expression}
        yield f"get {name}", lambda p=policy: c.get(keys[2], policy=p)
        yield f"put {name}", lambda p=policy: c.put(keys[1], {"w": 1}, policy=p)
        yield f"remove {name}", lambda p=policy: c.remove(keys[0], policy=p)
        yield f"batch {name}", lambda e=expression: rows(e)
        yield f"query {name}", lambda e=expression: found(e)
    yield "batch own filter", lambda: [r.result for r in c.batch_write(br.BatchRecords([
        br.Write(k, [ops.write("v", 1)], policy={"expressions": large})
        for k in keys])).batch_records]


def calls(c: Any) -> Iterator[common.Call]:
    for part in (collections, others, filters):
        yield from part(c)
