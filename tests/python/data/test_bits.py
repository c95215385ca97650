"""Operations on the bits of blobs, on both clients."""

from __future__ import annotations

from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import bit_operations as main_ops, exception as e
from aerospike_py.helpers.operations import bitwise_operations as ops

FIVE = b"\x01\x02\x03\x04\x05"
WRAP, SATURATE, FAIL = (aero.BIT_OVERFLOW_WRAP, aero.BIT_OVERFLOW_SATURATE,
                        aero.BIT_OVERFLOW_FAIL)


@pytest.fixture
def after(client: Any, key: Any) -> Any:
    """What an operation makes of five bytes."""
    client.put(key, {"b": FIVE})

    def run(op: dict[str, Any]) -> bytes:
        client.operate(key, [op])
        return client.get(key)[2]["b"]

    return run


@pytest.mark.parametrize(("op", "want"), [
    (ops.bit_resize("b", 7), FIVE + b"\0\0"),
    (ops.bit_resize("b", 7, resize_flags=aero.BIT_RESIZE_FROM_FRONT), b"\0\0" + FIVE),
    (ops.bit_resize("b", 3, resize_flags=aero.BIT_RESIZE_FROM_FRONT), FIVE[2:]),
    (ops.bit_insert("b", 1, 1, b"\xff"), b"\x01\xff\x02\x03\x04\x05"),
    (ops.bit_remove("b", 1, 2), b"\x01\x04\x05"),
    (ops.bit_set("b", 4, 8, 1, b"\xff"), b"\x0f\xf2\x03\x04\x05"),
    (ops.bit_or("b", 0, 8, 1, bytearray(b"\xf0")), b"\xf1\x02\x03\x04\x05"),
    (ops.bit_xor("b", 8, 8, 1, b"\xff"), b"\x01\xfd\x03\x04\x05"),
    (ops.bit_and("b", 16, 8, 1, b"\x01"), b"\x01\x02\x01\x04\x05"),
    (ops.bit_not("b", 0, 8), b"\xfe\x02\x03\x04\x05"),
    (ops.bit_lshift("b", 0, 16, 4), b"\x10\x20\x03\x04\x05"),
    (ops.bit_rshift("b", 0, 16, 8), b"\x00\x01\x03\x04\x05"),
    (ops.bit_add("b", 8, 8, 255, False, WRAP), b"\x01\x01\x03\x04\x05"),
    (ops.bit_add("b", 8, 8, 255, False, SATURATE), b"\x01\xff\x03\x04\x05"),
    (ops.bit_subtract("b", 32, 8, 6, False, SATURATE), b"\x01\x02\x03\x04\x00"),
])
def test_changes(after: Any, op: dict[str, Any], want: bytes) -> None:
    assert after(op) == want


@pytest.mark.parametrize(("op", "want"), [
    (ops.bit_get("b", 4, 8), b"\x10"),
    (ops.bit_count("b", 0, 40), 7),
    (ops.bit_get_int("b", 8, 16, False), 0x0203),
    (ops.bit_get_int("b", 7, 2, True), -2),
    (ops.bit_lscan("b", 0, 40, True), 7),
    (ops.bit_rscan("b", 0, 40, True), 39),
    (ops.bit_lscan("b", 0, 7, True), -1),
])
def test_reads(client: Any, key: Any, op: dict[str, Any], want: Any) -> None:
    client.put(key, {"b": FIVE})
    found = client.operate(key, [op])[2]["b"]
    assert found == want and type(found) is type(want)


MODIFIES = [ops.bit_remove("b", 0, 1), ops.bit_set("b", 0, 8, 1, b"a"),
            ops.bit_and("b", 0, 8, 1, b"a"), ops.bit_or("b", 0, 8, 1, b"a"),
            ops.bit_xor("b", 0, 8, 1, b"a"), ops.bit_not("b", 0, 8), ops.bit_lshift("b", 0, 8, 1),
            ops.bit_rshift("b", 0, 8, 1), ops.bit_add("b", 0, 8, 1, False, WRAP),
            ops.bit_subtract("b", 0, 8, 1, False, WRAP)]


@pytest.mark.parametrize("op", MODIFIES)
def test_a_missing_bin_is_not_found(client: Any, key: Any, op: dict[str, Any]) -> None:
    client.put(key, {"other": 1})
    with pytest.raises(e.BinNotFound) as caught:
        client.operate(key, [op])
    assert caught.value.code == 17


