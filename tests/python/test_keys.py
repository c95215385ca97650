"""Keys: their shapes, what they mean, and what is refused."""

from __future__ import annotations

import pytest

import aerospike_py
from aerospike_py import exception as ex

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def digest_of(key):
    return aerospike_py.calc_digest(key[0], key[1], key[2])


# ---- what is taken ----


@pytest.mark.parametrize("user_key", [
    "k", "", "clé ☃ 𝄞", "x" * 100_000, 0, 1, -1, INT_MIN, INT_MAX, bytearray(b"\x00\xff"), b"bytes",
], ids=lambda k: f"{type(k).__name__}-{len(str(k))}")
def test_a_user_key_is_a_str_an_int_or_bytes(face, new_key, user_key):
    key = new_key(user_key)
    face.put(key, {"a": 1})
    assert face.get(key)[2] == {"a": 1}
    assert face.exists(key)[1] is not None


@pytest.mark.parametrize("set_name", ["s", "ensemble-é", "", None])
def test_a_set_is_a_str_or_none(face, new_key, set_name):
    key = new_key(f"sets-{set_name}", set_name=set_name)
    face.put(key, {"a": 1})
    assert face.get(key)[2] == {"a": 1}


def test_a_record_in_no_set_has_the_empty_set_or_none(client, strict, new_key):
    key = new_key("no-set", set_name=None)
    client.put(key, {"a": 1})
    assert client.get(("test", "", "no-set")).bins == {"a": 1}
    assert strict.get(key)[0][1] is None


def test_a_digest_is_enough(face, key):
    face.put(key, {"a": 1, "s": "b"})
    at = ("test", key[1], None, bytearray(digest_of(key)))
    got, _, bins = face.get(at)
    assert bins == {"a": 1, "s": "b"}
    assert got[2] is None
    assert got[3] == digest_of(key)
    face.put(at, {"a": 2})
    assert face.select(at, ["a"])[2] == {"a": 2}
    assert face.exists(at)[1] is not None
    face.append(at, "s", "c")
    face.prepend(at, "s", "a")
    face.increment(at, "a", 5)
    face.touch(at)
    face.operate(at, [{"op": aerospike_py.OPERATOR_APPEND, "bin": "s", "val": "d"}])
    assert face.select(at, ["s"])[2] == {"s": "abcd"}
    face.remove_bin(at, ["s"])
    assert face.get(key)[2] == {"a": 7}
    face.remove(at)
    assert face.exists(key)[1] is None


def test_a_digest_may_be_bytes(client, key):
    client.put(key, {"a": 1})
    at = ("test", key[1], None, bytes(digest_of(key)))
    assert client.get(at).bins == {"a": 1}


def test_a_digest_of_bytes_is_refused_by_the_strict_face(strict, key):
    with pytest.raises(ex.ParamError, match="digest is invalid. expected a bytearray") as e:
        strict.get(("test", key[1], None, bytes(20)))
    assert e.value.code == -2


def test_with_a_key_and_a_digest_the_key_wins(face, key):
    face.put(key, {"a": 1})
    assert face.get((*key, bytearray(20)))[2] == {"a": 1}


def test_bytes_hash_as_a_str_and_a_bytearray_as_a_blob(client, new_key):
    client.put(new_key("same"), {"from": "str"})
    client.put(new_key(bytearray(b"same")), {"from": "blob"})
    assert client.get(("test", "keys", b"same")).bins == {"from": "str"}
    assert client.get(("test", "keys", bytearray(b"same"))).bins == {"from": "blob"}


def test_a_nul_in_a_key_counts(client, new_key):
    client.put(new_key("a\0b"), {"v": 1})
    client.put(new_key("a"), {"v": 2})
    assert client.get(("test", "keys", "a\0b")).bins == {"v": 1}


def test_the_strict_face_cuts_a_key_at_nul(client, strict, new_key):
    strict.put(new_key("cut\0b"), {"v": 1})
    assert client.get(new_key("cut")).bins == {"v": 1}


