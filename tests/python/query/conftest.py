"""Sets of records for queries, and the ways of reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from queries import READERS, Reader, fill


@pytest.fixture(params=sorted(READERS))
def read(request: pytest.FixtureRequest) -> Reader:
    """One of the ways to read all that a query finds."""
    return READERS[request.param]


@pytest.fixture(params=["query", "scan"])
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """``make(client, namespace, set_name)``: a query or a scan."""
    return lambda client, *where: getattr(client, request.param)(*where)


@pytest.fixture
def people(client: Any, set_name: str) -> dict[int, dict[str, Any]]:
    """The records of ``set_name``: their bins by number."""
    return fill(client, set_name)


@pytest.fixture
def index(client: Any) -> Iterator[Callable[..., str]]:
    """``index(method, name, ...)``: an index that is removed after the test."""
    made: list[str] = []

    def create(method: str, *args: Any, name: str, **kwargs: Any) -> str:
        made.append(name)
        assert getattr(client, method)("test", *args, index_name=name, **kwargs) == 0
        return name

    yield create
    for name in made:
        client.index_remove("test", name)
