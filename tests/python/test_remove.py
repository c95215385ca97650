"""remove and remove_bin."""

from __future__ import annotations

import warnings

import pytest

from aerospike_py import exception as ex, official


def test_remove_gives_0(face, key):
    face.put(key, {"a": 1})
    assert face.remove(key) == 0
    assert face.exists(key)[1] is None


def test_remove_of_a_missing_record(face, key):
    with pytest.raises(ex.RecordNotFound) as e:
        face.remove(key)
    assert e.value.code == 2
    assert e.value.key == key


def test_remove_of_a_generation(client, key):
    client.put(key, {"a": 1})
    client.put(key, {"a": 1})
    with pytest.raises(ex.RecordGenerationError):
        client.remove(key, {"gen": 1})
    assert client.remove(key, {"gen": 2}) == 0


@pytest.mark.parametrize("policy", [1, 2])
def test_remove_with_a_generation_policy(face, key, policy):
    face.put(key, {"a": 1})
    face.put(key, {"a": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the strict face
        with pytest.raises(ex.RecordGenerationError):
            face.remove(key, {"gen": 1}, {"gen": policy})
        assert face.remove(key, {"gen": 2 if policy == 1 else 3}, {"gen": policy}) == 0


def test_the_strict_face_ignores_meta_without_a_policy(strict, key):
    strict.put(key, {"a": 1})
    with pytest.warns(DeprecationWarning, match="meta"):
        assert strict.remove(key, {"gen": 9}) == 0


def test_the_strict_face_takes_the_generation_in_the_policy(strict, key):
    strict.put(key, {"a": 1})
    eq = {"gen": official.POLICY_GEN_EQ, "generation": 5}
    with pytest.raises(ex.RecordGenerationError):
        strict.remove(key, policy=eq)
    assert strict.remove(key, policy={**eq, "generation": 1}) == 0


def test_remove_bin(face, key):
    face.put(key, {"a": 1, "b": 2, "c": 3})
    assert face.remove_bin(key, ["a", "c"]) == 0
    assert face.get(key)[2] == {"b": 2}
    assert face.remove_bin(key, ["nowhere"]) == 0
    assert face.get(key)[2] == {"b": 2}
    assert face.remove_bin(key, ["b"]) == 0
    assert face.exists(key)[1] is None


def test_remove_bin_of_a_generation(face, key):
    face.put(key, {"a": 1, "b": 2})
    for gen, policy in ((2, 1), (1, 2)):
        with pytest.raises(ex.RecordGenerationError):
            face.remove_bin(key, ["a"], {"gen": gen}, {"gen": policy})
    assert face.get(key)[2] == {"a": 1, "b": 2}
    assert face.remove_bin(key, ["a"], {"gen": 1}, {"gen": 1}) == 0


def test_remove_bin_takes_a_list(face, key):
    for bad in (None, "a", ("a",), {"a"}, 1):
        with pytest.raises(ex.ParamError, match=r"(?i)bin"):
            face.remove_bin(key, bad)
        with pytest.raises(TypeError):
            face.remove_bin(key, bad)


def test_the_texts_of_remove_bin(strict, key):
    with pytest.raises(ex.ParamError) as e:
        strict.remove_bin(key, None)
    assert e.value.msg == "Bins should be a list"


def test_remove_bin_takes_names(face, key):
    for bad in ([1], [None], ["a", b"b"]):
        with pytest.raises(ex.ClientError):
            face.remove_bin(key, bad)


def test_remove_bin_of_no_bins(face, key):
    face.put(key, {"a": 1})
    with pytest.raises(ex.InvalidRequest) as e:
        face.remove_bin(key, [])
    assert e.value.code == 4
    assert face.get(key)[2] == {"a": 1}


def test_both_names_of_the_argument(client, strict, key):
    client.put(key, {"a": 1, "b": 2, "c": 3})
    client.remove_bin(key, bin_names=["a"])
    client.remove_bin(key, list=["b"])
    assert client.get(key).bins == {"c": 3}
    with pytest.raises(TypeError):
        client.remove_bin(key, bin_names=["a"], list=["b"])
    strict.remove_bin(key, list=["c"])
