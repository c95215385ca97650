"""The statements of the migration guide, as they are printed there.

The guide closes its client and removes its record before it uses them again: each test below
has a connected client and the record that its statements need.
"""

from __future__ import annotations

import asyncio
import warnings
from contextlib import suppress

import pytest


@pytest.fixture
def connected(hosts):
    import aerospike_py as aerospike

    client = aerospike.client({"hosts": hosts}).connect()
    yield client
    client.close()


@pytest.fixture
def key(connected, new_key):
    key = new_key("user1", set_name="demo")
    connected.put(key, {"name": "Alice", "age": 30})
    return key


def test_imports():
    import aerospike_py as aerospike
    from aerospike_py import exception as ex

    assert issubclass(ex.RecordNotFound, aerospike.AerospikeError)


def test_client_creation(hosts):
    import aerospike_py as aerospike

    config = {"hosts": hosts}
    client = aerospike.client(config).connect()
    assert client.is_connected()
    client.close()

    with aerospike.client(config).connect() as client:
        assert client.is_connected()
    assert not client.is_connected()


def test_crud(connected, new_key):
    client = connected
    key = new_key("user1", set_name="demo")

    client.put(key, {"name": "Alice", "age": 30})
    _, meta, bins = client.get(key)
    assert bins == {"name": "Alice", "age": 30}
    assert meta.gen == 1
    assert meta["gen"] == 1
    _, meta = client.exists(key)
    assert meta.gen == 1
    client.remove(key)
    _, meta = client.exists(key)
    assert meta is None

    client.put(key, {"name": "Alice", "age": 30})
    _, _, bins = client.select(key, ["name"])
    assert bins == {"name": "Alice"}
    client.touch(key)
    client.append(key, "name", " Smith")
    client.increment(key, "counter", 1)
    assert client.get(key).bins == {"name": "Alice Smith", "age": 30, "counter": 1}


def test_policies_constants_exceptions(connected, key):
    import aerospike_py as aerospike

    client = connected
    policy = {"socket_timeout": 5000, "total_timeout": 10000, "max_retries": 2}
    assert client.get(key, policy).bins["name"] == "Alice"
    client.put(key, {"age": 31}, policy=policy)

    assert aerospike.POLICY_KEY_SEND == 1
    assert aerospike.TTL_NEVER_EXPIRE == -1

    from aerospike_py.exception import RecordExistsError, RecordNotFound

    with pytest.raises(RecordExistsError):
        client.put(key, {"a": 1}, policy={"exists": aerospike.POLICY_EXISTS_CREATE_ONLY})
    with pytest.raises(RecordNotFound):
        client.get(("test", "demo", "nobody"))


def test_exception_renames():
    from aerospike_py import exception
    from aerospike_py.exception import AerospikeIndexError, AerospikeTimeoutError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert exception.TimeoutError is AerospikeTimeoutError
        assert exception.IndexError is AerospikeIndexError
    with pytest.warns(DeprecationWarning):
        _ = exception.TimeoutError
    with pytest.warns(DeprecationWarning):
        _ = exception.IndexError


def test_cdt_operations(connected, key):
    from aerospike_py import list_operations as lops, map_operations as mops

    client = connected
    ops = [lops.list_append("tags", "new"), mops.map_put("attrs", "color", "blue")]
    client.operate(key, ops)
    assert client.get(key).bins == {
        "name": "Alice", "age": 30, "tags": ["new"], "attrs": {"color": "blue"}}


def test_expression_filters(connected, key):
    from aerospike_py import exp
    from aerospike_py.exception import FilteredOut

    client = connected
    expr = exp.ge(exp.int_bin("age"), exp.int_val(18))
    assert client.get(key, policy={"filter_expression": expr}).bins["age"] == 30
    client.put(key, {"age": 17})
    with pytest.raises(FilteredOut):
        client.get(key, policy={"filter_expression": expr})


def test_query(connected, key):
    from aerospike_py import predicates
    from aerospike_py.exception import IndexFoundError

    client = connected
    with suppress(IndexFoundError):
        client.index_integer_create("test", "demo", "age", "guide_demo_age")
    try:
        query = client.query("test", "demo")
        query.where(predicates.between("age", 18, 65))
        records = query.results()
        assert ("Alice", 30) in [(r.bins.get("name"), r.bins["age"]) for r in records]
    finally:
        client.index_remove("test", "guide_demo_age")


def test_the_asynchronous_client(hosts, key):
    import aerospike_py as aerospike

    async def main():
        client = aerospike.AsyncClient({"hosts": hosts})
        await client.connect()
        await client.put(key, {"name": "Alice"})
        _, meta, bins = await client.get(key)
        await client.close()
        return meta, bins

    meta, bins = asyncio.run(main())
    assert meta.gen == 2
    assert bins == {"name": "Alice", "age": 30}


def test_the_table_of_differences():
    import aerospike_py as aerospike

    assert hasattr(aerospike, "AsyncClient")
    assert hasattr(aerospike.Client, "__enter__")
    assert aerospike.TimeoutError is aerospike.AerospikeTimeoutError
    assert aerospike.IndexError is aerospike.AerospikeIndexError
    assert aerospike.GeoJSON({"type": "Point", "coordinates": [0, 0]})
