"""Byte for byte: what other clients send, from our helpers on both faces."""

from __future__ import annotations

import base64
import json
import pickle

import pytest
from golden import MORE, Face, Vector, split_operation, vectors

import aerospike_py
from aerospike_py import _aerospike

FACES = {
    "main": Face("aerospike_py", "aerospike_py.helpers"),
    "official": Face("aerospike_py.official", "aerospike_py.official.helpers"),
}
#: Maps with keys that are floats or bools: the official client leaves those entries out and
#: stores an empty map, which here is refused.
DROPPED_KEYS = {"particle.put.36", "particle.put.37"}
SENT = [v for v in [*vectors(), *vectors(MORE)] if v["src"] == "client"]


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> Face:
    return FACES[request.param]


def is_strict(face: Face) -> bool:
    return face.root.startswith("aerospike_py.official")


def malformed(vector: Vector) -> bool:
    """Not followed: see test_map_increment_with_policy."""
    told = vector.get("exp") or [""]
    return told[0] == "MapIncrement" and bool(told[2]) and bool(told[2]["$policy"])


def of_kind(*kinds: str) -> list[Vector]:
    return [v for v in SENT if v["kind"] in kinds]


def report(wrong: list[str], count: int) -> None:
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:20])


def test_operations(face: Face) -> None:
    """Every operation of every family, with contexts and policies."""
    rows = of_kind("op")
    wrong = []
    for vector in rows:
        packed = _aerospike.pack_operations([face.operation(vector)], is_strict(face))
        sent = split_operation(packed)
        if sent != (vector["wire_op"], vector["wire_pt"], "b", vector["hex"]):
            wrong.append(f"{vector['id']} {json.dumps(vector['op'])[:200]}: {sent}")
    assert len(rows) > 1000
    report(wrong, len(rows))


def test_expressions(face: Face) -> None:
    """Every class, from the flat list that compile() gives and from the object itself."""
    rows = of_kind("exp", "filter")
    wrong = []
    for vector in rows:
        tree = face.expression(vector)
        for form in (tree, tree.compile()):
            made = bytes(_aerospike.compile_expression(form)).hex()
            if made != vector["hex"] and not malformed(vector):
                wrong.append(f"{vector['id']} {json.dumps(vector.get('exp'))[:200]}: {made}")
    assert len(rows) > 300
    report(wrong, len(rows))


def test_expression_operations(face: Face) -> None:
    """Expressions that are written, and read under a name."""
    module = face.module("operations.expression_operations")
    for vector in of_kind("exp_write"):
        told = vector["exp_write"]
        op = module.expression_write(told["bin"], face.expression(vector).compile(),
                                     told["flags"])
        sent = split_operation(_aerospike.pack_operations([op], is_strict(face)))
        assert sent == (8, vector["wire_pt"], told["bin"], vector["hex"]), vector["id"]
    for vector in of_kind("exp"):
        read = vector.get("read_op", {"hex": ""})
        if read["hex"].endswith("00") and not malformed(vector):  # flags 0
            op = module.expression_read("b", face.expression(vector).compile())
            sent = split_operation(_aerospike.pack_operations([op], is_strict(face)))
            assert sent == (read["wire_op"], read["wire_pt"], "b", read["hex"]), vector["id"]


def test_base64_both_ways() -> None:
    """The text form of each expression, there and back; pickled, too."""
    for vector in of_kind("exp", "filter"):
        if malformed(vector):
            continue
        made = _aerospike.compile_expression(FACES["main"].expression(vector))
        text = base64.b64encode(bytes.fromhex(vector["hex"])).decode()
        assert made.to_base64() == text == vector.get("b64", text)
        for copy in (_aerospike.Expression(text), pickle.loads(pickle.dumps(made))):
            assert copy == made and hash(copy) == hash(made)
            assert copy.to_base64() == text


def test_contexts(face: Face) -> None:
    """A context alone, as an index or info command names it: inside an operation."""
    module = face.module("operations.list_operations")
    for vector in of_kind("ctx"):
        op = module.list_size("b", ctx=face.context(vector["ctx"]))
        sent = split_operation(_aerospike.pack_operations([op], is_strict(face)))
        assert sent[3] == f"93ccff{vector['hex']}9110", vector["id"]
        assert base64.b64encode(bytes.fromhex(vector["hex"])).decode() == vector["b64"]


def test_values(face: Face) -> None:
    """Whole bins: type and bytes of every kind of value."""
    write = face.module("operations.operations").write
    refused = set()
    for vector in of_kind("particle"):
        if "value" not in vector:
            continue
        op = write("b", face.value(vector["value"]))
        try:
            packed = _aerospike.pack_operations([op], is_strict(face))
        except aerospike_py.exception.ParamError:
            refused.add(vector["id"])
            continue
        assert split_operation(packed) == (2, vector["wire_pt"], "b", vector["hex"]), vector["id"]
    assert refused == DROPPED_KEYS


def test_map_increment_with_policy() -> None:
    """The one vector that is not followed: an array of four that has five elements.

    The official client writes the count of elements without the write flags that follow; every
    server answers 4. Here the count is right, and the flags, which the operation does not have,
    are left out.
    """
    exps = FACES["main"].exps
    for policy, order in (({"map_order": 1, "map_write_flags": 2}, "01"), (None, "")):
        made = exps.MapIncrement(None, policy, "a", 5, "m")
        count = 3 + len(order) // 2
        assert bytes(made.compile and _aerospike.compile_expression(made)).hex() == (
            f"957f05409{count}49a2036105{order}935105a16d")