@pytest.mark.parametrize("op", [ops.bit_insert("b", 1, 1, b"a"), ops.bit_resize("b", 2)])
def test_insert_and_resize_create(client: Any, key: Any, op: dict[str, Any]) -> None:
    client.put(key, {"other": 1})
    client.operate(key, [op])
    assert len(client.get(key)[2]["b"]) == 2


@pytest.mark.parametrize("op", [
    ops.bit_set("b", 41, 8, 1, b"a"), ops.bit_count("b", 41, 1),
    ops.bit_add("b", 40, 8, 1, False, FAIL),
    ops.bit_subtract("b", 40, 8, 1, False, FAIL), ops.bit_and("b", 36, 8, 1, b"a"),
    ops.bit_or("b", 36, 8, 1, b"a"), ops.bit_xor("b", 36, 8, 1, b"a"), ops.bit_not("b", 36, 8),
    ops.bit_get("b", 36, 8), ops.bit_get_int("b", 36, 8, False), ops.bit_lscan("b", 36, 8, True),
    ops.bit_rscan("b", 36, 8, True), ops.bit_lshift("b", 36, 8, 1), ops.bit_rshift("b", 36, 8, 1),
    ops.bit_add("b", 0, 8, 255, False, FAIL), ops.bit_subtract("b", 0, 8, 2, False, FAIL),
])
def test_out_of_range_is_not_applicable(client: Any, key: Any, op: dict[str, Any]) -> None:
    client.put(key, {"b": FIVE})
    with pytest.raises(e.OpNotApplicable):
        client.operate(key, [op])
    assert client.get(key)[2]["b"] == FIVE


@pytest.mark.parametrize("op", [
    ops.bit_set("b", 0, 16, 1, b"a"), ops.bit_and("b", 0, 16, 1, b"a"),
    ops.bit_or("b", 0, 16, 1, b"a"), ops.bit_xor("b", 0, 16, 1, b"a"), ops.bit_remove("b", 6, 1),
    ops.bit_resize("b", 1, resize_flags=aero.BIT_RESIZE_GROW_ONLY),
    ops.bit_resize("b", 9, resize_flags=aero.BIT_RESIZE_SHRINK_ONLY),
])
def test_invalid_requests(client: Any, key: Any, op: dict[str, Any]) -> None:
    client.put(key, {"b": FIVE})
    with pytest.raises(e.InvalidRequest):
        client.operate(key, [op])


def test_write_flags(client: Any, key: Any) -> None:
    client.put(key, {"b": FIVE})
    with pytest.raises(e.BinExistsError):
        client.operate(key, [ops.bit_resize("b", 9, {
            "bit_write_flags": aero.BIT_WRITE_CREATE_ONLY})])
    with pytest.raises(e.BinNotFound):
        client.operate(key, [ops.bit_resize("none", 9, {
            "bit_write_flags": aero.BIT_WRITE_UPDATE_ONLY})])
    client.operate(key, [ops.bit_set("b", 80, 8, 1, b"a", {
        "bit_write_flags": aero.BIT_WRITE_NO_FAIL})])
    assert client.get(key)[2]["b"] == FIVE
    client.operate(key, [ops.bit_not("b", 32, 80, {
        "bit_write_flags": aero.BIT_WRITE_NO_FAIL | aero.BIT_WRITE_PARTIAL})])
    assert client.get(key)[2]["b"] == FIVE[:4] + b"\xfa"


@pytest.mark.parametrize("op", [
    ops.bit_set("b", 1.5, 8, 1, b"a"), ops.bit_set("b", 0, 3.5, 1, b"a"),
    ops.bit_set("b", 0, 8, 1, 2.7), ops.bit_insert("b", 0, 1, 1.5), ops.bit_count("b", "x", 1),
    ops.bit_add("b", 0, 8, 1.5, False, WRAP),
])
def test_wrong_types(client: Any, key: Any, op: dict[str, Any]) -> None:
    with pytest.raises(e.ParamError, match="operation 0, BIT_"):
        client.operate(key, [op])


def test_the_main_face_in_its_order(client: Any, key: Any) -> None:
    client.put(key, {"b": FIVE})
    found = client.operate_ordered(key, [
        main_ops.bit_set("b", 0, 8, b"\x80"), main_ops.bit_insert("b", 5, b"\x01"),
        main_ops.bit_resize("b", 7), main_ops.bit_get("b", 0, 8)])[2]
    assert [value for _, value in found if value is not None] == [b"\x80"]
    assert client.get(key)[2]["b"] == b"\x80\x02\x03\x04\x05\x01\x00"
