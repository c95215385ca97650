"""Values: what can be stored, and what comes back."""

from __future__ import annotations

import array
import decimal
import math
from collections import OrderedDict, UserDict

import pytest

import aerospike_py
from aerospike_py import KeyOrderedDict, exception as ex, official

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def same(one, other):
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one) \
            and {type(k) for k in one} == {type(k) for k in other}
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


SCALARS = [
    0, 1, -1, 127, 128, 255, 256, -128, -129, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, -(2**31), -(2**31) - 1, INT_MAX, INT_MIN, True, False,
    0.0, -0.0, 1.5, -2.25, 1e300, 5e-324, math.inf, -math.inf, math.nan,
    "", "a", "héllo ☃ 𝄞", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 70_000, "a\0b", "\0",
    b"", b"\0\1\2", bytes(range(256)), bytes(70_000),
]


@pytest.mark.parametrize("value", SCALARS, ids=lambda v: f"{type(v).__name__}-{str(v)[:12]}")
def test_scalars_come_back_as_they_were(client, key, value):
    client.put(key, {"v": value, "l": [value], "m": {"k": value}})
    bins = client.get(key).bins
    assert same(bins["v"], value)
    assert same(bins["l"], [value])
    assert same(bins["m"], {"k": value})


CONTAINERS = [
    [], {}, [[]], [{}], {"a": {}}, [1, "a", b"b", 1.5, True, None, [2, [3]], {"x": [{"y": 1}]}],
    {"s": 1, 1: "i", b"b": 2.5, -5: None}, [None, None], {"n": None},
    list(range(1000)), {i: str(i) for i in range(1000)}, [[[[[[[[[[1]]]]]]]]]],
    {"a" * 300: "b" * 300}, [["x"] * 20] * 20, [0.0] * 15, [1] * 16, {i: i for i in range(15)},
    {i: i for i in range(16)}, list(range(70_000)),
]


@pytest.mark.parametrize("value", CONTAINERS, ids=lambda v: str(v)[:24])
def test_containers_come_back_as_they_were(client, key, value):
    client.put(key, {"v": value})
    assert same(client.get(key).bins["v"], value)


def test_keys_of_maps_are_never_mixed_up(client, key):
    """Those of replies are kept and found again: many of every length, alike but for a letter."""
    words = [f"{head}{n}{tail}" for n in range(700) for head in ("", "k", "a-longer-key-", "é")
             for tail in ("", "-with-a-tail", "-and-one-that-is-too-long-to-keep")]
    wanted = {word: word for word in words}
    client.put(key, {"all": wanted, "each": [{word: n} for n, word in enumerate(words)]})
    for _ in range(3):
        bins = client.get(key).bins
        assert bins["all"] == wanted
        assert all(bins["all"][word] == word for word in words)
        assert [*map(list, bins["each"])] == [[word] for word in words]
        assert all(hash(next(iter(one))) == hash(word)
                   for one, word in zip(bins["each"], words))


def test_the_strict_face_reads_the_same(strict, client, key):
    bins = {"i": 1, "f": 1.5, "b": True, "s": "x", "y": b"z", "l": [1, [b"a"]], "m": {"a": {1: 2}}}
    strict.put(key, bins)
    assert same(strict.get(key)[2], bins)
    assert same(client.get(key).bins, bins)


def test_a_bytearray_comes_back_as_bytes(face, key):
    face.put(key, {"v": bytearray(b"abc"), "l": [bytearray(b"x")]})
    assert same(face.get(key)[2], {"v": b"abc", "l": [b"x"]})


def test_a_tuple_is_stored_as_a_list(client, key):
    client.put(key, {"v": (1, (2, "x")), "e": (), "m": {"k": (1,)}})
    assert same(client.get(key).bins, {"v": [1, [2, "x"]], "e": [], "m": {"k": [1]}})


def test_the_strict_face_refuses_a_tuple(strict, key):
    for bad in ((1, 2), [1, (2,)], {"a": ()}):
        with pytest.raises(ex.ClientError):
            strict.put(key, {"v": bad})
    assert strict.exists(key)[1] is None


