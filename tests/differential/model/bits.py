"""Operations on the bits of blobs: the model, and random ones."""

from __future__ import annotations

from random import Random
from typing import Any

from aerospike_py.helpers.operations import bitwise_operations as ops

from .values import ANY, MISSING, NOTHING, Fail, Noop

CREATE_ONLY, UPDATE_ONLY, NO_FAIL, PARTIAL = 1, 2, 4, 8
FROM_FRONT, GROW_ONLY, SHRINK_ONLY = 1, 2, 4
SATURATE, WRAP = 2, 4


def to_bits(blob: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in blob)


def to_blob(bits: str) -> bytes:
    padded = bits + "0" * (-len(bits) % 8)
    return bytes(int(padded[i:i + 8], 2) for i in range(0, len(padded), 8))


def span(blob: bytes, offset: int, size: int, partial: bool) -> tuple[int, int]:
    """The bits from `offset` on, as far as they are there."""
    n = 8 * len(blob)
    offset = offset + n if offset < 0 else offset
    if offset < 0 or size <= 0:
        raise Fail(4)
    if offset >= n or (offset + size > n and not partial):
        raise Fail(26)
    return offset, min(size, n - offset)


def spliced(blob: bytes, offset: int, new: str) -> bytes:
    bits = to_bits(blob)
    return to_blob(bits[:offset] + new + bits[offset + len(new):])


def combine(name: str, old: str, new: str) -> str:
    if name == "bit_set":
        return new
    tables = {"bit_or": "0111", "bit_xor": "0110", "bit_and": "0001"}
    return "".join(tables[name][2 * int(a) + int(b)] for a, b in zip(old, new, strict=False))


def shifted(bits: str, count: int) -> str:
    """To the left, or to the right by a negative count."""
    n = len(bits)
    if count >= 0:
        return (bits + "0" * count)[-n:] if count < n else "0" * n
    return ("0" * -count + bits)[:n] if -count < n else "0" * n


def arithmetic(old: str, change: int, signed: bool, action: int) -> str:
    n = len(old)
    value = int(old, 2)
    if signed and old[0] == "1":
        value -= 1 << n
    low, high = (-(1 << (n - 1)), (1 << (n - 1)) - 1) if signed else (0, (1 << n) - 1)
    found = value + change
    if not low <= found <= high:
        if action == SATURATE:
            found = high if found > high else low
        elif action != WRAP:
            raise Fail(26)
    return f"{found & ((1 << n) - 1):0{n}b}"


def resize(blob: bytes, size: int, flags: int) -> bytes:
    if flags & GROW_ONLY and flags & SHRINK_ONLY:
        raise Fail(4)
    if (flags & GROW_ONLY and size < len(blob)) or (flags & SHRINK_ONLY and size > len(blob)):
        raise Fail(4)
    more = size - len(blob)
    if flags & FROM_FRONT:
        return bytes(more) + blob if more >= 0 else blob[-size:] if size else b""
    return blob + bytes(more) if more >= 0 else blob[:size]


def insert(blob: bytes, at: int, new: bytes) -> bytes:
    at = at + len(blob) if at < 0 else at
    if at < 0:
        raise Fail(4)
    return blob[:at] + bytes(max(at - len(blob), 0)) + new + blob[at:]


def remove(blob: bytes, at: int, size: int, partial: bool) -> bytes:
    n = len(blob)
    at = at + n if at < 0 else at
    if at < 0 or at >= n or size <= 0:
        raise Fail(4)
    if at + size > n and not partial:
        raise Fail(4)
    return blob[:at] + blob[at + size:]


def modified(name: str, blob: bytes, args: dict[str, Any], flags: int) -> bytes:
    """The blob that a modifying operation leaves."""
    partial = bool(flags & PARTIAL)
    if name == "bit_resize":
        return resize(blob, args["byte_size"], args["resize_flags"])
    if name == "bit_insert":
        return insert(blob, args["byte_offset"], args["value"])
    if name == "bit_remove":
        return remove(blob, args["byte_offset"], args["byte_size"], partial)
    at, size = span(blob, args["bit_offset"], args["bit_size"], partial)
    old = to_bits(blob)[at:at + size]
    if name in ("bit_lshift", "bit_rshift"):
        new = shifted(old, args["shift"] if name == "bit_lshift" else -args["shift"])
    elif name == "bit_not":
        new = old.translate({48: "1", 49: "0"})
    elif name == "bit_set_int":
        new = f"{args['value'] & ((1 << size) - 1):0{size}b}"
    elif name in ("bit_add", "bit_subtract"):
        change = args["value"] if name == "bit_add" else -args["value"]
        new = arithmetic(old, change, args["sign"], args["action"])
    else:
        new = combine(name, old, to_bits(args["value"])[:size])
    return spliced(blob, at, new)


def answered(name: str, blob: bytes, args: dict[str, Any]) -> Any:
    at, size = span(blob, args["bit_offset"], args["bit_size"], False)
    bits = to_bits(blob)[at:at + size]
    if name == "bit_get":
        return to_blob(bits)
    if name == "bit_count":
        return bits.count("1")
    if name == "bit_get_int":
        value = int(bits, 2)
        signed = args["sign"] or size == 64
        return value - (1 << size) if signed and bits[0] == "1" else value
    look = "1" if args["value"] else "0"
    if name == "bit_rscan" and look not in bits:
        return ANY  # some negative number, not always -1
    return bits.find(look) if name == "bit_lscan" else bits.rfind(look)


READS = {"bit_get": "", "bit_count": "", "bit_get_int": "sign", "bit_lscan": "look",
         "bit_rscan": "look"}
