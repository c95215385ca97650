"""The client of this tree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import workload
from workload import BINS, NAMESPACE, QUERY_SET, Missing, Step, method

import aerospike_py
from aerospike_py import _aerospike


class Ours(workload.Entrant):
    """aerospike_py."""

    name = "ours"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.config = {"hosts": [(host, port)]}
        self.client = aerospike_py.client(self.config).connect()
        self.gil_clock = getattr(_aerospike, "gil_clock", None)

    def version(self) -> str:
        return str(getattr(aerospike_py, "__version__", "0.1.0"))

    def get(self) -> Step:
        return self.client.get

    def put(self) -> Step:
        put = self.client.put
        return lambda key: put(key, BINS)

    async def open(self, coalesce: bool) -> Any:
        config: dict[str, Any] = dict(self.config)
        if coalesce:
            config["coalesce_reads"] = True
        client = aerospike_py.AsyncClient(config)
        await client.connect()
        return client

    def async_get(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        return client.get

    def async_put(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        put = client.put
        return lambda key: put(key, BINS)

    def batch_read(self, shape: str) -> Callable[[list[Any]], Any]:
        read = method(self.client, "batch_read")
        if shape == "dict":
            return lambda keys: read(keys).to_dict()
        if shape == "records":
            return lambda keys: read(keys).batch_records
        dtype = workload.need("numpy").dtype(workload.DTYPE)
        names = list(dtype.names)
        return lambda keys: read(keys, names).to_numpy(dtype)

    def batch_write(self) -> Callable[[list[Any]], Any]:
        write = method(self.client, "batch_write")
        return lambda keys: write([(key, BINS) for key in keys])

    def query(self, shape: str) -> Callable[[], int]:
        query = method(self.client, "query")
        if shape == "each":
            return lambda: sum(1 for record in query(NAMESPACE, QUERY_SET)
                               if record[2] is not None)
        return lambda: sum(1 for record in query(NAMESPACE, QUERY_SET).results()
                           if record[2] is not None)

    def operate_cdt(self) -> Step:
        lists = workload.need("aerospike_py.list_operations")
        maps = workload.need("aerospike_py.map_operations")
        key = (NAMESPACE, workload.MISC_SET, "cdt")
        operate = self.client.operate
        self.client.put(key, {"l": [1, 2, 3, 4], "m": {"a": 1, "b": 2}})
        any_value = getattr(aerospike_py, "MAP_RETURN_VALUE", 7)
        return lambda number: operate(key, [
            maps.map_put("m", "a", number), maps.map_get_by_key("m", "b", any_value),
            lists.list_get("l", 2), lists.list_size("l")])

    def pieces(self, order: dict[str, Any]) -> workload.Result:
        import pieces

        if not hasattr(_aerospike, "time_call"):
            raise Missing("built without AERO_GIL_CLOCK")
        return pieces.measure(self.client, _aerospike.time_call, self.host, self.port)


if __name__ == "__main__":
    workload.serve(Ours)
