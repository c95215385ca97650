"""Write down what the helpers of other packages return, to compare ours with it.

Run by a developer, with the interpreter of an environment that has the package::

    <python with aerospike>     tools/capture_helpers.py official
    <python with aerospike-py>  tools/capture_helpers.py rust

Written: tests/data/helpers_<package>.json. The tests import this file and call the same
functions on our own modules, so that the calls and the notation stand here only.

Nothing but names, signatures and results of calls is taken.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import math
import operator
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"

OPERATIONS = ("operations", "list_operations", "map_operations", "bitwise_operations",
              "hll_operations", "expression_operations", "string_operations")
EXPRESSIONS = ("base", "list", "map", "bitwise", "bitwise_operators", "arithmetic", "hll",
               "string")
CLASSES = {
    "batch.records": ("BatchRecord", "Write", "Read", "Apply", "Remove", "BatchRecords"),
    "metrics": ("MetricsListeners", "MetricsPolicy"),
    "string_helpers": ("RegexFlags", "WriteFlags", "NumericType", "StringPolicy"),
}
RUST = ("list_operations", "map_operations", "bit_operations", "hll_operations", "exp",
        "predicates")
FALSY: tuple[Any, ...] = (None, 0, [], {})


# ---- notation ----


def encode(value: Any) -> Any:
    """The value as JSON; what JSON lacks is a dict with one key that begins with a dollar."""
    if isinstance(value, enum.Enum):
        return {"$enum": [type(value).__name__, value.value]}
    if value is None or isinstance(value, (bool, int, float)) or type(value) is str:
        return value
    if isinstance(value, (bytes, bytearray)):
        return {"$" + type(value).__name__: bytes(value).hex()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        if all(type(key) is str for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"$dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if hasattr(value, "compile"):
        return {"$expression": encode(value.compile())}
    if hasattr(value, "extra_args"):
        return {"$ctx": [encode(value.id), encode(value.value), encode(value.extra_args)]}
    content = getattr(value, "__dict__", {})
    return {"$" + type(value).__name__: {k: encode(v) for k, v in sorted(content.items())
                                         if not k.startswith("_")}}


def signature(what: Callable[..., Any]) -> list[list[Any]]:
    """Names, kinds and defaults of the parameters."""
    found = []
    for param in inspect.signature(what).parameters.values():
        default = "$none" if param.default is param.empty else encode(param.default)
        found.append([param.name, param.kind.name, default])
    return found


def outcome(what: Callable[..., Any], args: tuple[Any, ...] = (),
            kwargs: dict[str, Any] | None = None) -> Any:
    """What the call gives, or the class of what it raises."""
    try:
        return encode(what(*args, **(kwargs or {})))
    except Exception as error:
        return {"$raises": type(error).__name__}


# ---- operations ----


def public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Functions that the module defines itself."""
    for name, what in sorted(vars(module).items()):
        if inspect.isfunction(what) and what.__module__ == module.__name__ and name[0] != "_":
            yield name, what


def samples(root: str) -> dict[str, Any]:
    """A value for each parameter that needs one of a certain type."""
    ctx = importlib.import_module(f"{root}.cdt_ctx")
    texts = importlib.import_module(f"{root}.string_helpers")
    expressions = importlib.import_module(f"{root}.expressions")
    return {
        "ctx": [ctx.cdt_ctx_map_key("k"), ctx.cdt_ctx_list_index(-1)],
        "expr": expressions.Eq(expressions.IntBin("a"), 7).compile(),
        "expression": expressions.Eq(expressions.IntBin("a"), 7).compile(),
        "inverted": True, "pad": True, "persist_index": True, "sign": True,
        "invert_size": True, "policy": {"some": "policy"}, "map_policy": {"some": "policy"},
        "numeric_type": texts.NumericType.INT,
        "regex_flags": texts.RegexFlags.MULTILINE,
    }


def argument(name: str, known: dict[str, Any]) -> Any:
    """The sample for a parameter."""
    return known.get(name, f"<{name}>")


