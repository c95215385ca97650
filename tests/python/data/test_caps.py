"""What a request cannot hold is told with the operation's place and the argument's name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aerospike_py import (
    bit_operations,
    exception as e,
    hll_operations,
    list_operations as lists,
    map_operations as maps,
)
from aerospike_py.helpers import cdt_ctx
from aerospike_py.helpers.operations import operations

DEPTH = 512


def nest(levels: int, last: Any = 1, kind: type = list) -> Any:
    """A value inside so many lists, or maps."""
    for _ in range(levels):
        last = [last] if kind is list else {"k": last}
    return last


DEEP, DEEP_MAP, LARGE = nest(DEPTH + 1), nest(DEPTH + 1, kind=dict), 2**70
TOO_DEEP = {
    "LIST_APPEND, val": lists.list_append("l", DEEP),
    "LIST_APPEND_ITEMS, val": lists.list_append_items("l", [1, DEEP]),
    "LIST_GET_BY_VALUE_LIST, value_list": lists.list_get_by_value_list("l", [DEEP], 7),
    "MAP_PUT, val": maps.map_put("m", "k", DEEP_MAP),
    "MAP_PUT_ITEMS, val": maps.map_put_items("m", {"k": DEEP_MAP}),
    "HLL_ADD, value_list": hll_operations.hll_add("h", DEEP, 8),
    "LIST_SIZE, ctx": {**lists.list_size("l"), "ctx": [cdt_ctx.cdt_ctx_list_value(DEEP)]},
    "val": operations.write("w", DEEP),
}
WRONG = {
    "LIST_APPEND, val: integer value exceeds": lists.list_append("l", LARGE),
    "LIST_GET, index: integer value": lists.list_get("l", LARGE),
    "LIST_GET: index must be an integer": lists.list_get("l", "0"),  # type: ignore[arg-type]
    "MAP_PUT, val: Unsupported type .* object": maps.map_put("m", "k", {"x": [object()]}),
    "MAP_PUT, map_key: Unsupported type .* object": maps.map_put("m", object(), 1),
    "MAP_PUT: map_policy must be a dict": maps.map_put("m", "k", 1, 5),  # type: ignore[arg-type]
    "BIT_SET: value must be bytes": bit_operations.bit_set(
        "b", 0, 8, 1, "text"),  # type: ignore[arg-type]
    "val: Unsupported type .* object": operations.write("w", object()),
    "bin: Bin name .* exceeds": lists.list_append("x" * 16, 1),
}


@pytest.mark.parametrize("named", TOO_DEEP)
def test_values_that_are_too_deep(client: Any, key: Any, named: str) -> None:
    with pytest.raises(e.ParamError, match=f"^operation 1, {named}: .*depth of {DEPTH}"):
        client.operate(key, [operations.read("l"), TOO_DEEP[named]])


@pytest.mark.parametrize("named", WRONG)
def test_values_of_wrong_types(client: Any, key: Any, named: str) -> None:
    with pytest.raises(e.AerospikeError, match=f"^operation 2, {named}") as caught:
        client.operate(key, [operations.read("l"), operations.read("m"), WRONG[named]])
    assert caught.value.code < 0 or isinstance(caught.value, e.BinNameError)  # not sent


def test_what_is_just_not_too_deep(client: Any, key: Any) -> None:
    made = nest(DEPTH - 2)
    client.operate(key, [lists.list_append("l", made), maps.map_put("m", "k", made)])
    bins = client.get(key)[2]
    assert bins == {"l": [made], "m": {"k": made}}


def test_requests_that_are_too_large(client: Any, key: Any) -> None:
    with pytest.raises(e.ParamError, match="operation 32768: there are too many"):
        client.operate(key, [operations.read("l")] * 40_000)
    part = bytes(50 << 20)
    with pytest.raises(e.ParamError, match=re.escape("128 MiB")):
        client.operate(key, [lists.list_append("l", part) for _ in range(3)])


def test_a_payload_in_a_batch_says_its_place(client: Any, key: Any) -> None:
    with pytest.raises(e.ParamError, match="operation 0, LIST_APPEND, val: .*depth"):
        client.batch_operate([key], [lists.list_append("l", DEEP)])
