"""Values of the model: plain Python, and the order that a server gives them.

Written from the description of the data model (docs/wire/cdt.md), not from the server's code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from random import Random
from typing import Any

import aerospike_py
from aerospike_py import CDTInfinite, CDTWildcard, GeoJSON, HyperLogLog, KeyOrderedDict


class Fail(Exception):
    """The server refuses with this code, and nothing changes."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Noop(Exception):
    """NO_FAIL: the operation succeeds, and nothing changes, not even by its context."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer)
        self.answer = answer


class Marker:
    """A value that is only itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


MISSING = Marker("MISSING")   # no such bin
NOTHING = Marker("NOTHING")   # no answer
SILENT = Marker("SILENT")     # an operation that never answers
ANY = Marker("ANY")           # the model does not say which
INF = Marker("INF")
WILD = Marker("WILD")


class Bag(list[Any]):
    """An answer whose order the model does not say."""


class Geo(str):
    """GeoJSON, opaque here."""

    __slots__ = ()


class L:
    """A list; `ordered` lists are kept sorted."""

    __slots__ = ("items", "ordered")

    def __init__(self, items: list[Any], ordered: bool = False) -> None:
        self.items = sorted(items, key=key) if ordered else list(items)
        self.ordered = ordered

    def __repr__(self) -> str:
        return f"L({self.items!r}{', ordered' if self.ordered else ''})"


class M:
    """A map: pairs in the order of keys; `order` is 0, 1 or 3."""

    __slots__ = ("order", "pairs")

    def __init__(self, pairs: list[tuple[Any, Any]], order: int = 0) -> None:
        self.pairs = sorted(pairs, key=lambda pair: key(pair[0]))
        self.order = order

    def __repr__(self) -> str:
        return f"M({self.pairs!r}{f', order={self.order}' if self.order else ''})"


# ---- order ----

RANKS: dict[type, int] = {type(None): 0, bool: 1, int: 2, str: 3, L: 4, M: 5, bytes: 6,
                          float: 7, Geo: 8}


def rank(value: Any) -> int:
    return 9 if value is INF else RANKS[type(value)]


class Wild(Exception):
    """A wildcard ends a comparison."""


def order(a: Any, b: Any) -> int:
    if a is WILD or b is WILD:
        raise Wild
    ra, rb = rank(a), rank(b)
    if ra != rb:
        return -1 if ra < rb else 1
    if isinstance(a, L):
        for x, y in zip(a.items, b.items, strict=False):
            if found := order(x, y):
                return found
        return (len(a.items) > len(b.items)) - (len(a.items) < len(b.items))
    if isinstance(a, M):
        if len(a.pairs) != len(b.pairs):
            return 1 if len(a.pairs) > len(b.pairs) else -1
        for left, right in zip(a.pairs, b.pairs, strict=False):
            for x, y in zip(left, right, strict=False):
                if found := order(x, y):
                    return found
        return 0
    if a is INF or a is None:
        return 0
    if isinstance(a, str):
        a, b = a.encode(), b.encode()
    return int(a > b) - int(a < b)


def compare(a: Any, b: Any) -> int:
    """Negative, 0 or positive; a wildcard is equal to all that is left to compare."""
    try:
        return order(a, b)
    except Wild:
        return 0


key = functools.cmp_to_key(compare)


def same(a: Any, b: Any) -> bool:
    return compare(a, b) == 0


# ---- to and from what clients take ----


def to_python(value: Any) -> Any:
    """As a client is given it."""
    if isinstance(value, L):
        return [to_python(item) for item in value.items]
    if isinstance(value, M):
        made = {to_python(k): to_python(v) for k, v in value.pairs}
        return KeyOrderedDict(made) if value.order else made
    if isinstance(value, Geo):
        return GeoJSON(str(value))
    if value is INF:
        return CDTInfinite()
    if value is WILD:
        return CDTWildcard()
    return value


