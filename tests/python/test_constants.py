"""Every constant of both peers, with its value, on the face it belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import aerospike_py
from aerospike_py import official

DATA = Path(__file__).resolve().parent.parent / "data"
KNOWN = json.loads((DATA / "constants.json").read_text())
OFFICIAL, OTHER = KNOWN["official"], KNOWN["aerospike_py"]

# Where the peers differ the main face has the Rust package's value, but for the four that no
# method of it takes.
AS_OFFICIAL = {"INDEX_BLOB", "INDEX_GEO2DSPHERE", "INDEX_NUMERIC", "INDEX_STRING"}
# Names of the official client alone whose number means something else in the Rust package.
MOVED = {"POLICY_EXISTS_CREATE": 4, "POLICY_EXISTS_CREATE_OR_REPLACE": 2,
         "POLICY_REPLICA_ANY": 5, "AUTH_EXTERNAL_INSECURE": 3, "SERIALIZER_JSON": 3}
SHIFT = 100_000  # of the numbers of operations, which mean others there


def on_the_main_face(name):
    if name in OTHER and name not in AS_OFFICIAL:
        return OTHER[name]
    if name in MOVED:
        return MOVED[name]
    if name.startswith("OP_"):
        return OFFICIAL[name] + SHIFT
    return OFFICIAL[name]


@pytest.mark.parametrize("name", sorted({*OTHER, *(n for n in OFFICIAL if n[0] != "_")}))
def test_the_main_face(name):
    assert getattr(aerospike_py, name) == on_the_main_face(name)
    assert type(getattr(aerospike_py, name)) is type(on_the_main_face(name))
    assert name in aerospike_py.__all__


@pytest.mark.parametrize("name", sorted(OFFICIAL))
def test_the_strict_face(name):
    assert getattr(official, name) == OFFICIAL[name]
    assert name[0] == "_" or name in official.__all__


def test_no_conflict_was_overlooked():
    differ = {n for n in OFFICIAL.keys() & OTHER.keys() if OFFICIAL[n] != OTHER[n]}
    assert differ == KNOWN["conflicts"].keys()
    assert differ >= AS_OFFICIAL


def test_numbers_of_one_kind_mean_one_thing():
    """A renumbered name must not fall on another meaning of its group."""
    for group, same in (("POLICY_REPLICA_", set()), ("AUTH_", set()),
                        ("POLICY_EXISTS_", {("UPDATE", "UPDATE_ONLY"),
                                            ("CREATE", "CREATE_ONLY"),
                                            ("CREATE_OR_REPLACE", "REPLACE")})):
        names = [n for n in aerospike_py.__all__ if n.startswith(group)]
        by_number = {}
        for name in names:
            by_number.setdefault(getattr(aerospike_py, name), []).append(name[len(group):])
        for shared in by_number.values():
            if len(shared) > 1:
                assert tuple(sorted(shared)) in same


def test_the_shifted_operations_do_what_they_say(client, key):
    client.operate(key, [{"op": aerospike_py.OP_LIST_APPEND, "bin": "l", "val": 1}])
    client.operate(key, [{"op": aerospike_py.OP_MAP_PUT, "bin": "m", "key": "k", "val": 1}])
    assert client.get(key).bins == {"l": [1], "m": {"k": 1}}


def test_no_name_appears_twice():
    for module in (aerospike_py, official):
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            getattr(module, name)