def test_a_subclass_of_a_tuple_is_a_key(face, key):
    face.put(key, {"a": 1})
    got = face.get(key)[0]
    named = aerospike_py.AerospikeKey(*key, got[3])
    assert face.get(named)[2] == {"a": 1}


def test_a_key_that_was_read_is_a_key(face, key):
    face.put(key, {"a": 1})
    again = face.exists(key)[0]
    assert face.get(again)[2] == {"a": 1}


def test_the_parts_of_a_key_may_stand_in_a_dict(face, key):
    at = {"ns": key[0], "set": key[1], "key": key[2]}
    face.put(at, {"a": 1})
    assert face.get(key)[2] == {"a": 1}
    assert face.get({"ns": "test", "set": key[1], "digest": bytearray(digest_of(key))})[2]


# ---- what comes back ----


def test_the_key_comes_back_as_it_was_given(client, new_key):
    for user_key in ("k", 7, b"by", bytearray(b"ba")):
        key = new_key(user_key)
        client.put(key, {"a": 1})
        got = client.get(key).key
        assert isinstance(got, aerospike_py.AerospikeKey)
        assert got == (*key, got.digest)
        assert type(got.user_key) is type(user_key)
        assert type(got.digest) is bytes
        assert len(got.digest) == 20
        assert client.select(key, ["a"]).key == got
        assert client.exists(key).key == got


def test_a_digest_that_came_back_is_hashable(client, key):
    client.put(key, {"a": 1})
    assert {client.get(key).key.digest: 1}


def test_key_policy_digest_leaves_the_user_key_out(client, key):
    client.put(key, {"a": 1})
    policy = {"key": aerospike_py.POLICY_KEY_DIGEST}
    assert client.get(key, policy).key.user_key is None
    policy = {"key": aerospike_py.POLICY_KEY_SEND}
    assert client.get(key, policy).key.user_key == key[2]


def test_the_strict_face_echoes_the_key_of_get_only_if_it_is_sent(strict, key):
    strict.put(key, {"a": 1})
    assert strict.get(key)[0] == (*key[:2], None, bytearray(digest_of(key)))
    assert strict.get(key, {"key": aerospike_py.POLICY_KEY_SEND})[0][2] == key[2]
    assert type(strict.get(key)[0]) is tuple
    assert type(strict.get(key)[0][3]) is bytearray


def test_the_strict_face_echoes_the_key_of_the_others_always(strict, key):
    strict.put(key, {"a": 1})
    assert strict.select(key, ["a"])[0][2] == key[2]
    assert strict.exists(key)[0][2] == key[2]


def test_a_key_that_is_sent_is_stored(client, new_key):
    key = new_key()
    send = {"key": aerospike_py.POLICY_KEY_SEND}
    client.put(key, {"a": 1}, policy=send)
    other = ("test", key[1], "another key", digest_of(key))
    # the digest is that of the key that is given, so a wrong stored key cannot be asked for
    assert client.get(other[:2] + (None,) + other[3:]).bins == {"a": 1}


# ---- what is refused ----

