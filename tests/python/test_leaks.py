"""No public call keeps memory: neither when it works nor when it fails.

Python's blocks are counted, and the bytes that C has, where the C library tells them.  What one
call keeps is kept by every call of every round; warming up, other threads and caches that fill
are not: rounds are made until one keeps little.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

import pytest

import aerospike_py as aerospike
from aerospike_py import exp, list_operations as lists, map_operations as maps
from aerospike_py.exception import AerospikeError
from aerospike_py.helpers.batch import records as br
from aerospike_py.helpers.expressions import Eq, IntBin
from aerospike_py.helpers.operations import operations as op

CALLS = 80
ROUNDS = 12
FEW_BLOCKS = CALLS // 2
FEW_BYTES = CALLS * 16
VALUE = {"i": 1, "f": 1.5, "s": "text", "b": b"bytes", "t": True,
         "l": [1, "two", [3.0], {"four": None}], "m": {"k": [1, 2], 5: "x"},
         "g": aerospike.GeoJSON('{"type":"Point","coordinates":[1,2]}')}


class InUse(ctypes.Structure):
    """glibc's mallinfo2."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]


def c_bytes() -> int:
    """Bytes that C code has, or 0 where it is not known."""
    found = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if found is None:
        return 0
    found.restype = InUse
    told = found()
    return told.uordblks + told.hblkhd


def blocks_are_counted() -> bool:
    """Not with ``PYTHONMALLOC=malloc``, where all is of C."""
    before = sys.getallocatedblocks()
    made = [object() for _ in range(1000)]
    return sys.getallocatedblocks() - before >= len(made)


COUNTED = blocks_are_counted()


