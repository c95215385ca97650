"""HyperLogLog sketches: the model, and random operations."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import aerospike_py
from aerospike_py import HyperLogLog
from aerospike_py.helpers.operations import hll_operations as ops

from .values import ANY, MISSING, NOTHING, Fail, Noop

CREATE_ONLY, UPDATE_ONLY, NO_FAIL, ALLOW_FOLD = 1, 2, 4, 8
WORD = (1 << 64) - 1


# ---- MurmurHash3, 128 bits for 64-bit machines ----


def rotl(x: int, n: int) -> int:
    return ((x << n) | (x >> (64 - n))) & WORD


def mix(x: int) -> int:
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & WORD
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & WORD
    return x ^ (x >> 33)


C1, C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F


def murmur(data: bytes) -> tuple[int, int]:
    h1 = h2 = 0
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1 = int.from_bytes(data[at:at + 8], "little")
        k2 = int.from_bytes(data[at + 8:at + 16], "little")
        h1 ^= rotl(k1 * C1 & WORD, 31) * C2 & WORD
        h1 = ((rotl(h1, 27) + h2) * 5 + 0x52DCE729) & WORD
        h2 ^= rotl(k2 * C2 & WORD, 33) * C1 & WORD
        h2 = ((rotl(h2, 31) + h1) * 5 + 0x38495AB5) & WORD
    rest = data[whole:]
    if len(rest) > 8:
        h2 ^= rotl(int.from_bytes(rest[8:], "little") * C2 & WORD, 33) * C1 & WORD
    if rest:
        h1 ^= rotl(int.from_bytes(rest[:8], "little") * C1 & WORD, 31) * C2 & WORD
    h1 ^= len(data)
    h2 ^= len(data)
    h1 = (h1 + h2) & WORD
    h2 = (h2 + h1) & WORD
    h1, h2 = mix(h1), mix(h2)
    h1 = (h1 + h2) & WORD
    return h1, (h2 + h1) & WORD


# ---- sketches ----


class Sketch:
    """Registers of `6 + q` bits: the number of trailing zeroes and one, above the min hash."""

    def __init__(self, p: int, q: int, registers: list[int] | None = None, cache: int = 0) -> None:
        self.p, self.q = p, q
        self.registers = registers or [0] * (1 << p)
        self.cache = cache

    def pack(self) -> bytes:
        width = 6 + self.q
        bits = 0
        for register in self.registers:
            bits = bits << width | register
        total = width << self.p
        size = (total + 7) // 8
        return (bytes([0, self.p, self.q]) + self.cache.to_bytes(8, "little")
                + (bits << (size * 8 - total)).to_bytes(size, "big"))

    def rhos(self) -> list[int]:
        return [register >> self.q for register in self.registers]

    def folded(self, p: int, q: int) -> Sketch:
        made = [0] * (1 << p)
        for i, register in enumerate(self.registers):
            kept = register if q == self.q else register >> self.q
            at = i & ((1 << p) - 1)
            made[at] = max(made[at], kept)
        return Sketch(p, q, made)


def encoded(value: Any) -> bytes:
    """An element as it is hashed: msgpack with a type byte."""
    if isinstance(value, str):
        body = b"\x03" + value.encode()
        return bytes([0xA0 + len(body)]) + body
    if isinstance(value, float):
        import struct
        return b"\xcb" + struct.pack(">d", value)
    if 0 <= value < 128:
        return bytes([value])
    for first, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
        if value < 1 << (8 * size):
            return bytes([first]) + value.to_bytes(size, "big")
    raise AssertionError(value)


def place(value: Any, p: int, q: int) -> tuple[int, int]:
    h1, h2 = murmur(encoded(value))
    rho = 64 if h2 == 0 else (h2 & -h2).bit_length()
    return h1 & ((1 << p) - 1), rho << q | ((h1 >> p) & ((1 << q) - 1))


def estimate(sketch: Sketch) -> int:
    """Ertl's estimator, without tables."""
    n = 1 << sketch.p
    counts = [0] * 65
    for rho in sketch.rhos():
        counts[rho] += 1
    z = n * tau(counts[64] / n)
    for k in range(64, 0, -1):
        z = (z + counts[k]) / 2
    z += n * sigma(counts[0] / n)
    if math.isinf(z):
        return 0
    alpha = {4: 0.673, 5: 0.697, 6: 0.709}.get(sketch.p, 0.7213 / (1 + 1.079 / n))
    return math.floor(alpha * n * n / z + 0.5)


def tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z = 1.0, 1 - x
    while True:
        x = math.sqrt(x)
        old, y = z, y / 2
        z -= (1 - x) ** 2 * y
        if z == old:
            return z / 3


def sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    y, z = 1.0, x
    while True:
        x *= x
        old = z
        z += x * y
        y += y
        if z == old:
            return z


def union(sketches: list[Sketch]) -> Sketch:
    p = min(s.p for s in sketches)
    q = sketches[0].q if len({s.q for s in sketches}) == 1 else 0
    folded = [s.folded(p, q) for s in sketches]
    return Sketch(p, q, [max(found) for found in zip(*(f.registers for f in folded), strict=False)])


def counted(sketch: Sketch) -> int:
    return sketch.cache or estimate(sketch)


# ---- operations ----


def check_sizes(p: int, q: int) -> None:
    if (p != -1 and not 4 <= p <= 16) or (q != -1 and q != 0 and not 4 <= q <= 51):
        raise Fail(4)
    if p != -1 and q != -1 and p + q > 64:
        raise Fail(4)


def init(old: Any, p: int, q: int, flags: int) -> tuple[Sketch, Any]:
    check_sizes(p, q)
    if old is MISSING and flags & UPDATE_ONLY:
        raise Noop(NOTHING) if flags & NO_FAIL else Fail(17)
    if old is not MISSING and flags & CREATE_ONLY:
        raise Noop(NOTHING) if flags & NO_FAIL else Fail(6)
    if old is MISSING and p == -1:
        raise Fail(26)
    p = old.p if p == -1 else p
    q = q if q != -1 else 0 if old is MISSING else old.q
    if p + q > 64:
        raise Fail(4)
    return Sketch(p, q), NOTHING


def add(old: Any, values: list[Any], p: int, q: int, flags: int) -> tuple[Sketch, Any]:
    check_sizes(p, q)
    if not values:
        raise Fail(4)
    if old is not MISSING and flags & CREATE_ONLY:
        raise Noop(NOTHING) if flags & NO_FAIL else Fail(6)
    if old is MISSING and p == -1:
        raise Fail(26)
    made = (Sketch(p, max(q, 0)) if old is MISSING
            else Sketch(old.p, old.q, list(old.registers), old.cache))
    changed = 0
    for value in values:
        at, register = place(value, made.p, made.q)
        if register > made.registers[at]:
            made.registers[at] = register
            made.cache = 0
            changed += 1
    return made, changed


def refresh(old: Any) -> tuple[Sketch, Any]:
    if old is MISSING:
        raise Fail(17)
    made = Sketch(old.p, old.q, old.registers, counted(old))
    return made, made.cache


def fold(old: Any, p: int) -> tuple[Sketch, Any]:
    if not 4 <= p <= 16:
        raise Fail(4)
    if old is MISSING:
        raise Fail(17)
    if old.q or p > old.p:
        raise Fail(26)
    if p == old.p:
        return old, NOTHING
    return old.folded(p, 0), NOTHING


def may_contain(old: Sketch, values: list[Any]) -> int:
    if not values:
        raise Fail(4)
    found = (place(v, old.p, old.q) for v in values)
    return int(all(old.registers[at] >= register for at, register in found))


def set_union(old: Any, others: list[Sketch], flags: int) -> tuple[Sketch, Any]:
    if old is MISSING and flags & UPDATE_ONLY:
        raise Noop(NOTHING) if flags & NO_FAIL else Fail(17)
    if old is not MISSING and flags & CREATE_ONLY:
        raise Noop(NOTHING) if flags & NO_FAIL else Fail(6)
    made = union(others if old is MISSING else [old, *others])
    if old is not MISSING and (made.p, made.q) != (old.p, old.q) and not flags & ALLOW_FOLD:
        raise Fail(26)
    return made, NOTHING


def intersection(old: Sketch, one: Sketch) -> int:
    return max(0, counted(old) + counted(one) - estimate(union([old, one])))


def similarity(old: Sketch, one: Sketch) -> Any:
    whole = estimate(union([old, one]))
    return intersection(old, one) / whole if whole else ANY


def element(r: Random) -> Any:
    return r.choice([r.randrange(300), r.choice("abcdefgh") * r.randint(1, 20), r.random() * 9,
                     r.randrange(2**40)])


