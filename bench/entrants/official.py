"""The vendor's client; its asynchronous form is an executor of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import aerospike
import workload
from aerospike_helpers.batch import records
from aerospike_helpers.operations import list_operations, map_operations, operations
from workload import BINS, NAMESPACE, QUERY_SET, Step


class Official(workload.Entrant):
    """aerospike."""

    name = "official"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.client = aerospike.client({"hosts": [(host, port)]})
        self.pool = ThreadPoolExecutor(workload.EXECUTOR_THREADS)

    def version(self) -> str:
        return version("aerospike")

    def get(self) -> Step:
        return self.client.get

    def put(self) -> Step:
        put = self.client.put
        return lambda key: put(key, BINS)

    async def open(self, coalesce: bool) -> Any:
        if coalesce:
            raise workload.Missing("no such option")
        return asyncio.get_running_loop()

    def async_get(self, loop: Any) -> Callable[[Any], Awaitable[Any]]:
        run = loop.run_in_executor
        pool, get = self.pool, self.client.get
        return lambda key: run(pool, get, key)

    def async_put(self, loop: Any) -> Callable[[Any], Awaitable[Any]]:
        run = loop.run_in_executor
        pool, put = self.pool, self.client.put
        return lambda key: run(pool, put, key, BINS)

    def batch_read(self, shape: str) -> Callable[[list[Any]], Any]:
        read = self.client.batch_read
        if shape == "dict":
            return lambda keys: {row.key[2]: row.record[2] for row in
                                    read(keys).batch_records}
        if shape == "records":
            return lambda keys: read(keys).batch_records
        numpy = workload.need("numpy")
        dtype = numpy.dtype(workload.DTYPE)
        names = list(dtype.names)

        def to_numpy(keys: list[Any]) -> Any:
            rows = read(keys, names).batch_records
            return numpy.array([(b["a"], b["b"], b["c"]) for b in
                                (row.record[2] for row in rows)], dtype)

        return to_numpy

    def batch_write(self) -> Callable[[list[Any]], Any]:
        write = self.client.batch_write
        return lambda keys: write(records.BatchRecords([
            records.Write(key, [operations.write(name, value)
                                   for name, value in BINS.items()])
            for key in keys]))

    def query(self, shape: str) -> Callable[[], int]:
        query = self.client.query

        def each() -> int:
            found = workload.Counter()
            query(NAMESPACE, QUERY_SET).foreach(found)
            return found.count

        if shape == "each":
            return each
        return lambda: sum(1 for record in query(NAMESPACE, QUERY_SET).results()
                           if record[2] is not None)

    def operate_cdt(self) -> Step:
        key = (NAMESPACE, workload.MISC_SET, "cdt")
        operate = self.client.operate
        self.client.put(key, {"l": [1, 2, 3, 4], "m": {"a": 1, "b": 2}})
        return lambda number: operate(key, [
            map_operations.map_put("m", "a", number),
            map_operations.map_get_by_key("m", "b", aerospike.MAP_RETURN_VALUE),
            list_operations.list_get("l", 2), list_operations.list_size("l")])


if __name__ == "__main__":
    workload.serve(Official)