WRITES = {
    "bit_resize": "", "bit_insert": "", "bit_remove": "", "bit_set": "blob", "bit_or": "blob",
    "bit_xor": "blob", "bit_and": "blob", "bit_not": "", "bit_lshift": "shift",
    "bit_rshift": "shift", "bit_add": "number", "bit_subtract": "number", "bit_set_int": "int",
}
NUMBERS = ("bit_add", "bit_subtract", "bit_set_int", "bit_get_int")
ALLOWED = {"bit_resize": 7, "bit_insert": 7, "bit_add": 6, "bit_subtract": 6, "bit_set_int": 6}


def draw_args(r: Random, name: str, n: int) -> dict[str, Any]:
    """Arguments, some of them beyond the blob of `n` bytes."""
    kind = {**READS, **WRITES}[name]
    if name == "bit_resize":
        flags = r.choice([0, 0, 1, 2, 3, 4, 5, 6])
        return {"byte_size": r.randint(0, n + 3), "resize_flags": flags}
    if name == "bit_insert":
        return {"byte_offset": r.randint(-n - 1, n + 2), "value": r.randbytes(r.randint(1, 3)),
                "value_byte_size": 1}
    if name == "bit_remove":
        return {"byte_offset": r.randint(-n - 1, n + 1), "byte_size": r.randint(0, n + 1)}
    bits = 8 * n
    most = min(bits + 4, 65) if name in NUMBERS else bits + 4
    args: dict[str, Any] = {"bit_offset": r.randint(-bits - 2, bits + 2),
                            "bit_size": r.randint(0, r.choice([8, most]))}
    if kind == "blob":
        args.update(value=r.randbytes((args["bit_size"] + 7) // 8 or 1), value_byte_size=1)
    elif kind == "shift":
        args["shift"] = r.choice([0, 1, 3, 8, 9, 70])
    elif kind == "number":
        args.update(sign=r.random() < 0.5, action=r.choice([0, 2, 4]))
        bits = args["bit_size"] - args["sign"]  # what fits: more is cut in some way
        args["value"] = min(r.choice([0, 1, 5, 127, 255, 2**31]), (1 << max(bits, 0)) - 1)
    elif kind == "int":
        args["value"] = r.choice([0, 1, -1, 5, 255, 2**40])
    elif kind == "sign":
        args["sign"] = r.random() < 0.5
    elif kind == "look":
        args["value"] = r.random() < 0.5
    return args


def too_wide(name: str, args: dict[str, Any]) -> bool:
    return name in NUMBERS and args["bit_size"] > 64


def write(bins: dict[str, Any], name: str, args: dict[str, Any], flags: int) -> Any:
    old = bins.get("b", MISSING)
    creates = name in ("bit_resize", "bit_insert")
    if flags & ~ALLOWED.get(name, 14) or too_wide(name, args):
        raise Fail(4)
    if args.get("bit_size") == 0 or (name == "bit_remove" and args["byte_size"] == 0):
        raise Fail(4)
    if args.get("resize_flags", 0) & 6 == 6:
        raise Fail(4)
    if old is MISSING and (not creates or flags & UPDATE_ONLY):
        if flags & NO_FAIL:
            raise Noop(NOTHING)
        raise Fail(17)
    if old is not MISSING and flags & CREATE_ONLY:
        if flags & NO_FAIL:
            raise Noop(NOTHING)
        raise Fail(6)
    if name == "bit_remove" and args["byte_offset"] < -len(old):
        raise Fail(4)  # NO_FAIL or not
    try:
        made = modified(name, b"" if old is MISSING else old, args, flags)
        if old is not MISSING or made:
            bins["b"] = made
    except Fail as fail:
        if (fail.code == 26 or name in ("bit_resize", "bit_remove")) and flags & NO_FAIL:
            raise Noop(NOTHING) from fail
        raise
    return NOTHING


def read(bins: dict[str, Any], name: str, args: dict[str, Any]) -> Any:
    old = bins.get("b", MISSING)
    if old is MISSING:
        return NOTHING
    if args["bit_size"] == 0 or too_wide(name, args):
        raise Fail(4)
    return answered(name, old, args)


def zero_overflow(bins: dict[str, Any], name: str, args: dict[str, Any]) -> bool:
    """A signed overflow to exactly 0, which a server does not notice."""
    if name not in ("bit_add", "bit_subtract") or not args["sign"] or "b" not in bins:
        return False
    try:
        at, size = span(bins["b"], args["bit_offset"], args["bit_size"], False)
    except Fail:
        return False
    if size > 64:
        return False
    change = args["value"] if name == "bit_add" else -args["value"]
    return int(arithmetic(to_bits(bins["b"])[at:at + size], change, True, WRAP), 2) == 0


def draw(r: Random, bins: dict[str, Any]) -> tuple[str, dict[str, Any], Any]:
    """A random operation: its text, its dict, and its model, which takes the bins."""
    old = bins.get("b", b"")
    while True:
        name = r.choice([*WRITES, *READS, "bit_resize", "bit_insert"])
        args = draw_args(r, name, len(old))
        if not zero_overflow(bins, name, args):
            break
    if name in READS:
        return (f"{name}({args})", getattr(ops, name)("b", **args),
                lambda bins: read(bins, name, args))
    flags = r.choice([0, 0, 0, 1, 2, 4, 5, 6, 8, 12, 14])
    if flags & PARTIAL and "shift" in args:
        args["shift"] = 0  # more than what is left of the range ends a server 8.1.2
    policy = {"policy": {"bit_write_flags": flags}} if flags else {}
    return (f"{name}({args}, {flags})", getattr(ops, name)("b", **args, **policy),
            lambda bins: write(bins, name, args, flags))


def start(r: Random) -> Any:
    """What the bin holds at first."""
    return MISSING if r.random() < 0.15 else r.randbytes(r.randint(0, 10))
