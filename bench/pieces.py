"""Parts of this client by themselves, in nanoseconds: how long a request takes to build and a
reply to become Python objects, both with a warm cache and without any system call.

Needs the build with AERO_GIL_CLOCK, whose ``time_call`` does the timing.
"""

from __future__ import annotations

import socket
import struct
import timeit
from collections.abc import Callable
from typing import Any

from workload import BINS, MISC_SET, NAMESPACE, SET

READ_ALL = 3
INTS = 1000
ENTRIES = 1000
TIMES = 20_000
BEST_OF = 5

TimeCall = Callable[..., tuple[float, float]]


def field(kind: int, data: bytes) -> bytes:
    return struct.pack(">IB", len(data) + 1, kind) + data


def get_frame(set_name: str, digest: bytes) -> bytes:
    body = struct.pack(">BBBBBBIIIHH", 22, READ_ALL, 0, 0, 0, 0, 0, 0, 1000, 3, 0)
    body += field(0, NAMESPACE.encode()) + field(1, set_name.encode()) + field(4, digest)
    return struct.pack(">Q", 2 << 56 | 3 << 48 | len(body)) + body


def reply_to(client: Any, host: str, port: int, key: tuple[str, str, Any]) -> bytes:
    """The server's own reply to a get, as it travels."""
    request = get_frame(key[1], bytes(client.get_key_digest(*key)))
    with socket.create_connection((host, port)) as line:
        line.sendall(request)
        reply = b""
        while len(reply) < 8 or len(reply) < 8 + (int.from_bytes(reply[:8], "big")
                                                  & (1 << 48) - 1):
            reply += line.recv(1 << 16)
    return reply


def best(time_call: TimeCall, *args: Any, times: int = TIMES) -> tuple[float, float]:
    rounds = [time_call(*args, times) for _ in range(BEST_OF)]
    return min(r[0] for r in rounds), min(r[1] for r in rounds)


def in_python(statement: Callable[[], Any], times: int) -> float:
    return min(timeit.repeat(statement, number=times, repeat=BEST_OF)) / times * 1e9


def measure(client: Any, time_call: TimeCall, host: str, port: int) -> dict[str, Any]:
    """All pieces; what the client lacks is left out."""
    found: dict[str, Any] = {}
    key = (NAMESPACE, SET, 5)
    found["get_request"], found["record_reply"] = best(
        time_call, client, "get", (key,), reply_to(client, host, port, key))
    found["put_request"] = best(time_call, client, "put", (key, BINS), None)[0]
    digest = client.get_key_digest
    found["digest_in_python"] = in_python(lambda: digest(NAMESPACE, SET, 5), TIMES)
    found.update(collections(client, time_call, host, port))
    found.update(map_put(client, time_call))
    found.update(expression(client, time_call))
    return found


def collections(client: Any, time_call: TimeCall, host: str, port: int) -> dict[str, float]:
    """Nanoseconds for each element of a long list and each entry of a large map."""
    found = {}
    values = {"list": ([i * 1000 for i in range(INTS)], INTS),
              "map": ({f"key-{i:06}": i * 1000 for i in range(ENTRIES)}, ENTRIES)}
    for name, (value, count) in values.items():
        key = (NAMESPACE, MISC_SET, name)
        client.put(key, {"v": value})
        reply = reply_to(client, host, port, key)
        found[f"{name}_reply_each"] = best(time_call, client, "get", (key,), reply,
                                           times=500)[1] / count
        found[f"{name}_request_each"] = best(time_call, client, "put", (key, {"v": value}),
                                             None, times=500)[0] / count
    return found


def map_put(client: Any, time_call: TimeCall) -> dict[str, float]:
    """One operation more in a request: eleven against one."""
    try:
        from aerospike_py import map_operations
    except ImportError:
        return {}
    key = (NAMESPACE, MISC_SET, "cdt")
    policy = {"map_order": 1, "map_write_flags": 0}
    one = map_operations.map_put("m", "a", 1, policy)
    few = best(time_call, client, "operate", (key, [one]), None)[0]
    many = best(time_call, client, "operate", (key, [one] * 11), None)[0]
    return {"map_put_request": (many - few) / 10}


def expression(client: Any, time_call: TimeCall) -> dict[str, float]:
    """A filter of ten nodes: made and compiled, and used again."""
    try:
        from aerospike_py import exp
    except ImportError:
        return {}
    if not hasattr(exp, "compile"):
        return {}

    def make() -> Any:
        return exp.compile(exp.and_(
            exp.gt(exp.int_bin("a"), exp.int_val(10)),
            exp.lt(exp.int_bin("b"), exp.int_val(20)),
            exp.eq(exp.string_bin("d"), exp.string_val("x"))))

    key = (NAMESPACE, SET, 5)
    filtered = best(time_call, client, "get", (key, {"filter_expression": make()}), None)[0]
    plain = best(time_call, client, "get", (key, {"max_retries": 2}), None)[0]
    return {"filter_made": in_python(make, 2000), "filter_used": filtered - plain}