def canon(value: Any, flags: bool = True) -> Any:
    """A form in which 1, 1.0 and True differ; the same for a model's value and a client's.

    Maps inside lists are told without their flags: items that differ in nothing else are equal,
    and which of them comes first is not said.
    """
    if isinstance(value, L):
        return ["list", *(canon(v, False) for v in value.items)]
    if isinstance(value, M):
        pairs = [[canon(k), canon(v, flags)] for k, v in value.pairs]
        return ["map", flags and value.order == 1, *pairs]
    if isinstance(value, dict):
        pairs = [[canon(k), canon(v, flags)] for k, v in value.items()]
        return ["map", flags and isinstance(value, KeyOrderedDict), *pairs]
    if isinstance(value, (list, tuple)):
        return ["list", *(canon(v, False) for v in value)]
    if isinstance(value, (Geo, aerospike_py.GeoJSON)):
        return ["geo", str(value)]
    if isinstance(value, HyperLogLog):
        return ["hll", bytes(value)]
    if isinstance(value, float):
        return ["float", repr(value)]
    return [type(value).__name__, value]


def exact(value: Any) -> Any:
    """What two servers must agree on: every flag, and the order of pairs."""
    if isinstance(value, dict):
        return [type(value).__name__, *([exact(k), exact(v)] for k, v in value.items())]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(exact, value)]
    return canon(value)


def canon_map(value: Any) -> Any:
    """`canon` with the pairs of all maps in one order."""
    if isinstance(value, list) and value and value[0] == "map":
        return ["map", value[1], *sorted(([canon_map(k), canon_map(v)] for k, v in value[2:]),
                                         key=repr)]
    if isinstance(value, list) and value and value[0] == "list":
        return ["list", *map(canon_map, value[1:])]
    return value


def matches(want: Any, got: Any, flags: bool = True) -> bool:
    """Whether an answer is what the model says."""
    if want is ANY:
        return True
    if isinstance(want, Bag):
        if not isinstance(got, list):
            return False
        left = sorted((canon_map(canon(v, flags)) for v in want), key=repr)
        right = sorted((canon_map(canon(v, flags)) for v in got), key=repr)
        return left == right
    return bool(canon_map(canon(want, flags)) == canon_map(canon(got, flags)))


# ---- random values ----

SCALARS: list[Callable[[Random], Any]] = [
    lambda r: r.randint(-3, 12), lambda r: r.randint(-3, 12), lambda r: r.randint(-3, 12),
    lambda r: r.choice([2**31, -2**31, 2**63 - 1, -2**63, 128, 255, 256, 65536, -129]),
    lambda r: r.choice(["", "a", "b", "ab", "key", "é", "x" * 40]),
    lambda r: r.choice(["a", "b", "c"]),
    lambda r: None,
    lambda r: r.random() < 0.5,
    lambda r: r.choice([0.0, 1.0, -1.5, 2.5, 1e300]),
    lambda r: bytes(r.choice([b"", b"\x00", b"ab", b"\xff\x00"])),
    lambda r: Geo(r.choice(['{"type":"Point","coordinates":[1,2]}',
                            '{"type":"Point","coordinates":[3,2]}'])),
]
KEYS: list[Callable[[Random], Any]] = [
    lambda r: r.randint(-2, 8), lambda r: r.choice(["a", "b", "c", "d", ""]),
    lambda r: r.choice(["a", "b", "c"]), lambda r: r.choice([b"", b"k", b"\x00"]),
]


def scalar(r: Random) -> Any:
    return r.choice(SCALARS)(r)


def map_key(r: Random) -> Any:
    return r.choice(KEYS)(r)


def value(r: Random, depth: int = 2) -> Any:
    """Any value that may be stored; lists in it are unordered, as clients send them."""
    kind = r.random()
    if depth and kind < 0.12:
        return L([value(r, depth - 1) for _ in range(r.randint(0, 4))])
    if depth and kind < 0.24:
        return map_value(r, depth)
    return scalar(r)


def map_value(r: Random, depth: int = 2, orders: tuple[int, ...] = (0, 1)) -> M:
    found: dict[Any, Any] = {}
    for _ in range(r.randint(0, 4)):
        found[map_key(r)] = value(r, depth - 1)
    return M(list(found.items()), r.choice(orders))


def sought(r: Random, container: Any) -> Any:
    """Something to look for: often a value that is there."""
    values = (container.items if isinstance(container, L)
              else [v for _, v in container.pairs] if isinstance(container, M) else [])
    if values and r.random() < 0.6:
        found = r.choice(values)
        if isinstance(found, L) and found.items and r.random() < 0.3:
            return L([found.items[0], WILD])
        return found
    return value(r)
