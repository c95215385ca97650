"""The golden vectors in words of our own helpers: their descriptions to calls.

``tests/wire/golden/wire-vectors.jsonl`` says of each vector which helper made it, with which
arguments, in a notation of its own; `Face` turns that into what the modules of one face give.
"""

from __future__ import annotations

import importlib
import inspect
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "wire" / "golden" / "wire-vectors.jsonl"
MORE = ROOT / "tests" / "data" / "more_vectors.jsonl"

OPERATIONS = ("list_operations", "map_operations", "bitwise_operations", "hll_operations",
              "string_operations", "expression_operations", "operations")
STEPS = {"filter": "all_children_with_filter", "keys_in": "map_keys_in"}

Vector = dict[str, Any]


def vectors(path: Path = VECTORS) -> Iterator[Vector]:
    """All vectors but the first line, which describes them."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            vector = json.loads(line)
            if vector["kind"] != "meta":
                yield vector


class Face:
    """The helpers and the types of one face, or of a package laid out like it.

    Parameters
    ----------
    types : str
        The module with GeoJSON and its like.
    helpers : str
        The package of helpers.
    """

    def __init__(self, types: str, helpers: str) -> None:
        self.types = importlib.import_module(types)
        self.root = helpers
        self.hll = importlib.import_module(helpers).HyperLogLog
        self.exps = self.module("expressions")
        self.ctxs = self.module("cdt_ctx")
        self.strings = self.module("string_helpers")

    def module(self, name: str) -> ModuleType:
        """A module of the helpers."""
        return importlib.import_module(f"{self.root}.{name}")

    # ---- values ----

    def value(self, told: Any) -> Any:
        """The value, context, policy or expression that the notation tells."""
        if isinstance(told, dict):
            if len(told) == 1 and (name := next(iter(told))).startswith("$"):
                return self.tagged(name[1:], told[name])
            return told
        if isinstance(told, list):
            if told and isinstance(told[0], str):
                made = self.expression_class(told[0])
                if made is not None:
                    return made(*map(self.value, told[1:]))
            return [self.value(item) for item in told]
        return told

    def tagged(self, tag: str, told: Any) -> Any:
        """A value that JSON cannot say."""
        makers: dict[str, Any] = {
            "bytes": bytes.fromhex,
            "bytearray": bytearray.fromhex,
            "geo": lambda text: self.types.GeoJSON(json.loads(text)),
            "hll": lambda text: self.hll(bytes.fromhex(text)),
            "map": lambda pairs: {self.value(k): self.value(v) for k, v in pairs},
            "omap": lambda pairs: self.types.KeyOrderedDict(
                {self.value(k): self.value(v) for k, v in pairs}),
            "inf": lambda _: self.types.CDTInfinite(),
            "wild": lambda _: self.types.CDTWildcard(),
            "null": lambda _: None,
            "list": lambda items: [self.value(item) for item in items],
            "policy": lambda policy: policy,
            "strpolicy": lambda flags: self.strings.StringPolicy(self.strings.WriteFlags(flags)),
            "numeric": self.strings.NumericType,
            "regex": self.strings.RegexFlags,
            "ctx": self.context,
        }
        return makers[tag](told)

    def expression_class(self, name: str) -> Any:
        """The class of an expression; None: it is a plain text."""
        if name.startswith("Str:"):
            return getattr(self.module("expressions.string"), name[4:])
        return getattr(self.exps, name, None) if name[0].isupper() else None

    def context(self, steps: list[list[Any]]) -> list[Any]:
        """A context."""
        return [self.step(name, [self.value(arg) for arg in args]) for name, *args in steps]

    def step(self, name: str, args: list[Any]) -> Any:
        """One step of a context; filters take compiled expressions."""
        if name in ("filter", "and_filter"):
            args = [args[0].compile()]
        return getattr(self.ctxs, f"cdt_ctx_{STEPS.get(name, name)}")(*args)

    # ---- operations ----

    def function(self, vector: Vector) -> Any:
        """The helper of a vector: strings are asked for by the vector's group."""
        name = vector["op"]["fn"]
        strings = vector["id"].startswith("string.")
        for stem in OPERATIONS:
            if strings == (stem == "string_operations"):
                found = getattr(self.module(f"operations.{stem}"), name, None)
                if found is not None:
                    return found
        raise LookupError(f"no helper {name}")

    def arguments(self, vector: Vector, names: Any) -> dict[str, Any]:
        """The arguments of a vector's helper."""
        args = {name: self.context(told) if name == "ctx" else self.value(told)
                for name, told in vector["op"]["args"].items()}
        if "policy" in args and "map_policy" in names:
            args["map_policy"] = args.pop("policy")
        for name in ("expr", "expression"):
            if hasattr(args.get(name), "compile"):
                args[name] = args[name].compile()
        return args

    def operation(self, vector: Vector) -> dict[str, Any]:
        """What the helper of the vector gives."""
        what = self.function(vector)
        names = inspect.signature(what).parameters
        args = self.arguments(vector, names)
        made: dict[str, Any] = what("b", **args)
        return made

    def expression(self, vector: Vector) -> Any:
        """The tree of a vector of an expression."""
        told = vector.get("exp") or vector.get("exp_write") or vector.get("filter")
        return self.value(told["exp"] if isinstance(told, dict) else told)


def split_operation(packed: bytes) -> tuple[int, int, str, str]:
    """Type, particle, bin and payload (hex) of the one operation of a message."""
    size, kind, particle, _, name = struct.unpack_from(">IBBBB", packed)
    assert size + 4 == len(packed)
    return kind, particle, packed[8:8 + name].decode(), packed[8 + name:].hex()
