"""The aerospike-py written in Rust."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import workload
from workload import BINS, NAMESPACE, QUERY_SET, Step

import aerospike_py
from aerospike_py import list_operations, map_operations


class Rust(workload.Entrant):
    """aerospike-py."""

    name = "rust"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.config = {"hosts": [(host, port)]}
        self.client = aerospike_py.client(self.config).connect()

    def version(self) -> str:
        return str(aerospike_py.__version__)

    def get(self) -> Step:
        return self.client.get

    def put(self) -> Step:
        put = self.client.put
        return lambda key: put(key, BINS)

    async def open(self, coalesce: bool) -> Any:
        if coalesce:
            raise workload.Missing("no such option")
        client = aerospike_py.AsyncClient(self.config)
        await client.connect()
        return client

    def async_get(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        return client.get

    def async_put(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        put = client.put
        return lambda key: put(key, BINS)

    def batch_read(self, shape: str) -> Callable[[list[Any]], Any]:
        read = self.client.batch_read
        if shape == "dict":
            return lambda keys: read(keys).to_dict()
        if shape == "records":
            return lambda keys: read(keys).batch_records
        dtype = workload.need("numpy").dtype(workload.DTYPE)
        names = list(dtype.names)
        return lambda keys: read(keys, names).to_numpy(dtype)

    def batch_write(self) -> Callable[[list[Any]], Any]:
        write = self.client.batch_write
        return lambda keys: write([(key, BINS) for key in keys])

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
            map_operations.map_get_by_key("m", "b", aerospike_py.MAP_RETURN_VALUE),
            list_operations.list_get("l", 2), list_operations.list_size("l")])


if __name__ == "__main__":
    workload.serve(Rust)