def test_an_int_has_64_bits(face, key):
    for bad in (INT_MAX + 1, INT_MIN - 1, 2**64 - 1, 10**44):
        for value in (bad, [bad], {"a": bad}):
            with pytest.raises(ex.ParamError, match=r"exceeds sys\.maxsize") as e:
                face.put(key, {"no": value})
            assert e.value.msg == "integer value exceeds sys.maxsize"
            assert "no" in str(e.value)
            with pytest.raises(OverflowError):
                face.put(key, {"no": value})
    assert face.exists(key)[1] is None


@pytest.mark.parametrize("bad", [
    {1}, frozenset(), 1j, object(), decimal.Decimal(1), range(3), array.array("i"), UserDict(),
    int, len, iter([]), memoryview(b"x"),
], ids=lambda v: type(v).__name__)
def test_other_types_are_refused(face, key, bad):
    for value in (bad, [bad], {"a": [bad]}):
        with pytest.raises(ex.ClientError):
            face.put(key, {"v": value})
    assert face.exists(key)[1] is None


def test_the_error_names_the_bin_and_the_type(client, key):
    with pytest.raises(TypeError, match=r"bins\['colours'\].*set"):
        client.put(key, {"ok": 1, "colours": {1}})
    with pytest.raises(ex.ParamError):
        client.put(key, {"ok": 1, "colours": {1}})


def test_the_text_of_the_strict_face(strict, key):
    with pytest.raises(ex.ParamError) as e:
        strict.put(key, {"v": {1}})
    assert e.value.msg == "Cannot serialize: SERIALIZER_NONE selected"


def test_surrogates_are_no_text(face, key):
    for bad in ("\ud800", ["\udfff"], {"\ud800": 1}):
        with pytest.raises(ex.ClientError) as e:
            face.put(key, {"v": bad})
        assert e.value.msg == "Unicode value not encoded in utf-8."
    with pytest.raises(ex.ClientError):
        face.put(key, {"\ud800": 1})


@pytest.mark.parametrize("bad", [1.5, True, None, (1,)])
def test_map_keys_that_are_refused(client, key, bad):
    with pytest.raises(ex.ParamError):
        client.put(key, {"v": {bad: 1}})
    with pytest.raises(TypeError):
        client.put(key, {"v": {bad: 1}})
    assert client.exists(key).meta is None


# ---- subclasses ----


def test_subclasses_are_stored_as_their_base(client, key):
    class Text(str):
        pass

    class Number(int):
        pass

    class Real(float):
        pass

    class Row(list):
        pass

    class Table(dict):
        pass

    client.put(key, {"v": [Text("a"), Number(1), Real(1.5), Row([1]), Table(a=1)],
                     "o": OrderedDict(b=1, a=2)})
    assert same(client.get(key).bins, {"v": ["a", 1, 1.5, [1], {"a": 1}], "o": {"b": 1, "a": 2}})


def test_enums_are_ints_and_strs(client, key):
    import enum

    class Colour(enum.IntEnum):
        RED = 1

    class Mode(str, enum.Enum):
        FAST = "fast"

    client.put(key, {"c": Colour.RED, "m": Mode.FAST})
    assert same(client.get(key).bins, {"c": 1, "m": "fast"})


# ---- key-ordered maps ----


def test_a_key_ordered_map_stays_one(face, key):
    value = KeyOrderedDict(b=2, a=1)
    face.put(key, {"m": value, "l": [KeyOrderedDict({1: {}})], "d": {"a": 1}})
    bins = face.get(key)[2]
    assert type(bins["m"]) is KeyOrderedDict
    assert list(bins["m"].items()) == [("a", 1), ("b", 2)]
    assert type(bins["l"][0]) is KeyOrderedDict
    assert type(bins["d"]) is dict
    assert bins["m"] == {"a": 1, "b": 2}
    assert KeyOrderedDict is official.KeyOrderedDict


def test_key_ordered_maps_of_every_kind_of_key(client, key):
    value = KeyOrderedDict({b"b": 1, "a": 2, 5: 3, -7: 4})
    client.put(key, {"m": value})
    got = client.get(key).bins["m"]
    assert got == value
    assert list(got) == [-7, 5, "a", b"b"]


