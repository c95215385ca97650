"""Calls on single records, which the official and the Rust package share.

``c`` is the connected client, ``m`` the package.  Every call stands alone in
its line of the output; they run in order and build on each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from common import Call

SET = "peers"
K = ("test", SET, "k")
VALUES: dict[str, Any] = {
    "int": 1, "big": 2**63 - 1, "negative": -(2**40), "float": 1.5,
    "inf": float("inf"), "text": "grüße", "empty": "", "blob": b"\x00\x01\xff",
    "true": True, "false": False, "list": [1, "a", 2.5, b"x", [2], {"k": 1}],
    "map": {"b": 1, "a": [True, None], "c": {"d": "e"}}, "none": [],
}

#: What the packages call the same policy.
EXISTS = {
    "create": ("POLICY_EXISTS_CREATE_ONLY", "POLICY_EXISTS_CREATE"),
    "update": ("POLICY_EXISTS_UPDATE_ONLY", "POLICY_EXISTS_UPDATE"),
    "replace": ("POLICY_EXISTS_REPLACE_ONLY", "POLICY_EXISTS_REPLACE"),
    "create or replace": ("POLICY_EXISTS_CREATE_OR_REPLACE", "POLICY_EXISTS_REPLACE"),
}


def puts(c: Any, m: Any) -> Iterator[Call]:
    yield "put all values", lambda: c.put(K, VALUES)
    yield "get all values", lambda: c.get(K)
    for kind, key in (("int", 5), ("bytes", bytearray(b"\x01")), ("text", "t")):
        yield f"put {kind} key", lambda key=key: c.put(("test", SET, key), {"a": 1})
        yield f"get {kind} key", lambda key=key: c.get(("test", SET, key))
    yield "put none removes bin", lambda: c.put(K, {"int": None})
    yield "select", lambda: c.select(K, ["int", "big", "nope"])
    yield "select nothing there", lambda: c.select(K, ["nope"])
    yield "exists", lambda: c.exists(K)
    yield "exists missing", lambda: c.exists(("test", SET, "missing"))
    yield "get missing", lambda: c.get(("test", SET, "missing"))
    yield "get unknown namespace", lambda: c.get(("nowhere", SET, "k"))
    yield "put unknown namespace", lambda: c.put(("nowhere", SET, "k"), {"a": 1})
    yield "put to no set", lambda: c.put(("test", "", "bare"), {"a": 1})
    yield "get from no set", lambda: c.get(("test", "", "bare"))
    yield "remove from no set", lambda: c.remove(("test", "", "bare"))
    yield "long bin name", lambda: c.put(K, {"x" * 16: 1})
    yield "too big", lambda: c.put(K, {"a": "x" * (1 << 20)})
    yield "nearly too big", lambda: c.put(("test", SET, "big"), {"a": "x" * ((1 << 20) - 70)})


def changes(c: Any, m: Any) -> Iterator[Call]:
    k = ("test", SET, "changes")
    yield "start", lambda: c.put(k, {"i": 1, "f": 1.0, "s": "b", "b": b"\x02"})
    yield "increment", lambda: c.increment(k, "i", 41)
    yield "increment float", lambda: c.increment(k, "f", 0.5)
    yield "increment wraps", lambda: c.increment(k, "i", 2**63 - 1)
    yield "increment wrong type", lambda: c.increment(k, "s", 1)
    yield "increment int by float", lambda: c.increment(k, "i", 1.5)
    yield "increment makes", lambda: c.increment(("test", SET, "made"), "n", 7)
    yield "append", lambda: c.append(k, "s", "c")
    yield "prepend", lambda: c.prepend(k, "s", "a")
    yield "append bytes", lambda: c.append(k, "b", b"\x03")
    yield "append wrong type", lambda: c.append(k, "i", "x")
    yield "append makes", lambda: c.append(("test", SET, "made"), "s", "x")
    yield "changed", lambda: c.get(k)
    yield "made", lambda: c.get(("test", SET, "made"))
    yield "touch", lambda: c.touch(k, 1000)
    yield "touched", lambda: c.exists(k)
    yield "touch missing", lambda: c.touch(("test", SET, "missing"), 10)
    yield "remove bin", lambda: c.remove_bin(k, ["i", "f"])
    yield "bins left", lambda: c.get(k)
    yield "remove last bins", lambda: c.remove_bin(k, ["s", "b"])
    yield "gone with its bins", lambda: c.exists(k)


def policies(c: Any, m: Any) -> Iterator[Call]:
    k = ("test", SET, "policies")
    for name, names in EXISTS.items():
        policy = {"exists": next(getattr(m, n) for n in names if hasattr(m, n))}
        yield f"{name} missing", lambda p=policy: c.put(k, {"a": 1}, policy=p)
        yield f"{name} present", lambda p=policy: c.put(k, {"b": 1}, policy=p)
        yield f"after {name}", lambda: c.get(k)
        yield f"remove after {name}", lambda: c.remove(k)
    yield "put for generations", lambda: c.put(k, {"a": 1})
    for name, gen in (("equal", m.POLICY_GEN_EQ), ("greater", m.POLICY_GEN_GT)):
        for n in (0, 1, 5):
            yield (f"generation {name} {n}",
                   lambda g=gen, n=n: c.put(k, {"a": n}, {"gen": n}, {"gen": g}))
    yield "remove wrong generation", lambda: c.remove(k, {"gen": 99}, {"gen": m.POLICY_GEN_EQ})
    yield "send key", lambda: c.put(k, {"a": 1}, policy={"key": m.POLICY_KEY_SEND})
    yield "get with key", lambda: c.get(k, {"key": m.POLICY_KEY_SEND})
    for ttl in (0, 100, 3600, -1, -2):
        yield f"put ttl {ttl}", lambda t=ttl: c.put(k, {"a": 1}, {"ttl": t})
        yield f"life after ttl {ttl}", lambda: c.exists(k)
    yield "put ttl too long", lambda: c.put(k, {"a": 1}, {"ttl": 315360001})
    yield "durable remove", lambda: c.remove(k, policy={"durable_delete": True})
    yield "remove", lambda: c.remove(k)
    yield "remove again", lambda: c.remove(k)


def infos(c: Any, m: Any) -> Iterator[Call]:
    for command in ("build", "edition", "namespaces", "partitions", "status", "nonsense",
                    "sindex-list:", "udf-list", "sets/test/nothing", "rack-ids",
                    "sindex-stat:namespace=test;indexname=none", "replicas:max=x",
                    "namespace/nowhere", "truncate:namespace=test", "query-show:id=4711"):
        yield f"info {command}", lambda command=command: c.info_random_node(command)
    yield "truncate", lambda: c.truncate("test", SET, 0)
    yield "truncated", lambda: c.exists(K)
    yield "truncate in the future", lambda: c.truncate("test", SET, 2**62)


def calls(c: Any, m: Any) -> Iterator[Call]:
    for part in (puts, changes, policies):
        yield from part(c, m)
