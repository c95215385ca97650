"""Expressions: the model evaluates a random typed tree while it is built."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable
from random import Random
from typing import Any

from aerospike_py import _aerospike
from aerospike_py.helpers import expressions as e
from aerospike_py.helpers.operations import expression_operations as ops

from .values import MISSING, NOTHING, Fail, L, M, compare, key, same, scalar, to_python

Env = dict[str, Any]
Eval = Callable[[Env], Any]
Node = tuple[Any, Eval]  # the expression, and its value in given bins and variables

TOP = 2**63


class DeadlyError(Exception):
    """The least integer by -1: a server 8.1.2 ends."""


class UnknownError(Exception):
    """The value cannot be told."""


def unknown(env: Env) -> Any:
    raise UnknownError


def wrap(number: int) -> int:
    return (number + TOP) % (2 * TOP) - TOP


def unsigned(number: int) -> int:
    return number % (2 * TOP)


# ---- leaves ----

BINS = {"int": ("i", "j"), "float": ("f", "g"), "str": ("s",), "bool": ("t",), "list": ("l",),
        "map": ("m",), "blob": ("x",)}
CLASSES = {"int": e.IntBin, "float": e.FloatBin, "str": e.StrBin, "bool": e.BoolBin,
           "list": e.ListBin, "map": e.MapBin, "blob": e.BlobBin}
TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": L, "map": M,
         "blob": bytes}
RESULT = {"int": 2, "float": 7, "str": 3, "bool": 1}


def bin_of(kind: str, name: str) -> Node:
    def run(env: Env) -> Any:
        found = env.get(name, MISSING)
        if type(found) is not TYPES[kind]:
            raise UnknownError
        return found

    return CLASSES[kind](name), run


def literal(r: Random, kind: str) -> Node:
    made: Any = {
        "int": lambda: r.choice([0, 1, 2, 5, -1, 7, 64, 2**40, TOP - 1, -TOP]),
        "float": lambda: r.choice([0.0, 1.0, 2.5, -3.0, 1e10]),
        "str": lambda: r.choice(["", "a", "ab", "b", "xyz"]),
        "bool": lambda: r.random() < 0.5,
        "list": lambda: L([r.randint(0, 5) for _ in range(r.randint(0, 3))]),
        "blob": lambda: r.choice([b"", b"a", b"\xff"]),
    }[kind]()
    return to_python(made), lambda env: made


def leaf(r: Random, kind: str, names: dict[str, str]) -> Node:
    known = [name for name, its in names.items() if its == kind]
    if known and r.random() < 0.5:
        name = r.choice(known)
        return e.Var(name), lambda env: env["$" + name](env)
    if r.random() < 0.5 or kind == "map":
        bins = (*BINS[kind], "none") if r.random() < 0.15 else BINS[kind]
        return bin_of(kind, r.choice(bins))
    return literal(r, kind)


# ---- inner nodes ----


def logic(r: Random, depth: int, names: dict[str, str]) -> Node:
    name = r.choice(["And", "Or", "Exclusive", "Not"])
    if name == "Not":
        inner, run = tree(r, "bool", depth, names)
        return e.Not(inner), lambda env: not run(env)
    parts = [tree(r, "bool", depth, names) for _ in range(r.randint(2, 3))]

    def evaluate(env: Env) -> Any:
        found: list[Any] = []
        for _, run in parts:
            try:
                found.append(run(env))
            except UnknownError:
                found.append(None)
        if name == "Exclusive":
            for i, value in enumerate(found):  # the second true ends it
                if value is None:
                    raise UnknownError
                if found[:i + 1].count(True) == 2:
                    return False
            return found.count(True) == 1
        decides = name == "Or"
        if decides in found:
            return decides
        if None in found:
            raise UnknownError
        return not decides

    return getattr(e, name)(*(part for part, _ in parts)), evaluate


COMPARE = {"Eq": lambda c: c == 0, "NE": lambda c: c != 0, "GT": lambda c: c > 0,
           "GE": lambda c: c >= 0, "LT": lambda c: c < 0, "LE": lambda c: c <= 0}


def comparison(r: Random, depth: int, names: dict[str, str]) -> Node:
    kind = r.choice(["int", "int", "float", "str", "bool", "list", "blob"])
    name = r.choice(list(COMPARE))
    (a, left), (b, right) = (tree(r, kind, depth, names) for _ in "ab")

    def evaluate(env: Env) -> Any:
        x, y = left(env), right(env)
        if isinstance(x, float) and (math.isnan(x) or math.isnan(y)):
            return name == "NE"
        return COMPARE[name](compare(x, y))

    return getattr(e, name)(a, b), evaluate


def quotient(values: list[int]) -> int:
    below = 1
    for value in values[1:]:
        below = wrap(below * value)
    above = values[0] if len(values) > 1 else 1
    below = below if len(values) > 1 else values[0]
    if below == 0:
        raise UnknownError
    if (above, below) == (-TOP, -1):
        raise DeadlyError
    found = abs(above) // abs(below)
    return wrap(found if (above < 0) == (below < 0) else -found)


def remainder(a: int, b: int) -> int:
    if b == 0:
        raise UnknownError
    if (a, b) == (-TOP, -1):
        raise DeadlyError
    found = abs(a) % abs(b)
    return -found if a < 0 else found


def shift(name: str, a: int, n: int) -> int:
    n %= 64
    if name == "IntLeftShift":
        return wrap(a << n)
    if name == "IntRightShift":
        return wrap(unsigned(a) >> n)
    return a >> n


def folded(op: Callable[[Any, Any], Any], values: list[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = op(found, value)
    return found


MANY: dict[str, Callable[[list[int]], int]] = {
    "Add": lambda v: wrap(sum(v)),
    "Sub": lambda v: wrap(v[0] - sum(v[1:])) if len(v) > 1 else wrap(-v[0]),
    "Mul": lambda v: wrap(math.prod(v)), "Div": quotient, "Min": min, "Max": max,
    "IntAnd": lambda v: folded(lambda a, b: a & b, v),
    "IntOr": lambda v: folded(lambda a, b: a | b, v),
    "IntXOr": lambda v: folded(lambda a, b: a ^ b, v),
}
ONE: dict[str, Callable[[int], int]] = {
    "Abs": lambda a: wrap(abs(a)), "IntNot": lambda a: ~a,
    "IntCount": lambda a: unsigned(a).bit_count(),
}
TWO: dict[str, Callable[[int, int], int]] = {
    "Mod": remainder,
    **{name: functools.partial(shift, name)
       for name in ("IntLeftShift", "IntRightShift", "IntArithmeticRightShift")},
}


def apply(make: Any, parts: list[Node], run: Callable[..., Any]) -> Node:
    return (make(*(part for part, _ in parts)),
            lambda env: run(*[evaluate(env) for _, evaluate in parts]))


def integer(r: Random, depth: int, names: dict[str, str]) -> Node:
    how = r.randrange(9)
    if how < 3:
        name = r.choice(list(MANY))
        parts = [tree(r, "int", depth, names) for _ in range(r.randint(2, 3))]
        return apply(getattr(e, name), parts, lambda *v: MANY[name](list(v)))
    if how == 3:
        name = r.choice(list(ONE))
        return apply(getattr(e, name), [tree(r, "int", depth, names)], ONE[name])
    if how == 4:
        name = r.choice(list(TWO))
        second = (literal(r, "int") if name == "Mod" else
                  (lambda n: (n, lambda env: n))(r.randint(0, 66)))
        return apply(getattr(e, name), [tree(r, "int", depth, names), second], TWO[name])
    if how == 5:
        inner = tree(r, "list", depth, names)
        return e.ListSize(None, typed(inner[0], "list")), lambda env: len(inner[1](env).items)
    if how == 6:
        return scan(r, depth, names)
    if how == 7:
        return map_get(r, "int")
    inner = tree(r, "float", depth, names)

    def cut(number: float) -> int:
        return int(number) if -2.0**63 <= number < 2.0**63 else -TOP

    return e.ToInt(inner[0]), lambda env: cut(inner[1](env))


def typed(made: Any, kind: str) -> Any:
    """A list literal as an expression of its own."""
    return e.Val(made) if isinstance(made, list) else made


def scan(r: Random, depth: int, names: dict[str, str]) -> Node:
    name = r.choice(["IntLeftScan", "IntRightScan"])
    inner, run = tree(r, "int", depth, names)
    look = r.random() < 0.5

    def evaluate(env: Env) -> int:
        bits = f"{unsigned(run(env)):064b}"
        found = "1" if look else "0"
        return bits.find(found) if name == "IntLeftScan" else bits.rfind(found)

    return getattr(e, name)(inner, look), evaluate


def map_get(r: Random, kind: str) -> Node:
    """The value under a key, which may be of another type."""
    wanted = r.choice(["a", "b", "c", 1, 2])
    its, run = bin_of("map", "m")

    def evaluate(env: Env) -> Any:
        found = next((v for k, v in run(env).pairs if same(k, wanted)), None)
        if type(found) is not TYPES[kind]:
            raise UnknownError
        return found

    return e.MapGetByKey(None, 7, RESULT[kind], wanted, its), evaluate


def floating(r: Random, depth: int, names: dict[str, str]) -> Node:
    how = r.randrange(4)
    if how == 0:
        return apply(e.ToFloat, [tree(r, "int", depth, names)], float)
    if how == 1:
        name = r.choice(["Floor", "Ceil", "Abs"])
        run = {"Floor": lambda v: math.copysign(float(math.floor(v)), v) if math.isfinite(v) else v,
               "Ceil": lambda v: math.copysign(float(math.ceil(v)), v) if math.isfinite(v) else v,
               "Abs": abs}[name]
        return apply(getattr(e, name), [tree(r, "float", depth, names)], run)
    name = r.choice(["Add", "Sub", "Mul", "Min", "Max"])
    run2: Any = {"Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b,
                 "Min": lambda a, b: b if b < a else a, "Max": lambda a, b: b if b > a else a}[name]
    return apply(getattr(e, name), [tree(r, "float", depth, names) for _ in "ab"], run2)


def truth(r: Random, depth: int, names: dict[str, str]) -> Node:
    how = r.randrange(8)
    if how < 3:
        return comparison(r, depth, names)
    if how < 6:
        return logic(r, depth, names)
    if how == 6:
        name = r.choice(["i", "l", "none", "b"])
        return e.BinExists(name), lambda env: env.get(name, MISSING) is not MISSING
    item, run = tree(r, "int", depth, names)
    held, items = bin_of("list", "l")
    return apply(e.InList, [(item, run), (held, items)],
                 lambda item, held: any(same(item, v) for v in held.items))


def listing(r: Random, depth: int, names: dict[str, str]) -> Node:
    """A list: a bin, what an operation leaves of it, or a part of it."""
    held, run = bin_of("list", "l")
    how = r.randrange(3)
    if how == 0:
        item, evaluate = tree(r, "int", depth, names)
        return (e.ListAppend(None, None, item, held),
                lambda env: L([*run(env).items, evaluate(env)]))
    if how == 1:
        return e.ListSort(None, 0, held), lambda env: L(sorted(run(env).items, key=key))
    begin, end = sorted(r.choices(range(8), k=2))
    return (e.ListGetByValueRange(None, 7, begin, end, held),
            lambda env: L([v for v in run(env).items if type(v) is int and begin <= v < end]))


def cond(r: Random, kind: str, depth: int, names: dict[str, str]) -> Node:
    tests = [tree(r, "bool", depth, names) for _ in range(r.randint(1, 2))]
    values = [tree(r, kind, depth, names) for _ in range(len(tests) + 1)]
    parts = []
    for test, value in zip(tests, values, strict=False):
        parts += [test[0], value[0]]

    def evaluate(env: Env) -> Any:
        for test, value in zip(tests, values, strict=False):
            if test[1](env):
                return value[1](env)
        return values[-1][1](env)

    return e.Cond(*parts, values[-1][0]), evaluate


def let(r: Random, kind: str, depth: int, names: dict[str, str]) -> Node:
    name = f"v{r.randrange(10**6)}"  # a name is used once, in the whole expression
    its = r.choice(["int", "bool", "str"])
    made, run = tree(r, its, depth, names)
    body, evaluate = tree(r, kind, depth, {**names, name: its})

    def both(env: Env) -> Any:
        with contextlib.suppress(UnknownError):  # which matters only where it is used
            run(env)
        return evaluate({**env, "$" + name: lambda _: run(env)})

    return e.Let(e.Def(name, made), body), both


INNER: dict[str, Callable[[Random, int, dict[str, str]], Node]] = {
    "bool": truth, "int": integer, "float": floating, "list": listing,
}


def tree(r: Random, kind: str, depth: int, names: dict[str, str]) -> Node:
    if depth <= 0 or r.random() < 0.15:
        return leaf(r, kind, names)
    roll = r.random()
    if roll < 0.08:
        return cond(r, kind, depth - 1, names)
    if roll < 0.16:
        return let(r, kind, depth - 1, names)
    if roll < 0.18 and kind == "bool":  # its type, for a server
        return e.Unknown(), unknown
    if kind not in INNER:
        return leaf(r, kind, names)
    return INNER[kind](r, depth - 1, names)


def as_expression(made: Any) -> Any:
    return made if hasattr(made, "compile") else e.Val(made)


def safe_tree(r: Random, kind: str, bins: dict[str, Any]) -> Node:
    while True:
        made, evaluate = tree(r, kind, r.randint(1, 4), {})
        try:
            evaluate(bins)
        except UnknownError:
            pass
        except DeadlyError:
            continue
        return made, evaluate


def draw(r: Random, bins: dict[str, Any]) -> tuple[str, dict[str, Any], Any]:
    """A random tree, read under a name or written to the bin "b"."""
    kind = r.choice(["bool", "int", "int", "float", "str", "list"])
    made, evaluate = safe_tree(r, kind, bins)
    made = as_expression(made).compile()
    no_fail = r.random() < 0.2
    writes = r.random() < 0.3
    flags = r.choice([0, 0, 1, 2, 9, 10]) if writes else 0
    op = (ops.expression_write("b", made, flags | 16 * no_fail) if writes
          else ops.expression_read("answer", made, 16 * no_fail))

    def run(bins: dict[str, Any]) -> Any:
        exists = bins.get("b", MISSING) is not MISSING
        for flag, wrong, code in ((1, exists, 6), (2, not exists, 17)):
            if flags & flag and wrong:
                if flags & 8:
                    return NOTHING
                raise Fail(code)
        try:
            found = evaluate(bins)
        except UnknownError:
            if no_fail:
                return NOTHING
            raise Fail(26) from None
        if writes:
            bins["b"] = found
            return NOTHING
        return found

    text = f"{'write' if writes else 'read'} {kind} {_aerospike.compile_expression(made)}"
    return f"{text} flags {flags}{' no fail' * no_fail}", op, run


def start(r: Random) -> Any:
    """The bins that expressions read."""
    bins: dict[str, Any] = {
        "i": r.choice([0, 5, -7, 42, TOP - 1]), "j": r.randint(-3, 9),
        "f": r.choice([0.0, 2.5, -1.5, 1e18, 1e19]), "g": r.choice([1.0, 3.0]),
        "s": r.choice(["", "a", "ab"]), "t": r.random() < 0.5, "x": r.choice([b"", b"a", b"ab"]),
        "l": L([scalar(r) if r.random() < 0.3 else r.randint(0, 7)
                for _ in range(r.randint(0, 5))]),
        "m": M([(k, r.choice([1, 5, "x", 2.5, True])) for k in r.sample(["a", "b", "c", 1, 2], 3)]),
    }
    if r.random() < 0.2:
        del bins[r.choice(list(bins))]
    return bins
