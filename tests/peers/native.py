"""Calls of the vendor's Rust binding, package aerospike-native."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import aerospike_native as native
import common
from aerospike_native import ClientPolicy, Key, new_client_blocking

SET = "peers"


def record(found: Any) -> Any:
    return [found.generation, dict(found.bins)]


def calls(c: Any) -> Iterator[common.Call]:
    k = Key("test", SET, "native")
    bins = {"a": 1, "f": 1.5, "s": "text", "b": b"\x01", "t": True, "l": [1, "x"],
            "m": {"k": "v"}}
    yield "put", lambda: c.put_blocking(k, bins)
    yield "get", lambda: record(c.get_blocking(k))
    yield "exists", lambda: c.exists_blocking(k)
    yield "put again", lambda: c.put_blocking(k, {"a": 2})
    yield "get again", lambda: record(c.get_blocking(k))
    yield "add", lambda: c.add_blocking(k, {"a": 5})
    yield "append", lambda: c.append_blocking(k, {"s": "+"})
    yield "prepend", lambda: c.prepend_blocking(k, {"s": "-"})
    yield "append wrong type", lambda: c.append_blocking(k, {"a": "+"})
    yield "touch", lambda: c.touch_blocking(k)
    yield "operate", lambda: record(c.operate_blocking(
        k, [native.Operation.put("o", 1), native.Operation.get()]))
    yield "delete", lambda: c.delete_blocking(k)
    yield "delete again", lambda: c.delete_blocking(k)
    yield "get deleted", lambda: record(c.get_blocking(k))
    yield "unknown namespace", lambda: c.put_blocking(Key("nowhere", SET, 1), {"a": 1})


def batches(c: Any) -> Iterator[common.Call]:
    keys = [Key("test", SET, i) for i in range(5)]

    def rows(found: Any) -> Any:
        return [[int(r.result_code), r.record and record(r.record)] for r in found]

    yield "batch write", lambda: rows(c.batch_write_blocking(
        keys[:4], [{"i": i} for i in range(4)]))
    yield "batch read", lambda: rows(c.batch_read_blocking(keys))
    yield "batch delete", lambda: rows(c.batch_delete_blocking(keys))


def queries(c: Any) -> Iterator[common.Call]:
    def fill() -> None:
        for i in range(100):
            c.put_blocking(Key("test", "peersn", i), {"i": i})

    def found() -> Any:
        records = c.query_blocking(native.Statement("test", "peersn"),
                                   native.PartitionFilter.all())
        return sorted(dict(r.bins)["i"] for r in records)

    yield "fill", fill
    yield "query", found
    yield "info", lambda: dict(c.info_blocking("build"))
    yield "truncate", lambda: c.truncate_blocking("test", "peersn")
    yield "wait", lambda: time.sleep(0.2)
    yield "query truncated", found


def main() -> None:
    host, port = common.address()
    client = new_client_blocking(ClientPolicy(), f"{host}:{port}")
    common.run([("clear", lambda: client.truncate_blocking("test", SET)),
                ("wait", lambda: time.sleep(0.2))])
    for part in (calls(client), batches(client), queries(client)):
        common.run(part)


main()
