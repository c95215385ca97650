"""The official package's calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import aerospike
import common
import single
import values
from aerospike_helpers.batch import records as br
from aerospike_helpers.operations import list_operations as lists, operations as ops

SET = single.SET


def operates(c: Any) -> Iterator[common.Call]:
    k = ("test", SET, "operate")
    yield "operate write", lambda: c.operate(k, [ops.write("a", 1), ops.write("s", "x")])
    yield "operate mixed", lambda: c.operate(k, [ops.increment("a", 5), ops.append("s", "y"),
                                                 ops.prepend("s", "w"), ops.read("a"),
                                                 ops.read("s"), ops.read("none")])
    yield "operate ordered", lambda: c.operate_ordered(k, [ops.read("a"), ops.increment("a", 1),
                                                           ops.read("a"), ops.read("none")])
    yield "operate touch", lambda: c.operate(k, [ops.touch(), ops.read("a")])
    yield "operate lists", lambda: c.operate(k, [lists.list_append("l", 3),
                                                 lists.list_append("l", "z"),
                                                 lists.list_size("l"), lists.list_get("l", 0)])
    yield "operate wrong type", lambda: c.operate(k, [ops.append("a", "x")])
    yield "operate reads", lambda: c.operate(k, [ops.read("a"), ops.read("s")])
    yield "operate delete", lambda: c.operate(k, [ops.read("a"), ops.delete()])
    yield "operate deleted", lambda: c.exists(k)
    yield "operate missing", lambda: c.operate(k, [ops.read("a")])


def rows(batch: Any) -> list[Any]:
    return [[r.key[2], r.result, r.in_doubt, list(r.record or ())[1:]] for r in batch.batch_records]


def batches(c: Any) -> Iterator[common.Call]:
    keys = [("test", SET, i) for i in range(6)]

    def write() -> Any:
        return rows(c.batch_write(br.BatchRecords(
            [br.Write(k, [ops.write("i", k[2]), ops.write("s", "x" * k[2])]) for k in keys[:5]])))

    def mixed() -> Any:
        return rows(c.batch_write(br.BatchRecords([
            br.Write(keys[0], [ops.increment("i", 10), ops.read("i")]),
            br.Read(keys[1], [ops.read("s")]), br.Read(keys[2], None, read_all_bins=True),
            br.Remove(keys[3]), br.Remove(("test", SET, "missing")), br.Read(keys[5], None),
            br.Write(keys[4], [ops.append("i", "x")]),
            br.Read(("nowhere", SET, 1), None)])))

    yield "batch write", write
    yield "batch read", lambda: rows(c.batch_read(keys))
    yield "batch read bins", lambda: rows(c.batch_read(keys, ["i"]))
    yield "batch exists", lambda: rows(c.batch_read(keys, []))
    yield "batch operate", lambda: rows(c.batch_operate(keys, [ops.increment("i", 1),
                                                               ops.read("i")]))
    yield "batch mixed", mixed
    yield "batch remove", lambda: rows(c.batch_remove(keys[:2]))
    yield "batch read big", lambda: len(rows(c.batch_read([("test", SET, i) for i in range(999)])))


def queries(c: Any) -> Iterator[common.Call]:
    def fill() -> int:
        for i in range(200):
            c.put(("test", "peersq", i), {"i": i, "s": str(i)},
                  policy={"key": aerospike.POLICY_KEY_SEND})
        return 200

    def found(query: Any, **more: Any) -> Any:
        return sorted((key[2], sorted(bins)) for key, _, bins in query.results(**more))

    def selected() -> Any:
        query = c.query("test", "peersq")
        query.select("i")
        return found(query)

    def pages() -> Any:
        query = c.query("test", "peersq")
        query.max_records = 30
        query.paginate()
        seen: list[Any] = []
        while not query.is_done():
            seen += [key[2] for key, _, _ in query.results()]
        return [len(seen), len(set(seen))]

    yield "fill", fill
    yield "query all", lambda: found(c.query("test", "peersq"))
    yield "query bins", selected
    yield "query pages", pages
    yield "query partition", lambda: found(
        c.query("test", "peersq"), policy={"partition_filter": {"begin": 100, "count": 700}})
    yield "query unknown set", lambda: found(c.query("test", "peersnone"))
    yield "query unknown namespace", lambda: found(c.query("nowhere", "x"))
    yield "query without bins", lambda: len(c.query("test", "peersq").results(
        options={"nobins": True}))
    yield "scan", lambda: len(c.scan("test", "peersq").results())
    yield "query without index", lambda: found_where(c)
    yield "truncate queried", lambda: c.truncate("test", "peersq", 0)
    yield "wait for truncate", lambda: time.sleep(0.2)
    yield "query truncated", lambda: found(c.query("test", "peersq"))


def found_where(c: Any) -> Any:
    query = c.query("test", "peersq")
    query.where(aerospike.predicates.equals("i", 5))
    return query.results()


def cluster(c: Any) -> Iterator[common.Call]:
    yield "connected", lambda: c.is_connected()
    yield "info all", lambda: sorted({value for _, value in c.info_all("build").values()})
    yield "info all nonsense", lambda: c.info_all("nonsense")
    yield "admin", lambda: c.admin_query_users_info()


def main() -> None:
    host, port = common.address()
    client = aerospike.client({"hosts": [(host, port)], "policies": {
        "read": {"total_timeout": 5000}, "write": {"total_timeout": 5000},
        "operate": {"total_timeout": 5000}, "batch": {"total_timeout": 10000}}})
    common.run([("clear", lambda: client.truncate("test", SET, 0)),
                ("wait", lambda: time.sleep(0.2))])
    for part in (single.calls(client, aerospike), operates(client), batches(client),
                 values.calls(client), queries(client), single.infos(client, aerospike),
                 cluster(client)):
        common.run(part)
    client.close()


main()
