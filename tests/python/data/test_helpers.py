"""The helpers of both peers: every function and class, its arguments, defaults and results."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import capture_helpers as capture
import pytest

SHIFT = 100000


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((capture.DATA / name).read_text(encoding="utf-8"))
    return found


def flat(found: dict[str, Any]) -> dict[str, Any]:
    """The official layout as the file has it."""
    rows: dict[str, Any] = {}
    for part, content in found.items():
        if part in ("operations", "expressions"):
            rows.update({f"{part}.{name}": rows for name, rows in content.items()})
        else:
            rows[part] = content
    made: dict[str, Any] = json.loads(json.dumps(rows))
    return made


def differences(want: Any, got: Any, path: str = "") -> Iterator[str]:
    """Where two trees differ; what `got` has beyond `want` does not count at the top levels."""
    if isinstance(want, dict) and isinstance(got, dict) and path.count("/") < 3:
        for name in want:
            if name not in got:
                yield f"{path}/{name}: missing"
            else:
                yield from differences(want[name], got[name], f"{path}/{name}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for i, (left, right) in enumerate(zip(want, got, strict=False)):
            yield from differences(left, right, f"{path}/{i}")
    elif want != got:
        yield f"{path}: {json.dumps(want)[:300]} != {json.dumps(got)[:300]}"


def unshift(value: Any) -> Any:
    """Codes of operations as the official helpers have them."""
    if isinstance(value, dict):
        return {k: v - SHIFT if k == "op" and isinstance(v, int) and v >= SHIFT else unshift(v)
                for k, v in value.items()}
    if isinstance(value, list):
        return [unshift(item) for item in value]
    return value - SHIFT if type(value) is int and SHIFT < value < SHIFT + 4000 else value


#: The operators of the official client lose brackets: a - (b - c) is a - b - c there, and powers
#: and remainders become nodes of three operands, which servers refuse. Here they mean what they
#: say.
BRACKETS = ("-", "/", "//", "**", "%")
#: An unhashable number is a TypeError here.
CORRECTED = {
    "/cdt_ctx/index_datatype_string/calls/3", "/cdt_ctx/index_type_string/calls/3",
    *(f"/trees/{tree.replace('o', sign)}" for sign in BRACKETS
      for tree in ("a o (b o c)", "(a o b) o (b o c)")),
    *(f"/trees/{tree.replace('o', sign)}" for sign in ("**", "%")
      for tree in ("a o b o c", "(a o b) o c")),
    "/trees/a // (b / c)", "/trees/(a / b) // c",
}
#: Seen in the official package only because its modules import them.
IMPORTED = {"NumericType", "RegexFlags", "ResultType", "ReturnType", "StringPolicy"}
#: Plain operations have other codes on the main face.
PLAIN = {1: 0, 2: 1, 5: 6, 12: 14}


def official_codes(rows: Any) -> Any:
    """The plain operations of the main face with the official codes."""
    if isinstance(rows, dict):
        return {k: PLAIN.get(v, v) if k == "op" and isinstance(v, int) else official_codes(v)
                for k, v in rows.items()}
    return [official_codes(row) for row in rows] if isinstance(rows, list) else rows


@pytest.mark.parametrize("root", ["aerospike_py.helpers", "aerospike_py.official.helpers"])
def test_official_helpers(root: str) -> None:
    """In the official order, with the official names and defaults."""
    want = load("helpers_official.json")
    got = flat(capture.capture_official(root))
    if "official" not in root:
        got["operations.operations"] = official_codes(got["operations.operations"])
    got = unshift(got)
    missing = set(want.pop("exported")) - set(got["exported"]) - IMPORTED
    wrong = [line for line in differences(want, got)
             if line.partition(": ")[0] not in CORRECTED]
    assert not missing and not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:30])


#: Of both peers at once: they take what either takes (tests of queries).
GEO = ("geo_contains_geojson_point", "geo_within_geojson_region", "geo_within_radius")


def without_extras(what: Any) -> Any:
    """The function without the keyword-only arguments that the Rust package does not have."""
    def call(*args: Any, **kwargs: Any) -> Any:
        return what(*args, **kwargs)

    kept = [p for p in inspect.signature(what).parameters.values()
            if p.name not in ("ctx", "inverted") or p.kind is not p.KEYWORD_ONLY]
    call.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return call


def test_main_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """aerospike_py.list_operations and its sisters, exp, predicates; plain dicts, as there.

    Ours take more arguments, by keyword only: `ctx` and `inverted`.
    """
    found = capture.public_functions
    monkeypatch.setattr(capture, "public_functions", lambda module: (
        (name, without_extras(what)) for name, what in found(module)))
    want = load("helpers_rust.json")
    for name in GEO:
        del want["predicates"][name]
    got = json.loads(json.dumps(capture.capture_rust("aerospike_py")))
    wrong = list(differences(want, got))
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:30])
    assert sum(len(rows) for rows in want.values()) > 200


def test_names_that_are_seen_beside_the_expressions() -> None:
    from aerospike_py.helpers import expressions, string_helpers
    from aerospike_py.helpers.expressions import resources

    for name in ("NumericType", "RegexFlags", "StringPolicy"):
        assert getattr(expressions, name) is getattr(string_helpers, name)
    assert expressions.ReturnType is resources.ReturnType
