"""Reading and filling sets, for the tests of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aerospike_py.exception import AerospikeError

COUNT = 600
Reader = Callable[..., list[Any]]


def by_results(query: Any, **options: Any) -> list[Any]:
    return query.results(**options)


def by_loop(query: Any, **options: Any) -> list[Any]:
    return list(query.stream(**options))


def by_callback(query: Any, **options: Any) -> list[Any]:
    found: list[Any] = []
    query.foreach(lambda *item: found.append(item[-1]), **options)
    return found


def by_pages(query: Any, **options: Any) -> list[Any]:
    return [record for page in query.pages(70, **options) for record in page]


READERS: dict[str, Reader] = {
    "results": by_results, "loop": by_loop, "foreach": by_callback, "pages": by_pages}


def fill(client: Any, set_name: str, count: int = COUNT) -> dict[int, dict[str, Any]]:
    """Write records that differ in every bin; their bins by number."""
    wanted = {}
    for n in range(count):
        wanted[n] = {"n": n, "mod": n % 10, "name": f"name-{n}"}
        client.put(("test", set_name, n), wanted[n])
    return wanted


def numbers(records: list[Any]) -> list[int]:
    """The numbers of records, as they came."""
    return [record[2]["n"] for record in records]


def error_of(call: Callable[[], Any]) -> AerospikeError:
    """What a call raises."""
    with pytest.raises(AerospikeError) as caught:
        call()
    return caught.value