def test_a_subclass_of_a_key_ordered_map(client, key):
    class Mine(KeyOrderedDict):
        pass

    client.put(key, {"m": Mine(a=1)})
    assert type(client.get(key).bins["m"]) is KeyOrderedDict


# ---- booleans ----


def test_booleans_may_be_sent_as_integers(make_client, make_strict, key):
    for client in (make_client(send_bool_as=aerospike_py.INTEGER),
                   make_strict(send_bool_as=official.INTEGER)):
        client.put(key, {"t": True, "f": False, "l": [True]})
        bins = client.get(key)[2]
        assert same({"t": 1, "f": 0}, {"t": bins["t"], "f": bins["f"]})
    for client in (make_client(send_bool_as=aerospike_py.AS_BOOL), make_client(send_bool_as=100),
                   make_client(send_bool_as=-1), make_strict(send_bool_as=-1)):
        client.put(key, {"t": True, "f": False})
        bins = client.get(key)[2]
        assert bins["t"] is True
        assert bins["f"] is False


# ---- GeoJSON ----

POINT = {"type": "Point", "coordinates": [-80.59, 28.6]}


def test_geojson(client, key):
    geo = aerospike_py.GeoJSON(POINT)
    client.put(key, {"g": geo, "l": [geo], "m": {"k": geo}})
    bins = client.get(key).bins
    for got in (bins["g"], bins["l"][0], bins["m"]["k"]):
        assert type(got) is aerospike_py.GeoJSON
        assert isinstance(got, str)
        assert got.unwrap() == POINT
        assert got.geo_data == POINT


def test_geojson_of_the_strict_face(strict, client, key):
    geo = official.GeoJSON(POINT)
    strict.put(key, {"g": geo, "l": [geo]})
    got = strict.get(key)[2]
    assert type(got["g"]) is official.GeoJSON
    assert not isinstance(got["g"], str)
    assert got["g"].unwrap() == got["l"][0].unwrap() == POINT
    assert client.get(key).bins["g"].unwrap() == POINT


def test_each_face_takes_the_shapes_of_the_other(client, strict, key):
    client.put(key, {"g": official.GeoJSON(POINT)})
    strict.put(key, {"h": aerospike_py.GeoJSON(POINT)})
    assert client.get(key).bins["h"].unwrap() == client.get(key).bins["g"].unwrap() == POINT


@pytest.mark.parametrize("module", [aerospike_py, official], ids=["main", "strict"])
def test_the_life_of_a_geojson(module):
    import json

    geo = module.GeoJSON(json.dumps(POINT))
    assert geo.unwrap() == POINT
    assert geo.geo_data == POINT
    assert json.loads(geo.dumps()) == POINT
    assert json.loads(str(geo)) == POINT
    assert repr(geo) == (f"'{geo}'" if module is official else f"GeoJSON('{geo}')")
    assert geo.wrap({"type": "Point", "coordinates": [1, 2]}) == 0
    assert geo.unwrap()["coordinates"] == [1, 2]
    assert geo.loads(json.dumps(POINT)) == 0
    assert geo.dumps() == json.dumps(POINT)
    assert module.geodata(POINT).unwrap() == POINT
    assert module.geojson(json.dumps(POINT)).unwrap() == POINT
    for bad in (lambda: module.GeoJSON(1), lambda: geo.wrap("abc"), lambda: geo.loads(5),
                lambda: module.geodata("x"), lambda: module.geojson({}), lambda: module.GeoJSON()):
        with pytest.raises(ex.ParamError):
            bad()
    for bad in (lambda: module.GeoJSON("abc"), lambda: geo.loads('{"abc"}')):
        with pytest.raises(ex.ClientError):
            bad()
    assert geo.dumps() == json.dumps(POINT)


# ---- HyperLogLog ----


