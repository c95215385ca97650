"""Batches to and from NumPy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aerospike_py.exception import BinNameError, ParamError

np = pytest.importorskip("numpy")

DTYPE = np.dtype([("age", "i4"), ("score", "f8"), ("name", "S4"), ("old", "?")])


@pytest.fixture
def keys(client, new_key):
    made = [new_key() for _ in range(3)]
    client.put(made[0], {"age": 30, "score": 1.5, "name": "ab", "old": True})
    client.put(made[1], {"age": -1, "name": b"abcdef", "more": 5})
    return made


def test_cells_by_bin(client, keys):
    found = client.batch_read(keys).to_numpy(DTYPE)
    assert found.batch_records.tolist() == [(30, 1.5, b"ab", True), (-1, 0.0, b"abcd", False),
                                            (0, 0.0, b"", False)]
    assert found.result_codes.tolist() == [0, 0, 2]
    assert found.meta["gen"].tolist() == [1, 1, 0]
    assert found.missing.tolist() == [[False] * 4, [False, True, False, True], [True] * 4]


def test_rows_by_user_key(client, keys):
    found = client.batch_read([*keys, ("test", "keys", None, b"x" * 20)]).to_numpy(DTYPE)
    assert found.get(keys[0][2])["age"] == 30 and keys[2][2] in found and len(found) == 4
    assert found._map["__no_user_key_3__"] == 3
    with pytest.raises(KeyError, match="not found in NumpyBatchRecords"):
        found.get("nobody")


def test_straight_into_arrays(client, keys):
    found = client.batch_read(keys, _dtype=DTYPE)
    assert found.batch_records["age"].tolist() == [30, -1, 0]
    whole = np.full((6,), 7, dtype=[("age", "u2"), ("score", "f4")])
    out = whole[::2]
    with pytest.raises(OverflowError, match=f"bin 'age' of row 1 .key '{keys[1][2]}'.: -1"):
        client.batch_read(keys, ["age", "score"], out=out)
    found = client.batch_read(keys, ["age", "score"], out=out, on_error="code")
    assert found.batch_records is out
    assert whole["age"].tolist() == [30, 7, 0, 7, 0, 7]
    assert found.result_codes.tolist() == [0, 12, 2]


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_integers_to_their_ends(client, key, kind):
    info = np.iinfo(kind)
    dtype = np.dtype([("n", kind)])
    for value in {int(info.min), min(int(info.max), 2**63 - 1)}:
        client.put(key, {"n": value})
        assert client.batch_read([key]).to_numpy(dtype).batch_records["n"][0] == value
    for value in {int(info.min) - 1, int(info.max) + 1}:
        if -2**63 <= value < 2**63:
            client.put(key, {"n": value})
            with pytest.raises(OverflowError, match="bin 'n' of row 0"):
                client.batch_read([key]).to_numpy(dtype)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 0.1, 65504.0, 65520.0, 1e-7, 5.96e-8, 2.9e-8,
                                   6.1e-5, float("inf"), -1e300, 2049.0, 0.33325195])
def test_floats_round_as_numpy_does(client, key, kind, value):
    client.put(key, {"x": value})
    got = client.batch_read([key]).to_numpy(np.dtype([("x", kind)])).batch_records["x"]
    with np.errstate(over="ignore"):
        assert got.tobytes() == np.array([value]).astype(kind).tobytes()


def test_lists_and_vectors(client, key):
    vector = np.arange(4, dtype="f4")
    client.put(key, {"v": [1, 2.5, 3, 4], "p": vector.tobytes(), "w": [1, 2]})
    dtype = np.dtype([("v", "f4", (4,)), ("p", "f4", (2, 2))])
    row = client.batch_read([key]).to_numpy(dtype).batch_records[0]
    assert row["v"].tolist() == [1, 2.5, 3, 4]
    assert row["p"].tolist() == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="bin 'w' of row 0 .*another length"):
        client.batch_read([key]).to_numpy(np.dtype([("w", "i8", (3,))]))
    with pytest.raises(TypeError, match="bin 'v' of row 0 .*a list cannot be"):
        client.batch_read([key]).to_numpy(np.dtype([("v", "i8", (4,))]))


@pytest.mark.parametrize(("fields", "text"), [
    ([("name", "i4")], "bin 'name' of row 0 .* a string cannot be in a field of kind='i'"),
    ([("age", "S4")], "bin 'age' of row 0 .* an integer cannot be in a field of kind='S'"),
    ([("name", "U4")], "kind='U'"),
    ([("name", "O")], "kind='O'"),
    ([("age", ">i4")], "age"),
    ([("age", "g")], "age"),
    ("i4", "structured"),
])
def test_types_that_do_not_fit(client, keys, fields, text):
    with pytest.raises(TypeError, match=text):
        client.batch_read(keys).to_numpy(np.dtype(fields))
    with pytest.raises(TypeError, match=text):
        client.batch_read(keys, _dtype=np.dtype(fields))


def test_out_must_fit(client, keys):
    for out in (np.zeros(2, DTYPE), np.zeros((3, 1), DTYPE), [1, 2, 3]):
        with pytest.raises(ValueError, match=r"out must be an array of shape \(3,\)"):
            client.batch_read(keys, out=out)
    frozen = np.zeros(3, DTYPE)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        client.batch_read(keys, out=frozen)
    with pytest.raises(ParamError, match="on_error"):
        client.batch_read(keys).to_numpy(DTYPE, on_error="ignore")


def test_written_back(client, set_name):
    dtype = np.dtype([("_key", "i8"), ("n", "u2"), ("x", "f4"), ("s", "S4"), ("b", "?"),
                      ("v", "f4", (2,)), ("h", "f2"), ("_left", "i4")])
    data = np.zeros(6, dtype)
    data["_key"] = np.arange(6)
    data["n"] = 65535
    data["x"] = 0.5
    data["s"] = b"ab"
    data["v"] = (1, 2)
    data["h"] = -0.25
    done = client.batch_write_numpy(data[::2], "test", set_name, dtype)
    assert [row.result for row in done.batch_records] == [0] * 3
    assert client.get(("test", set_name, 4)).bins == {
        "n": 65535, "x": 0.5, "s": b"ab\0\0", "b": False,
        "v": np.array([1, 2], "f4").tobytes(), "h": -0.25}
    assert client.exists(("test", set_name, 3)).meta is None
    again = client.batch_read([("test", set_name, 2)]).to_numpy(dtype).batch_records
    assert again[0]["v"].tolist() == [1, 2] and again[0]["n"] == 65535


def test_keys_of_bytes(client, set_name):
    data = np.array([(b"ab", 1)], dtype=[("id", "S4"), ("n", "i8")])
    client.batch_write_numpy(data, "test", set_name, data.dtype, "id")
    assert client.get(("test", set_name, "ab")).bins == {"n": 1}


@pytest.mark.parametrize(("data", "field", "kind"), [
    (np.zeros(2), "_key", ValueError),
    (np.zeros((2, 2), [("_key", "i8")]), "_key", ValueError),
    (np.zeros(2, [("_key", "f8")]), "_key", ValueError),
    (np.zeros(2, [("_key", "i8")]), "id", ValueError),
    (np.zeros(2, [("_key", "i8"), ("u", "U2")]), "_key", TypeError),
    (np.full(2, 2**63, [("_key", "u8")]), "_key", OverflowError),
    (np.full(2, 2**63, [("_key", "i1"), ("n", "u8")]), "_key", OverflowError),
    (np.zeros(2, [("_key", "i1"), ("n" * 16, "u8")]), "_key", BinNameError),
])
def test_arrays_that_cannot_be_written(client, data, field, kind):
    with pytest.raises(kind):
        client.batch_write_numpy(data, "test", "s", data.dtype, field)


def test_numpy_is_loaded_when_it_is_asked_for():
    code = "import sys, aerospike_py; aerospike_py.client; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
