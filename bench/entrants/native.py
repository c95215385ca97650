"""The vendor's newer client, aerospike-native."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from operator import attrgetter
from typing import Any

import aerospike_native as native
import workload
from workload import BINS, MISC_SET, NAMESPACE, QUERY_SET, SET, Step


class Native(workload.Entrant):
    """aerospike-native."""

    name = "native"
    take = attrgetter("bins")  # its record makes the dict only when asked

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.address = f"{host}:{port}"
        self.client = native.new_client_blocking(native.ClientPolicy(), self.address)

    def version(self) -> str:
        return version("aerospike_native")

    @staticmethod
    def key(number: int) -> Any:
        return native.Key(NAMESPACE, SET, number)

    def get(self) -> Step:
        return self.client.get_blocking

    def put(self) -> Step:
        put = self.client.put_blocking
        return lambda key: put(key, BINS)

    async def open(self, coalesce: bool) -> Any:
        if coalesce:
            raise workload.Missing("no such option")
        policy = native.ClientPolicy()
        policy.max_conns_per_node = 2048  # its pool fails at once when it is full
        return await native.new_client(policy, self.address)

    def async_get(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        return client.get

    def async_put(self, client: Any) -> Callable[[Any], Awaitable[Any]]:
        put = client.put
        return lambda key: put(key, BINS)

    def batch_read(self, shape: str) -> Callable[[list[Any]], Any]:
        read = self.client.batch_read_blocking
        if shape == "dict":
            return lambda keys: {key: row.record.bins for key, row in
                                 zip(keys, read(keys))}
        if shape == "records":
            return lambda keys: [row.record.bins for row in read(keys)]
        numpy = workload.need("numpy")
        dtype = numpy.dtype(workload.DTYPE)
        names = list(dtype.names)

        def to_numpy(keys: list[Any]) -> Any:
            rows = read(keys, names)
            return numpy.array([(b["a"], b["b"], b["c"]) for b in
                                (row.record.bins for row in rows)], dtype)

        return to_numpy

    def batch_write(self) -> Callable[[list[Any]], Any]:
        write = self.client.batch_write_blocking
        return lambda keys: write(keys, [BINS] * len(keys))

    def query(self, shape: str) -> Callable[[], int]:
        def found() -> Any:
            statement = native.Statement(NAMESPACE, QUERY_SET)
            return self.client.query_blocking(statement, native.PartitionFilter.all())

        if shape == "each":
            return lambda: sum(1 for record in found() if record.bins is not None)
        return lambda: sum(1 for record in list(found()) if record.bins is not None)

    def operate_cdt(self) -> Step:
        key = native.Key(NAMESPACE, MISC_SET, "cdt")
        operate = self.client.operate_blocking
        self.client.put_blocking(key, {"l": [1, 2, 3, 4], "m": {"a": 1, "b": 2}})
        policy = native.MapPolicy(None, None)
        value = native.MapReturnType.VALUE
        return lambda number: operate(key, [
            native.MapOperation.put("m", "a", number, policy),
            native.MapOperation.get_by_key("m", "b", value),
            native.ListOperation.get("l", 2), native.ListOperation.size("l")]).bins


if __name__ == "__main__":
    workload.serve(Native)
