"""append, prepend, increment and touch."""

from __future__ import annotations

import math

import pytest

import aerospike_py
from aerospike_py import exception as ex, official

# ---- append and prepend ----


def test_append_and_prepend_strings(face, key):
    assert face.append(key, "s", "b") == 0
    assert face.append(key, "s", "c") == 0
    assert face.prepend(key, "s", "a") == 0
    assert face.get(key)[2] == {"s": "abc"}
    assert face.append(key, "s", "é☃") == 0
    assert face.append(key, "s", "") == 0
    assert face.get(key)[2] == {"s": "abcé☃"}


@pytest.mark.parametrize("blob", [bytes, bytearray])
def test_append_and_prepend_bytes(face, key, blob):
    face.append(key, "b", blob(b"\x01"))
    face.append(key, "b", blob(b"\x02"))
    face.prepend(key, "b", blob(b"\x00"))
    assert face.get(key)[2] == {"b": b"\0\1\2"}


@pytest.mark.parametrize("call", ["append", "prepend"])
def test_they_need_the_type_of_the_bin(face, key, call):
    face.put(key, {"n": 1, "s": "x", "b": b"x"})
    for name, value in (("n", "x"), ("s", b"x"), ("b", "x")):
        with pytest.raises(ex.BinIncompatibleType) as e:
            getattr(face, call)(key, name, value)
        assert e.value.code == 12
        assert e.value.bin == name
        assert isinstance(e.value, ex.BinTypeError)


@pytest.mark.parametrize("call", ["append", "prepend"])
@pytest.mark.parametrize("bad", [1, 1.5, {}, [], None, True])
def test_they_take_text_or_bytes(face, key, call, bad):
    with pytest.raises(ex.ParamError) as e:
        getattr(face, call)(key, "s", bad)
    assert e.value.msg == "Cannot concatenate 'str' and 'non-str' objects"
    assert isinstance(e.value, ex.BinTypeError)
    assert face.exists(key)[1] is None


@pytest.mark.parametrize("call", ["append", "prepend"])
@pytest.mark.parametrize("bad", [1, None, ["a"], b"a"])
def test_the_bin_is_a_str(face, key, call, bad):
    if isinstance(bad, bytes):
        pytest.importorskip("aerospike_py")
    with pytest.raises(ex.ParamError) as e:
        getattr(face, call)(key, bad, "x")
    assert e.value.msg == "Bin name should be of type string"


@pytest.mark.parametrize("call", ["append", "prepend"])
def test_their_generation_policies(face, key, call):
    face.put(key, {"name": "x"})
    for meta, policy in (({"gen": 9}, {"gen": 1}), ({"gen": 1}, {"gen": 2})):
        with pytest.raises(ex.RecordGenerationError) as e:
            getattr(face, call)(key, "name", "y", meta, policy)
        assert e.value.bin == "name"
        assert e.value.key == key
    assert getattr(face, call)(key, "name", "y", {"gen": 1}, {"gen": 1}) == 0


@pytest.mark.needs_ttl
@pytest.mark.parametrize("call, value", [("append", "x"), ("prepend", "x"), ("increment", 1)])
def test_their_ttl(face, key, call, value):
    getattr(face, call)(key, "b", value, {"ttl": 300})
    assert 290 <= face.get(key)[1]["ttl"] <= 300
    getattr(face, call)(key, "b", value, policy={"ttl": 600})
    assert 590 <= face.get(key)[1]["ttl"] <= 600


# ---- increment ----


def test_increment(face, key):
    assert face.increment(key, "n", 5) == 0
    face.increment(key, "n", -7)
    face.increment(key, "f", 1.5)
    face.increment(key, "f", 2.25)
    bins = face.get(key)[2]
    assert bins == {"n": -2, "f": 3.75}
    assert type(bins["n"]) is int
    assert type(bins["f"]) is float


def test_increment_of_large_floats(face, key):
    face.increment(key, "f", 1.7976931348623157e308)
    face.increment(key, "f", 1.7976931348623157e308)
    assert face.get(key)[2]["f"] == math.inf


def test_increment_needs_the_type_of_the_bin(face, key):
    face.put(key, {"n": 1, "f": 1.5, "s": "x"})
    for name, value in (("n", 1.5), ("f", 1), ("s", 1)):
        with pytest.raises(ex.BinIncompatibleType):
            face.increment(key, name, value)


@pytest.mark.parametrize("bad", ["1", bytearray(b"1"), None, [], {}])
def test_increment_takes_a_number(face, key, bad):
    with pytest.raises(ex.ParamError) as e:
        face.increment(key, "n", bad)
    assert e.value.msg == "Unsupported operand type(s) for +: only 'int' allowed"
    assert isinstance(e.value, TypeError)
    assert face.exists(key)[1] is None


def test_a_bool_is_no_number(client, strict, key):
    with pytest.raises(TypeError):
        client.increment(key, "n", True)
    strict.increment(key, "n", True)
    assert strict.get(key)[2] == {"n": 1}


def test_increment_of_64_bits(face, key):
    face.increment(key, "n", 2**63 - 1)
    assert face.get(key)[2]["n"] == 2**63 - 1
    for bad in (2**63, -(2**63) - 1, 2**70):
        with pytest.raises(ex.ParamError):
            face.increment(key, "m", bad)
        with pytest.raises(OverflowError):
            face.increment(key, "m", bad)


def test_the_bin_of_increment_is_a_str(face, key):
    for bad in (None, 1, ["n"]):
        with pytest.raises(ex.ParamError, match=r"(?i)bin"):
            face.increment(key, bad, 1)


# ---- touch ----


def test_touch_raises_the_generation(face, key):
    face.put(key, {"a": 1})
    assert face.touch(key) == 0
    assert face.get(key)[1]["gen"] == 2


@pytest.mark.needs_ttl
def test_touch_renews_the_ttl(face, key):
    face.put(key, {"a": 1}, {"ttl": 100})
    assert face.touch(key, 1000) == 0
    assert 990 <= face.get(key)[1]["ttl"] <= 1000
    face.touch(key, val=500)
    assert 490 <= face.get(key)[1]["ttl"] <= 500
    face.touch(key, meta={"ttl": 700})
    assert 690 <= face.get(key)[1]["ttl"] <= 700
    face.touch(key, aerospike_py.TTL_NEVER_EXPIRE)
    assert face.get(key)[1]["ttl"] == 4294967295
    face.touch(key, 300)
    face.touch(key, official.TTL_NEVER_EXPIRE)
    assert face.get(key)[1]["ttl"] == 4294967295


def test_touch_of_a_missing_record(face, key):
    with pytest.raises(ex.RecordNotFound) as e:
        face.touch(key)
    assert e.value.code == 2


@pytest.mark.parametrize("bad", ["1", 1.5, [], {}])
def test_touch_takes_an_int(face, key, bad):
    with pytest.raises(ex.ParamError, match=r"(?i)val|touch"):
        face.touch(key, bad)


def test_touch_of_a_generation(face, key):
    face.put(key, {"a": 1})
    with pytest.raises(ex.RecordGenerationError):
        face.touch(key, 0, {"gen": 7}, {"gen": 1})
    assert face.touch(key, 0, {"gen": 1}, {"gen": 1}) == 0


def test_touch_refuses_a_ttl_that_means_nothing(client, key):
    client.put(key, {"a": 1})
    for bad in (-5, 2**64):
        with pytest.raises(ex.InvalidArgError):
            client.touch(key, bad)
    with pytest.raises(ex.ClientError):
        client.touch(key, 0, {"ttl": 2**64})
