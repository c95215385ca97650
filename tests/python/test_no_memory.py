"""Each request of Python's for memory fails once, in every call: MemoryError is all that happens.

``aero_alloc`` of the C core fails in the tests of its rooms; here it is what Python allocates.
asyncio does not survive its own, so the asynchronous client is not called.
"""

from __future__ import annotations

import gc

import pytest

import aerospike_py as aerospike
from aerospike_py import exp, list_operations as lists, map_operations as maps, predicates
from aerospike_py.exception import AerospikeError

_testcapi = pytest.importorskip("_testcapi")

VALUE = {"i": 1, "f": 1.5, "s": "text", "b": b"bytes", "t": True,
         "l": [1, "two", [3.0], {"four": None}], "m": {"k": [1, 2], 5: "x"},
         "g": aerospike.GeoJSON('{"type":"Point","coordinates":[1,2]}')}
READ = [{"op": aerospike.OPERATOR_READ, "bin": "i", "val": None}]
NOBODY = ("test", "keys", "nobody")

#: Calls by name, each with what it gives in a form that can be compared.
CALLS = {
    "put": lambda c, key, keys: c.put(key, VALUE),
    "put with policies": lambda c, key, keys: c.put(key, VALUE, {"ttl": 0}, {"key": 1}),
    "put of what cannot be": lambda c, key, keys: c.put(key, {"a": 1, "x": object()}),
    "put with a bad policy": lambda c, key, keys: c.put(key, VALUE, None, {"total_timeout": "x"}),
    "get": lambda c, key, keys: c.get(key)[2],
    "get of nothing": lambda c, key, keys: c.get(NOBODY),
    "get with a bad key": lambda c, key, keys: c.get(("test", 5, [])),
    "get by filter": lambda c, key, keys: c.get(key, {"filter_expression": exp.eq(
        exp.int_bin("i"), exp.int_val(1))})[2],
    "select": lambda c, key, keys: c.select(key, ["i", "l"])[2],
    "exists": lambda c, key, keys: c.exists(key)[0],
    "touch": lambda c, key, keys: c.touch(key),
    "append": lambda c, key, keys: c.append(key, "s", ""),
    "increment": lambda c, key, keys: c.increment(key, "i", 0),
    "operate": lambda c, key, keys: c.operate(key, [
        lists.list_append("l", 1), lists.list_clear("l"), *READ,
        maps.map_put("m", "z", [1])])[2],
    "operate with a bad operation": lambda c, key, keys: c.operate(key, [*READ, {"op": 99}]),
    "info_all": lambda c, key, keys: len(c.info_all("build")),
    "batch_read": lambda c, key, keys: [
        row.record[2] for row in c.batch_read(keys).batch_records],
    "batch_write": lambda c, key, keys: [row.result for row in c.batch_write(
        [(one, {"i": 1, "l": [1]}) for one in keys]).batch_records],
    "batch_write of what cannot be": lambda c, key, keys: c.batch_write([(key, {"x": object()})]),
    "batch_operate": lambda c, key, keys: len(c.batch_operate(keys, READ).batch_records),
    "get_many": lambda c, key, keys: len(c.get_many(keys)),
    "query": lambda c, key, keys: len(c.query("test", "nothing").results()),
    "query with a predicate": lambda c, key, keys: c.query("test", "nothing").where(
        predicates.between("i", 1, 2)).results(),
}


def outcome(call):
    """What a call gives or raises, other than for want of memory."""
    try:
        return call()
    except (AerospikeError, TypeError, ValueError) as error:
        return type(error).__name__


def fails_well(call, at):
    """Whether the request for memory number `at` was made and failed; else its outcome."""
    _testcapi.set_nomemory(at, at + 1)
    try:
        return False, outcome(call)
    except MemoryError:
        return True, None
    except SystemError as error:
        # the interpreter says so by itself where no memory is left for a traceback
        if str(error) != "error return without exception set":
            raise
        return True, None
    finally:
        _testcapi.remove_mem_hooks()


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
@pytest.mark.parametrize("name", CALLS)
def test_a_failing_allocation_is_a_memory_error(client, new_key, name):
    key, keys = new_key(), [new_key() for _ in range(3)]
    for one in (key, *keys):
        client.put(one, VALUE)

    def call():
        return CALLS[name](client, key, keys)

    for _ in range(3):  # what is made once is made
        expected = outcome(call)
    quiet = at = failures = 0
    gc.disable()
    try:
        while quiet < 20 and at < 2000:
            failed, found = fails_well(call, at)
            failures += failed
            quiet = 0 if failed else quiet + 1
            assert failed or found == expected, f"request number {at}"
            at += 1
    finally:
        gc.enable()
    assert quiet == 20
    assert failures or name in ("put", "put with policies", "append", "increment", "touch")
    assert outcome(call) == expected