def elements(r: Random, most: int = 12) -> list[Any]:
    return [element(r) for _ in range(r.randint(1, most))]


def other(r: Random) -> Sketch:
    """A sketch that is an argument."""
    p, q = r.choice([(4, 0), (5, 0), (6, 0), (6, 5), (4, 10)])
    return add(MISSING, elements(r, 30), p, q, 0)[0]


def sizes(r: Random) -> tuple[int, int]:
    return r.choice([(4, 0), (6, 0), (6, 5), (5, -1), (-1, -1), (8, 8), (3, 0), (17, 0), (6, 3)])


Made = tuple[str, dict[str, Any], Any]


def draw_write(r: Random) -> Made:
    name = r.choice(["hll_add"] * 4 + ["hll_init", "hll_refresh_count", "hll_fold",
                                       "hll_set_union"])
    if name == "hll_set_union":
        others = [other(r) for _ in range(r.randint(1, 2))]
        flags = r.choice([0, 0, 8, 8, 1, 2, 4, 5, 6, 12])
        sent = [HyperLogLog(s.pack()) for s in others]
        return (f"{name}({sent}, {flags})", ops.hll_set_union("b", sent, {"flags": flags}),
                lambda old: set_union(old, others, flags))
    p, q = sizes(r)
    counts = {k: v for k, v in (("index_bit_count", p), ("mh_bit_count", q)) if v != -1}
    if name == "hll_add":
        values = elements(r)
        flags = r.choice([0, 0, 0, 1, 4, 5])
        return (f"{name}({values}, {p}, {q}, {flags})",
                ops.hll_add("b", values, **counts, policy={"flags": flags}),
                lambda old: add(old, values, p, q, flags))
    if name == "hll_init":
        flags = r.choice([0, 0, 0, 1, 2, 4, 5, 6])
        return (f"{name}({p}, {q}, {flags})", ops.hll_init("b", **counts, policy={"flags": flags}),
                lambda old: init(old, p, q, flags))
    if name == "hll_refresh_count":
        return f"{name}()", ops.hll_refresh_count("b"), refresh
    bits = r.choice([4, 5, 6, 8, 3])
    return f"{name}({bits})", ops.hll_fold("b", bits), lambda old: fold(old, bits)


def draw_read(r: Random) -> Made:
    name = r.choice(["hll_get_count", "hll_describe", "hll_may_contain", "hll_get_union",
                     "hll_get_union_count", "hll_get_intersect_count", "hll_get_similarity"])
    if name in ("hll_get_intersect_count", "hll_get_similarity"):
        one = add(MISSING, elements(r, 30), r.choice([4, 5, 6]), 0, 0)[0]  # without min hashes
        ask = intersection if name == "hll_get_intersect_count" else similarity
        packed = [HyperLogLog(one.pack())]
        return f"{name}({packed})", getattr(ops, name)("b", packed), lambda old: ask(old, one)
    if name == "hll_get_count":
        return name, ops.hll_get_count("b"), counted
    if name == "hll_describe":
        return name, ops.hll_describe("b"), lambda old: [old.p, old.q]
    if name == "hll_may_contain":
        values = elements(r, 3)
        op = {"op": aerospike_py.OP_HLL_MAY_CONTAIN, "bin": "b", "value_list": values}
        return (f"{name}({values})", op,
                lambda old: may_contain(old, values))
    others = [other(r) for _ in range(r.randint(1, 2))]
    sent = [HyperLogLog(s.pack()) for s in others]
    if name == "hll_get_union":
        return (f"{name}({sent})", ops.hll_get_union("b", sent),
                lambda old: HyperLogLog(union([old, *others]).pack()))
    return (f"{name}({sent})", ops.hll_get_union_count("b", sent),
            lambda old: estimate(union([old, *others])))


def draw(r: Random, bins: dict[str, Any]) -> Made:
    """A random operation: its text, its dict, and its model, which takes the bins."""
    reads = r.random() < 0.5
    text, op, change = (draw_read if reads else draw_write)(r)

    def run(bins: dict[str, Any]) -> Any:
        sketch = bins.get("sketch", MISSING)
        if reads:
            return NOTHING if sketch is MISSING else change(sketch)
        made, answer = change(sketch)
        bins["sketch"] = made
        bins["b"] = HyperLogLog(made.pack())
        return answer

    return text, op, run


def start(r: Random) -> Any:
    """There is no sketch at first."""
    return MISSING