def test_a_sketch_comes_back_and_can_be_written_again(face, key):
    from aerospike_py.helpers.operations import hll_operations as hll

    face.operate(key, [hll.hll_add("h", ["a", "b"], 8)] if "official" not in type(face).__module__
                 else [{"op": official.OP_HLL_ADD, "bin": "h", "value_list": ["a", "b"],
                        "index_bit_count": 8, "mh_bit_count": -1, "policy": None}])
    sketch = face.get(key)[2]["h"]
    assert type(sketch) is aerospike_py.HyperLogLog
    assert isinstance(sketch, bytes)
    assert repr(sketch) == f"HyperLogLog({bytes(sketch)!r})"
    face.put(key, {"copy": sketch, "l": [sketch]})
    bins = face.get(key)[2]
    assert type(bins["copy"]) is aerospike_py.HyperLogLog
    assert bins["copy"] == sketch
    assert bins["l"][0] == sketch


# ---- values that only compare ----


@pytest.mark.parametrize("special", [aerospike_py.CDTInfinite(), aerospike_py.CDTWildcard()],
                         ids=lambda v: type(v).__name__)
def test_infinity_and_wildcard_are_no_values(face, key, special):
    with pytest.raises(ex.ClientError) as e:
        face.put(key, {"v": special})
    assert e.value.msg == "Invalid value type: 14"
    assert e.value.code == -1


# ---- blobs of other languages ----

JAVA, CSHARP, PYTHON, RUBY, PHP, ERLANG = 7, 8, 9, 10, 11, 12


@pytest.mark.parametrize("particle", [JAVA, CSHARP, PYTHON, RUBY, PHP, ERLANG])
def test_blobs_of_other_languages_are_bytes(client, hosts, strict, new_key, particle):
    from rawclient import MESSAGE, WRITE, Connection, message

    key = new_key(f"blob-{particle}", set_name=None)
    pickled = b"cos\nsystem\n(S'exit 1'\ntR."
    digest = bytes(aerospike_py.calc_digest(key[0], "", key[2]))
    with Connection(hosts[0][1], hosts[0][0]) as c:
        put = message(0, WRITE, digest, "test", [(2, particle, b"v", pickled)])
        assert c.ask(MESSAGE, put)[5] == 0
    assert same(client.get(key).bins, {"v": pickled})
    assert bytes(strict.get(key)[2]["v"]) == pickled


# ---- depth ----


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_values_nest_deep(client, key):
    client.put(key, {"v": nested(60)})
    assert client.get(key).bins["v"] == nested(60)


def test_values_nest_only_so_deep(client, key):
    with pytest.raises(ValueError, match="depth"):
        client.put(key, {"v": nested(100_000)})
    endless = []
    endless.append(endless)
    with pytest.raises(ex.ParamError):
        client.put(key, {"v": endless})


# ---- NumPy ----

np = pytest.importorskip("numpy")


def test_numpy_scalars(face, key):
    values = {
        "i8": np.int8(-5), "i64": np.int64(INT_MIN), "u8": np.uint8(255),
        "u64": np.uint64(INT_MAX), "f16": np.float16(1.5), "f32": np.float32(2.5),
        "f64": np.float64(3.25), "b": np.bool_(True), "s": np.str_("text"), "y": np.bytes_(b"by"),
    }
    face.put(key, values)
    assert same(face.get(key)[2], {
        "i8": -5, "i64": INT_MIN, "u8": 255, "u64": INT_MAX, "f16": 1.5, "f32": 2.5, "f64": 3.25,
        "b": True, "s": "text", "y": b"by"})


def test_numpy_scalars_inside_and_as_keys(client, new_key):
    client.put(new_key(np.int64(77)), {"l": [np.int32(1), np.float32(0.5)],
                                       "m": {np.int16(3): np.bool_(False)}})
    assert same(client.get(("test", "keys", 77)).bins, {"l": [1, 0.5], "m": {3: False}})
    client.increment(new_key(77), "n", np.int64(5))
    assert client.select(("test", "keys", 77), ["n"]).bins == {"n": 5}


def test_numpy_integers_have_64_bits(client, key):
    with pytest.raises(OverflowError):
        client.put(key, {"v": np.uint64(2**63)})


def test_numpy_arrays_are_refused(client, key):
    with pytest.raises(TypeError):
        client.put(key, {"v": np.arange(3)})
    with pytest.raises(TypeError):
        client.put(key, {"v": [np.zeros((2, 2))]})