@pytest.fixture(scope="module", autouse=True)
def what_others_left():
    """Collections look at new objects alone, however many tests ran before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def kept_by(call) -> tuple[int, int]:
    """Blocks and bytes that the most frugal round kept."""
    blocks: list[int] = []
    used: list[int] = []
    while len(blocks) < (ROUNDS if COUNTED else 1) and not (
            blocks and min(blocks) < FEW_BLOCKS and min(used) < FEW_BYTES):
        gc.collect()
        before = sys.getallocatedblocks(), c_bytes()
        for _ in range(CALLS):
            with suppress(AerospikeError, TypeError, ValueError, KeyError):
                call()
        gc.collect()
        blocks.append(sys.getallocatedblocks() - before[0])
        used.append(c_bytes() - before[1])
    return min(blocks), min(used)


def check(call) -> None:
    blocks, used = kept_by(call)
    if not COUNTED:  # a sanitizer sees the calls, and judges them in its own way
        return
    assert blocks < FEW_BLOCKS, f"{blocks} blocks of Python are kept by {CALLS} calls"
    assert used < FEW_BYTES, f"{used} bytes of C are kept by {CALLS} calls"


def calls(client, key, keys):
    """Calls by name; some fail."""
    read = [{"op": aerospike.OPERATOR_READ, "bin": "i", "val": None}]
    compiled = Eq(IntBin("i"), 1).compile()
    mixed = br.BatchRecords([br.Write(keys[0], [op.write("i", 1)]),
                             br.Read(keys[1], None, read_all_bins=True),
                             br.Remove(("test", "keys", "nobody")),
                             br.Apply(keys[0], "none", "none", [1])])
    return {
        "put": lambda: client.put(key, VALUE),
        "put of what cannot be": lambda: client.put(key, {"a": 1, "x": object()}),
        "put with policies": lambda: client.put(key, VALUE, {"ttl": 0}, {"key": 1, "ttl": 0}),
        "put with a bad policy": lambda: client.put(key, VALUE, None, {"total_timeout": "x"}),
        "get": lambda: client.get(key),
        "get of nothing": lambda: client.get(("test", "keys", "nobody")),
        "get with a bad key": lambda: client.get(("test", 5, [])),
        "get by filter": lambda: client.get(key, {"filter_expression": exp.eq(
            exp.int_bin("i"), exp.int_val(1))}),
        "get by a compiled filter": lambda: client.get(key, {"filter_expression": compiled}),
        "get by a bad filter": lambda: client.get(key, {"filter_expression": {"__expr__": 5}}),
        "select": lambda: client.select(key, ["i", "l"]),
        "exists": lambda: client.exists(key),
        "touch": lambda: client.touch(key),
        "append": lambda: client.append(key, "i", "x"),
        "increment": lambda: client.increment(key, "i", 1),
        "operate": lambda: client.operate(key, [
            lists.list_append("l", 1), lists.list_clear("l"), *read,
            maps.map_put("m", "z", [1]), maps.map_get_by_key("m", "z", 7)]),
        "operate with a bad operation": lambda: client.operate(key, [*read, {"op": 99}]),
        "operate_ordered": lambda: client.operate_ordered(key, read),
        "info_all": lambda: client.info_all("build"),
        "get_nodes": lambda: client.get_nodes(),
        "batch_read": lambda: client.batch_read(keys),
        "batch_read to a dict": lambda: client.batch_read(keys).to_dict(),
        "batch_read to records": lambda: client.batch_read(keys).batch_records,
        "batch_read one at a time": lambda: next(client.batch_read(keys).iter_records()),
        "batch_read of a bad key": lambda: client.batch_read([*keys, ("x",)]),
        "batch_write": lambda: client.batch_write([(one, {"i": 1, "l": [1]}) for one in keys]),
        "batch_write of what cannot be": lambda: client.batch_write([(key, {"x": object()})]),
        "batch_write of rows": lambda: client.batch_write(mixed),
        "batch_operate": lambda: client.batch_operate(keys, read),
        "batch_remove": lambda: client.batch_remove([("test", "keys", "nobody")]),
        "batch_apply": lambda: client.batch_apply(keys, "none", "none", [1]),
        "get_many": lambda: client.get_many(keys),
        "exists_many": lambda: client.exists_many(keys),
    }


NAMES = list(calls(None, None, [("test", "s", 1), ("test", "s", 2)]))


@pytest.mark.parametrize("name", NAMES)
def test_no_memory_is_kept(client, new_key, name):
    key = new_key()
    keys = [new_key() for _ in range(8)]
    client.put(key, VALUE)
    client.batch_write([(one, {"i": 1, "l": [1]}) for one in keys[:6]])
    check(calls(client, key, keys)[name])


@pytest.mark.parametrize("shape", ["to_numpy", "_dtype", "on_error", "write", "arrow"])
def test_no_memory_is_kept_by_columns(client, new_key, shape):
    np = pytest.importorskip("numpy")
    keys = [new_key() for _ in range(8)]
    dtype = np.dtype([("i", "i4"), ("s", "S4")])
    client.batch_write([(one, {"i": n, "s": "text"}) for n, one in enumerate(keys)])
    data = np.zeros(3, [("_key", "i8"), ("n", "f8")])
    of_shape = {
        "to_numpy": lambda: client.batch_read(keys).to_numpy(dtype),
        "_dtype": lambda: client.batch_read(keys, _dtype=dtype),
        "on_error": lambda: client.batch_read(keys).to_numpy(np.dtype([("s", "i4")])),
        "write": lambda: client.batch_write_numpy(data, "test", "leaks", data.dtype),
        "arrow": lambda: (client.batch_read(keys).__arrow_c_array__(),
                          client.batch_read(keys).__arrow_c_stream__()),
    }
    check(of_shape[shape])


@pytest.mark.skipif(not COUNTED, reason="Python's blocks are not counted here")
def test_a_block_that_is_kept_is_seen():
    kept: list[object] = []
    with pytest.raises(AssertionError, match="blocks of Python are kept"):
        check(lambda: kept.append(object()))


@pytest.mark.skipif(not COUNTED, reason="nothing is judged here")
def test_bytes_that_are_kept_are_seen():
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    before = c_bytes()
    last = libc.malloc(4096)
    counted = c_bytes() - before >= 4096
    libc.free(last)
    if not counted:
        pytest.skip("the bytes of C are not counted here")
    last = None

    def keep():
        nonlocal last
        one = libc.malloc(24)
        ctypes.c_void_p.from_address(one).value = last
        last = one

    with pytest.raises(AssertionError, match="bytes of C are kept"):
        check(keep)
    while last is not None:
        one, last = last, ctypes.c_void_p.from_address(last).value
        libc.free(one)
