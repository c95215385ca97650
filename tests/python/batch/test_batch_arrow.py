"""Batches as Arrow tables, with the libraries that take them."""

from __future__ import annotations

import gc

import pytest

from aerospike_py import GeoJSON

pa = pytest.importorskip("pyarrow")


@pytest.fixture
def keys(client, new_key):
    made = [new_key() for _ in range(4)]
    client.put(made[0], {"n": 1, "x": 1, "s": "ab", "t": True, "l": [1, 2], "m": {"a": [1.5]}})
    client.put(made[2], {"x": 2.5, "b": b"\0\1", "l": [], "g": GeoJSON('{"type":"Point",'
                                                                      '"coordinates":[1,2]}')})
    client.put(made[3], {"n": -5, "l": [3, None], "m": {"b": [], "c": None}})
    return made


def test_columns(client, keys):
    table = pa.table(client.batch_read(keys))
    assert table["_key"].to_pylist() == [key[2] for key in keys]
    assert table["_result"].to_pylist() == [0, 2, 0, 0]
    assert table["_generation"].to_pylist() == [1, None, 1, 1]
    assert table["_digest"].to_pylist()[0] == client.get(keys[0]).key.digest
    assert table["n"].type == pa.int64() and table["n"].to_pylist() == [1, None, None, -5]
    assert table["x"].type == pa.float64() and table["x"].to_pylist() == [1.0, None, 2.5, None]
    assert table["s"].to_pylist() == ["ab", None, None, None]
    assert table["t"].to_pylist() == [True, None, None, None]
    assert table["b"].to_pylist() == [None, None, b"\0\1", None]
    assert table["l"].to_pylist() == [[1, 2], None, [], [3, None]]
    assert table["m"].to_pylist() == [[("a", [1.5])], None, None, [("b", []), ("c", None)]]
    assert "Point" in table["g"].to_pylist()[2]
    table.validate(full=True)


def test_an_array_and_a_stream(client, keys):
    found = client.batch_read(keys, ["n"])
    array = pa.array(found)
    array.validate(full=True)
    assert array.type.names == ["_key", "_digest", "_result", "_generation", "_ttl", "n"]
    reader = pa.RecordBatchReader.from_stream(found)
    assert [batch.num_rows for batch in reader] == [4]


def test_a_schema_chooses_columns_and_types(client, keys):
    schema = pa.schema([("x", pa.float64()), ("_result", pa.int32()), ("none", pa.binary()),
                        ("s", pa.large_string())])
    found = client.batch_read(keys)
    wanted = [{"x": 1.0, "_result": 0, "none": None, "s": "ab"},
              {"x": None, "_result": 2, "none": None, "s": None},
              {"x": 2.5, "_result": 0, "none": None, "s": None},
              {"x": None, "_result": 0, "none": None, "s": None}]
    assert pa.table(found, schema=schema).to_pylist() == wanted
    exact = pa.struct([*list(schema)[:3], pa.field("s", pa.string())])
    assert pa.array(found, type=exact).to_pylist() == wanted
    assert pa.table(found, schema=pa.schema([])).num_columns == 0
    with pytest.raises(TypeError, match="'s' holds both int and text"):
        pa.table(found, schema=pa.schema([("s", pa.int8())]))


def test_columns_outlive_the_result(client, keys):
    table = pa.table(client.batch_read(keys))
    gc.collect()
    assert table.slice(1)["l"].to_pylist() == [None, [], [3, None]]


def test_what_is_not_imported_is_freed(client, keys):
    client.batch_read(keys).__arrow_c_array__()
    client.batch_read(keys).__arrow_c_stream__()


def test_a_thousand_rows(client, new_key):
    keys = [new_key() for _ in range(1000)]
    client.batch_write([(key, {"i": i, "s": "x" * (i % 7)}) for i, key in enumerate(keys)])
    table = pa.table(client.batch_read(keys))
    assert table["i"].to_pylist() == list(range(1000))
    assert [len(text) for text in table["s"].to_pylist()] == [i % 7 for i in range(1000)]


def test_integer_keys_and_no_keys(client, set_name):
    client.put(("test", set_name, 7), {"a": 1})
    assert pa.table(client.batch_read([("test", set_name, 7)]))["_key"].type == pa.int64()
    assert pa.array(client.batch_read([])).to_pylist() == []


@pytest.mark.parametrize(("first", "second"), [(1, "x"), ("x", b"x"), ([1], {}), ([1], ["x"]),
                                               (True, 1)])
def test_a_column_has_one_type(client, new_key, first, second):
    keys = [new_key(), new_key()]
    client.put(keys[0], {"v": first})
    client.put(keys[1], {"v": second})
    with pytest.raises(TypeError, match="'v' holds both"):
        pa.table(client.batch_read(keys))


def test_polars(client, keys):
    pl = pytest.importorskip("polars")
    frame = pl.from_arrow(client.batch_read(keys, ["n", "x", "s", "l"])).struct.unnest()
    assert frame["n"].to_list() == [1, None, None, -5]
    assert frame["l"].to_list() == [[1, 2], None, [], [3, None]]