def calls_of(what: Callable[..., Any], known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Keyword arguments: as few as possible, all, and each alone in several values."""
    params = inspect.signature(what).parameters.values()
    needed = {p.name: argument(p.name, known) for p in params if p.default is p.empty}
    optional = [p.name for p in params if p.default is not p.empty]
    yield needed
    yield {**needed, **{name: argument(name, known) for name in optional}}
    for name in optional:
        yield {**needed, name: argument(name, known)}
        for value in FALSY:
            yield {**needed, name: value}
    for name in needed:
        for value in (None, []):
            yield {**needed, name: value}


def capture_functions(module: ModuleType, known: dict[str, Any]) -> dict[str, Any]:
    """Signature and results of every public function of a module."""
    return {name: {"signature": signature(what),
                   "calls": [outcome(what, kwargs=kwargs) for kwargs in calls_of(what, known)]}
            for name, what in public_functions(module)}


# ---- contexts ----


def capture_ctx(root: str) -> dict[str, Any]:
    """The builders of contexts."""
    module = importlib.import_module(f"{root}.cdt_ctx")
    known = samples(root)
    expressions = importlib.import_module(f"{root}.expressions")
    known["keys"] = ["a", 2]
    found = capture_functions(module, known)
    for name in ("cdt_ctx_all_children_with_filter", "cdt_ctx_and_filter"):
        tree = expressions.GT(expressions.LoopVarInt(1), 2)
        found[name]["calls"].append(outcome(getattr(module, name), (tree.compile(),)))
    return found


# ---- expressions ----


def classes_of(module: ModuleType) -> Iterator[tuple[str, type]]:
    """Expression classes that the module defines itself."""
    for name, what in sorted(vars(module).items()):
        if (inspect.isclass(what) and what.__module__ == module.__name__ and name[0] != "_"
                and hasattr(what, "compile")):
            yield name, what


def expression_calls(cls: type, root: str) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Arguments for a class, positional and by keyword."""
    e = importlib.import_module(f"{root}.expressions")
    texts = importlib.import_module(f"{root}.string_helpers")
    known = {**samples(root), "bin": "b", "map_value": "m", "return_type": 7,
             "value_type": e.ResultType.INTEGER, "index": 3, "count": 2, "rank": 1, "flags": 4,
             "var_id": 1, "mod": 3, "list": [1, "x"], "keys": ["a", "b"], "values": [1, 2],
             "map": {"k": 1}, "byte_size": 4, "byte_offset": 1, "bit_offset": 8,
             "bit_size": 5, "shift": 2, "action": 2, "mod_exp": e.IntBin("a").compile()}
    params = list(inspect.signature(cls).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in params):
        a, b = e.IntBin("a"), e.IntBin("b")
        for args in ((), (a,), (a, b), (a, b, 3), (1, 2.5, "text", b"bytes"), (cls(a, b), a),
                     (a, cls(a, b)), (e.And(a, b), e.Or(a, b)), (None, True, [1], {"k": "v"})):
            yield args, {}
        return
    base = {p.name: argument(p.name, known) for p in params if p.default is p.empty}
    yield (), base
    inner = e.Add(e.IntBin("x"), 1)
    strings = cls.__module__.endswith("expressions.string")
    for p in params:
        values = [None, 0, True, b"raw", [1, [2]], inner]
        if p.name == "policy":
            values = [None, {}, {"flags": 5}, {"bit_write_flags": 2}, {"map_order": 1}]
            if strings:
                values = [None, texts.StringPolicy(),
                          texts.StringPolicy(texts.WriteFlags.NO_FAIL)]
        elif p.name == "return_type":
            values = [0, 1, 6, 7, 8, 13]
        elif p.name == "value_type":
            values = [0, 4, 9]
        elif p.name == "ctx":
            values = [None, [], known["ctx"]]
        for value in values:
            yield (), {**base, p.name: value}
    if strings:
        yield (), {**base, **({"policy": texts.StringPolicy(texts.WriteFlags.UPDATE_ONLY)}
                              if "policy" in base else {})}
    if "inverted" in {p.name for p in params}:
        for return_type in ((0, 5, 7, 13) if "return_type" in base else (None,)):
            more = {} if return_type is None else {"return_type": return_type}
            yield (), {**base, **more, "inverted": True}


def expression_outcome(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The compiled list, or what was raised."""
    return outcome(lambda: cls(*args, **kwargs).compile())


def capture_expressions(module: ModuleType, root: str) -> dict[str, Any]:
    """Signature and compiled forms of every class of a module."""
    return {name: {"signature": signature(cls),
                   "bases": [b.__name__ for b in cls.__mro__[1:-1]
                                if b.__name__[0] != "_" and b.__module__.startswith(root)],
                   "calls": [expression_outcome(cls, args, kwargs)
                             for args, kwargs in expression_calls(cls, root)]}
            for name, cls in classes_of(module)}


def trees(root: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Larger expressions and the overloaded operators."""
    e = importlib.import_module(f"{root}.expressions")
    a, b, c = e.IntBin("a"), e.IntBin("b"), e.FloatBin("c")
    binary = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
              "//": operator.floordiv, "**": operator.pow, "%": operator.mod}
    for sign, run in binary.items():
        yield f"a {sign} b", lambda run=run: run(a, b)
        yield f"a {sign} 2", lambda run=run: run(a, 2)
        yield f"a {sign} 'text'", lambda run=run: run(a, "text")
        yield f"a {sign} b {sign} c", lambda run=run: run(run(a, b), c)
        yield f"a {sign} (b {sign} c)", lambda run=run: run(a, run(b, c))
        yield f"(a {sign} b) {sign} (b {sign} c)", lambda run=run: run(run(a, b), run(b, c))
        for other, inner in binary.items():
            yield (f"(a {sign} b) {other} c",
                   lambda run=run, inner=inner: inner(run(a, b), c))
            yield (f"a {other} (b {sign} c)",
                   lambda run=run, inner=inner: inner(a, run(b, c)))
    yield "abs(a)", lambda: abs(a)
    yield "abs(abs(a))", lambda: abs(abs(a))
    yield "floor(c)", lambda: math.floor(c)
    yield "ceil(c)", lambda: math.ceil(c)
    yield "ceil(floor(c) + a)", lambda: math.ceil(math.floor(c) + a)
    yield "Add(a, b) + c", lambda: e.Add(a, b) + c
    yield "Add(Add(a, b), c)", lambda: e.Add(e.Add(a, b), c)
    yield "And", lambda: e.And(e.Eq(a, 1), e.Not(e.Or(e.GT(b, 2), e.LT(c, 2.5))))
    yield "Let", lambda: e.Let(e.Def("x", a + b), e.Def("y", e.Var("x") * 2),
                               e.Cond(e.GT(e.Var("y"), 10), e.Var("x"), e.Unknown()))
    yield "nested bin", lambda: e.ListGetByIndex(
        None, 7, e.ResultType.MAP, 0, e.MapGetByKey(None, 7, e.ResultType.LIST, "k", "m"))


def capture_trees(root: str) -> dict[str, Any]:
    """The compiled forms of the larger expressions."""
    return {name: outcome(lambda build=build: build().compile()) for name, build in trees(root)}


# ---- classes ----


def capture_classes(root: str) -> dict[str, Any]:
    """Signatures and the attributes of an instance made from samples."""
    found: dict[str, Any] = {}
    for path, names in CLASSES.items():
        module = importlib.import_module(f"{root}.{path}")
        for name in names:
            cls = getattr(module, name)
            if issubclass(cls, enum.Enum):
                found[f"{path}.{name}"] = {n: m.value for n, m in cls.__members__.items()}
                continue
            params = inspect.signature(cls).parameters.values()
            kwargs = {p.name: f"<{p.name}>" for p in params if p.default is p.empty
                      and p.kind is p.POSITIONAL_OR_KEYWORD}
            made = cls(**kwargs)
            found[f"{path}.{name}"] = {
                "signature": signature(cls),
                "bases": [b.__name__ for b in cls.__mro__[1:-1]],
                "instance": {k: encode(v) for k, v in sorted(vars(made).items())}}
    made = importlib.import_module(root).HyperLogLog(b"\x00\x01")
    found["HyperLogLog"] = {"repr": repr(made), "str": str(made)}
    return found


# ---- the packages ----


def capture_official(root: str) -> dict[str, Any]:
    """Everything of a package that is laid out as aerospike_helpers."""
    def module(part: str, name: str) -> ModuleType:
        return importlib.import_module(f"{root}.{part}.{name}")

    exported = importlib.import_module(f"{root}.expressions")
    return {
        "operations": {name: capture_functions(module("operations", name), samples(root))
                       for name in OPERATIONS},
        "cdt_ctx": capture_ctx(root),
        "expressions": {name: capture_expressions(module("expressions", name), root)
                        for name in EXPRESSIONS},
        "exported": sorted(name for name, what in vars(exported).items()
                           if name[0] != "_" and inspect.isclass(what)
                           and what.__module__.startswith(root)),
        "trees": capture_trees(root),
        "classes": capture_classes(root),
    }


def exp_samples() -> dict[str, Any]:
    """Values for builders of aerospike_py.exp; the others are texts."""
    return {"policy": {"some": "policy"}}


def capture_exp(module: ModuleType) -> dict[str, Any]:
    """Builders of dicts; those with ``*exprs`` in several lengths."""
    found = {}
    for name, what in public_functions(module):
        params = list(inspect.signature(what).parameters.values())
        if any(p.kind is p.VAR_POSITIONAL for p in params):
            calls = [outcome(what, args) for args in
                     ((), ("x",), ("x", "y"), ("x", "y", "z"), ("w", "x", "y", "z"))]
        else:
            calls = [outcome(what, kwargs=kwargs) for kwargs in calls_of(what, exp_samples())]
        found[name] = {"signature": signature(what), "calls": calls}
    return found


def capture_rust(root: str) -> dict[str, Any]:
    """The modules of builders of the Rust package."""
    found: dict[str, Any] = {}
    for name in RUST:
        module = importlib.import_module(f"{root}.{name}")
        found[name] = capture_exp(module) if name == "exp" else capture_functions(
            module, {"policy": {"some": "policy"}})
        found[f"{name} numbers"] = {k: v for k, v in sorted(vars(module).items())
                                    if type(v) is int}
    return found


def capture_surface(root: str) -> dict[str, Any]:
    """Names of the Rust package and signatures of its classes."""
    package = importlib.import_module(root)
    found: dict[str, Any] = {"all": sorted(package.__all__)}
    found["numbers"] = {n: getattr(package, n) for n in package.__all__
                        if type(getattr(package, n)) is int}
    for cls in (package.Client, package.AsyncClient):
        found[cls.__name__] = {
            name: signature(getattr(cls, name)) for name in sorted(dir(cls))
            if name[0] != "_" and callable(getattr(cls, name))}
    found["functions"] = {n: signature(getattr(package, n)) for n in sorted(package.__all__)
                          if inspect.isroutine(getattr(package, n))}
    found["tuples"] = {n: [list(getattr(package, n)._fields),
                           {k: encode(v) if not isinstance(v, tuple) else encode(tuple(v))
                            for k, v in getattr(package, n)._field_defaults.items()}]
                       for n in sorted(package.__all__)
                       if hasattr(getattr(package, n), "_fields")}
    found["dicts"] = {n: sorted(getattr(package, n).__annotations__)
                      for n in sorted(package.__all__)
                      if hasattr(getattr(package, n), "__total__")}
    return found


def capture_names() -> dict[str, Any]:
    """Public names of the official extension module."""
    package = importlib.import_module("aerospike")
    names = [n for n in dir(package) if not n.startswith("__")]
    return {
        "constants": {n: getattr(package, n) for n in names
                      if type(getattr(package, n)) in (int, str)},
        "functions": sorted(n for n in names if inspect.isroutine(getattr(package, n))),
        "classes": sorted(n for n in names if inspect.isclass(getattr(package, n))),
        "client": sorted(n for n in dir(package.Client) if n[0] != "_"),
        "exceptions": {n: {"bases": [b.__name__ for b in what.__bases__],
                           "code": getattr(what, "code", None)}
                       for n, what in vars(package.exception).items() if inspect.isclass(what)},
        "predicates": sorted(n for n in dir(package.predicates) if n[0] != "_"),
    }


def write(name: str, found: dict[str, Any]) -> None:
    """Write a file of the tests' data."""
    lines = []
    for part, content in found.items():
        if isinstance(content, dict) and content:
            rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"
                              for key, value in content.items())
            lines.append(f" {json.dumps(part)}: {{\n{rows}\n }}")
        else:
            lines.append(f" {json.dumps(part)}: {json.dumps(content)}")
    (DATA / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(argv: list[str]) -> int:
    if argv == ["official"]:
        found = capture_official("aerospike_helpers")
        flat: dict[str, Any] = {}
        for part, content in found.items():
            if part in ("operations", "expressions"):
                flat.update({f"{part}.{name}": rows for name, rows in content.items()})
            else:
                flat[part] = content
        write("helpers_official.json", flat)
        write("surface_official.json", capture_names())
        return 0
    if argv == ["rust"]:
        write("helpers_rust.json", capture_rust("aerospike_py"))
        write("surface_rust.json", capture_surface("aerospike_py"))
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
