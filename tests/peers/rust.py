"""The Rust package's calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import common
import single

import aerospike_py as aerospike
from aerospike_py import list_operations as lists

SET = single.SET


def op(code: int, name: str = "", value: Any = None) -> dict[str, Any]:
    return {"op": code, "bin": name, "val": value}


def operates(c: Any) -> Iterator[common.Call]:
    k = ("test", SET, "operate")
    write, incr, read = (aerospike.OPERATOR_WRITE, aerospike.OPERATOR_INCR,
                         aerospike.OPERATOR_READ)
    yield "operate write", lambda: c.operate(k, [op(write, "a", 1), op(write, "s", "x")])
    yield "operate mixed", lambda: c.operate(k, [
        op(incr, "a", 5), op(aerospike.OPERATOR_APPEND, "s", "y"),
        op(aerospike.OPERATOR_PREPEND, "s", "w"), op(read, "a"), op(read, "s"),
        op(read, "none")])
    yield "operate ordered", lambda: c.operate_ordered(k, [op(read, "a"), op(incr, "a", 1)])
    yield "operate touch", lambda: c.operate(k, [op(aerospike.OPERATOR_TOUCH), op(read, "a")])
    yield "operate lists", lambda: c.operate(k, [lists.list_append("l", 3),
                                                 lists.list_append("l", "z"),
                                                 lists.list_size("l")])
    yield "operate wrong type", lambda: c.operate(k, [op(aerospike.OPERATOR_APPEND, "a", "x")])
    yield "operate delete", lambda: c.operate(k, [op(aerospike.OPERATOR_DELETE)])
    yield "operate deleted", lambda: c.exists(k)
    yield "operate missing", lambda: c.operate(k, [op(read, "a")])


def rows(batch: Any) -> list[Any]:
    return [[r.key[2], r.result, r.in_doubt, plain_record(r.record)]
            for r in batch.batch_records]


def plain_record(record: Any) -> Any:
    return None if record is None else [record.meta, record.bins]


def batches(c: Any) -> Iterator[common.Call]:
    keys = [("test", SET, i) for i in range(6)]
    write = [(k, {"i": k[2], "s": "x" * k[2]}) for k in keys[:5]]
    incr = [op(aerospike.OPERATOR_INCR, "i", 1), op(aerospike.OPERATOR_READ, "i")]
    yield "batch write", lambda: rows(c.batch_write(write))
    yield "batch read", lambda: c.batch_read(keys).to_list()
    yield "batch read bins", lambda: c.batch_read(keys, ["i"]).to_list()
    yield "batch exists", lambda: c.batch_read(keys, []).to_list()
    yield "batch operate", lambda: rows(c.batch_operate(keys, incr))
    yield "batch remove", lambda: rows(c.batch_remove([*keys[:2], ("test", SET, "missing")]))
    yield "batch read big", lambda: len(c.batch_read(
        [("test", SET, i) for i in range(999)]).to_list())


def queries(c: Any) -> Iterator[common.Call]:
    def fill() -> int:
        for i in range(200):
            c.put(("test", "peersq", i), {"i": i, "s": str(i)},
                  policy={"key": aerospike.POLICY_KEY_SEND})
        return 200

    def found(query: Any, *more: Any) -> Any:
        return sorted((r.key[2], sorted(r.bins)) for r in query.results(*more))

    def selected() -> Any:
        query = c.query("test", "peersq")
        query.select("i")
        return found(query)

    def where() -> Any:
        query = c.query("test", "peersq")
        query.where(aerospike.predicates.equals("i", 5))
        return found(query)

    yield "fill", fill
    yield "query all", lambda: found(c.query("test", "peersq"))
    yield "query bins", selected
    yield "query partition", lambda: found(c.query("test", "peersq"), {
        "partition_filter": aerospike.partition_filter_by_range(100, 700)})
    yield "query limited", lambda: len(found(c.query("test", "peersq"), {"max_records": 30}))
    yield "query unknown set", lambda: found(c.query("test", "peersnone"))
    yield "query unknown namespace", lambda: found(c.query("nowhere", "x"))
    yield "query without index", where
    yield "truncate queried", lambda: c.truncate("test", "peersq", 0)
    yield "wait for truncate", lambda: time.sleep(0.2)
    yield "query truncated", lambda: found(c.query("test", "peersq"))


def cluster(c: Any) -> Iterator[common.Call]:
    yield "connected", lambda: [c.is_connected(), c.ping()]
    yield "info all", lambda: sorted({r.response for r in c.info_all("build")})
    yield "info all nonsense", lambda: sorted({r.response for r in c.info_all("nonsense")})
    yield "admin", lambda: c.admin_query_users_info()


def main() -> None:
    host, port = common.address()
    client = aerospike.client({"hosts": [(host, port)], "timeout": 5000}).connect()
    common.run([("clear", lambda: client.truncate("test", SET, 0)),
                ("wait", lambda: time.sleep(0.2))])
    for part in (single.calls(client, aerospike), operates(client), batches(client),
                 queries(client), single.infos(client, aerospike), cluster(client)):
        common.run(part)
    client.close()


main()