CALLS = {
    "get": lambda c, k: c.get(k),
    "put": lambda c, k: c.put(k, {"a": 1}),
    "exists": lambda c, k: c.exists(k),
    "select": lambda c, k: c.select(k, ["a"]),
    "remove": lambda c, k: c.remove(k),
    "touch": lambda c, k: c.touch(k),
    "append": lambda c, k: c.append(k, "a", "x"),
    "prepend": lambda c, k: c.prepend(k, "a", "x"),
    "increment": lambda c, k: c.increment(k, "a", 1),
    "remove_bin": lambda c, k: c.remove_bin(k, ["a"]),
    "operate": lambda c, k: c.operate(k, [{"op": aerospike_py.OPERATOR_TOUCH}]),
    "operate_ordered": lambda c, k: c.operate_ordered(k, [{"op": aerospike_py.OPERATOR_TOUCH}]),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("bad", [None, "", "key", 1, 1.5, ["test", "s", 1], {"test"}],
                         ids=lambda b: type(b).__name__ + str(b)[:3])
def test_a_key_is_a_tuple(face, name, bad):
    with pytest.raises(ex.ParamError) as e:
        CALLS[name](face, bad)
    assert e.value.msg == "key is invalid"
    assert e.value.code == -2
    assert isinstance(e.value, TypeError)
    assert "key" in str(e.value)


@pytest.mark.parametrize("bad", [(), ("test",), ("test", "s"), ("test", 1), (1, 2, 3, 4, 5)])
def test_a_key_has_three_or_four_parts(face, bad):
    with pytest.raises(ex.ParamError) as e:
        face.get(bad)
    assert e.value.msg == ("key tuple must be (Namespace, Set, Key) or "
                           "(Namespace, Set, None, Digest)")
    assert isinstance(e.value, ValueError)


@pytest.mark.parametrize("bad", [None, 1, 1.5, False, [], {}, (), b"test"])
def test_a_namespace_is_a_str(face, bad):
    with pytest.raises(ex.ParamError, match="namespace") as e:
        face.get((bad, "s", 1))
    assert e.value.msg == "namespace must be a string"
    assert isinstance(e.value, TypeError)


@pytest.mark.parametrize("bad", [1, 1.5, False, [], {}, ()])
def test_a_set_is_a_str(face, bad):
    with pytest.raises(ex.ParamError) as e:
        face.get(("test", bad, 1))
    assert e.value.msg == "set must be a string"
    assert isinstance(e.value, TypeError)


@pytest.mark.parametrize("bad", [[], {}, (), 1.5, object(), {1}])
def test_a_user_key_of_another_type_is_refused(face, bad):
    with pytest.raises(ex.ParamError) as e:
        face.get(("test", "s", bad))
    assert e.value.msg == "key is invalid"
    assert isinstance(e.value, (TypeError, ValueError))


def test_none_needs_a_digest(face):
    with pytest.raises(ex.ParamError) as e:
        face.get(("test", "s", None))
    assert e.value.msg == "either key or digest is required"
    assert isinstance(e.value, ValueError)


@pytest.mark.parametrize("bad", [INT_MAX + 1, INT_MIN - 1, 2**64, 2**200])
def test_an_int_key_has_64_bits(face, bad):
    with pytest.raises(ex.ParamError, match=r"exceeds sys\.maxsize"):
        face.get(("test", "s", bad))
    with pytest.raises(OverflowError):
        face.get(("test", "s", bad))


def test_an_empty_bytearray_is_no_key(face):
    with pytest.raises(ex.ParamError):
        face.get(("test", "s", bytearray()))


@pytest.mark.parametrize("bad", ["x" * 20, 20, [0] * 20])
def test_a_digest_is_bytes(face, bad):
    with pytest.raises(ex.ParamError, match="digest is invalid"):
        face.get(("test", "s", None, bad))


@pytest.mark.parametrize("size", [0, 1, 19, 21])
def test_a_digest_has_twenty_bytes(face, size):
    with pytest.raises(ex.ParamError, match="digest size is invalid") as e:
        face.get(("test", "s", None, bytearray(size)))
    assert isinstance(e.value, ValueError)


def test_a_bool_is_no_key(client):
    with pytest.raises(ValueError, match="key"):
        client.get(("test", "s", True))


def test_a_bool_is_an_int_to_the_strict_face(strict, new_key):
    strict.put(new_key(1), {"a": 1})
    assert strict.get(("test", "keys", True))[2] == {"a": 1}


@pytest.mark.parametrize("name", CALLS)
def test_a_namespace_that_does_not_exist(face, name):
    with pytest.raises(ex.NamespaceNotFound) as e:
        CALLS[name](face, ("nowhere", "s", 1))
    assert e.value.code == 20


def test_a_name_of_a_set_that_is_too_long_is_refused(face):
    with pytest.raises(ex.AerospikeError):
        face.put(("test", "s" * 64, 1), {"a": 1})


def test_surrogates_are_no_text(face):
    for bad in (("te\ud800st", "s", 1), ("test", "\ud800", 1), ("test", "s", "\ud800")):
        with pytest.raises(ex.ClientError):
            face.get(bad)


# ---- the digest ----

DIGESTS = {
    -1: "22116d253745e29fc63fdf760b6e26f7e197e01d", 0: "93d943aae37b017ad7e011b0c1d2e2143c2fb37d",
    1: "82d7213b469812947c109a6d341e3b5b1dedec1f",
    -128: "93191e549f8f3548d7e2cfc958ddc8c65bcbe4c6",
    127: "a58f7d98bf60e10fe369c82030b1c9dee053def9",
    255: "5a7dd3ea237c30c8735b051524e66fd401a10f6a", "": "2819b1ff6e346a43b4f5f6b77a88bc3eaac22a83",
    "s": "607cddba7cd111745ef0a3d783d57f0e83c8f311",
    "a" * 10: "5979fb32a80da070ff356f7695455592272e36c2",
}
BLOB_DIGESTS = {
    b"s": "ca2d96dc9a184d15a7fa2927565e844e9254e001",
    b"a" * 10: "d10982327b2b04c7360579f252e164a75f83cd99",
}


@pytest.mark.parametrize("user_key", DIGESTS)
def test_digests_are_those_of_other_clients(client, user_key):
    want = bytes.fromhex(DIGESTS[user_key])
    for namespace in ("test", "another", "é"):
        got = aerospike_py.calc_digest(namespace, "set", user_key)
        assert type(got) is bytearray
        assert got == want
        assert client.get_key_digest(namespace, "set", user_key) == want


@pytest.mark.parametrize("user_key", BLOB_DIGESTS)
def test_digests_of_blobs(user_key):
    got = aerospike_py.calc_digest("test", "set", bytearray(user_key))
    assert got == bytes.fromhex(BLOB_DIGESTS[user_key])


def test_digests_with_other_sets():
    assert aerospike_py.calc_digest("test", "", 1).hex() == \
        "a443f05d05d962202b59abb402afae1737dbf66a"
    assert aerospike_py.calc_digest("test", "demo", 1).hex() == \
        "b7f4b83889e2da67de683e1df6919a1eacc446c8"


def test_the_digest_is_the_one_the_server_is_asked_for(face, key):
    face.put(key, {"a": 1})
    assert face.get(key)[0][3] == aerospike_py.calc_digest(*key)


def test_a_partition_is_twelve_bits_of_the_digest(client):
    for user_key in ("a", 1, bytearray(b"x")):
        digest = aerospike_py.calc_digest("test", "demo", user_key)
        want = int.from_bytes(digest[:2], "little") & 0xfff
        assert client.get_key_partition_id("test", "demo", user_key) == want
        assert aerospike_py.get_partition_id(digest) == want
        assert aerospike_py.get_partition_id(bytes(digest)) == want
        assert aerospike_py.get_partition_id(bytes(digest).decode("latin-1")) == want


@pytest.mark.parametrize("bad", [(1, "s", 1), ("test", 1, 1), ("test", "s", []),
                                 ("test", "s", None), ("test", "s", 1.5)])
def test_a_partition_has_a_key(face, bad):
    with pytest.raises(ex.ParamError):
        face.get_key_partition_id(*bad)


def test_calc_digest_refuses_types_with_a_type_error():
    from aerospike_py import official

    for calc in (aerospike_py.calc_digest, official.calc_digest):
        with pytest.raises(TypeError, match="Namespace should be a string"):
            calc(1, "s", 1)
        with pytest.raises(TypeError, match="Set should be a string or unicode"):
            calc("test", 1, 1)
        for bad in ([], {}, None, 1.5):
            with pytest.raises(TypeError, match="Key is invalid"):
                calc("test", "s", bad)
        with pytest.raises(TypeError, match="'?ns'?|namespace"):
            calc()
        with pytest.raises(TypeError, match="set"):
            calc("test")
        with pytest.raises(ex.ParamError):
            calc("test", "s", 2**64)
        with pytest.raises(ex.ParamError):
            calc("test", "s", bytearray())
    with pytest.raises(TypeError, match="Key is invalid"):
        official.calc_digest("test", "s", b"bytes")
    assert official.calc_digest("t", "s", True) == official.calc_digest("t", "s", 1)
