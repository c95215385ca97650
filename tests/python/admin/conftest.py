"""A server with users, and clients of those who are logged in."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from blocking import Blocking

import aerospike_py
from aerospike_py import official
from aerospike_py.server import LocalServer, User

ROOT = {"user": "root", "password": "root"}


@pytest.fixture(scope="session")
def secured() -> Iterator[LocalServer]:
    """Two nodes; ``root`` manages users and reads and writes."""
    with LocalServer(edition="enterprise", security=True, nodes=2,
                     users=[User("root", "root", ["user-admin", "read-write"])]) as server:
        yield server


@pytest.fixture
def local(secured: LocalServer) -> LocalServer:
    return secured


@pytest.fixture(scope="session")
def roots(secured: LocalServer, loop: asyncio.AbstractEventLoop) -> Iterator[Callable[[str], Any]]:
    """One client of ``root`` of each kind."""
    made: dict[str, Any] = {}

    def get(kind: str) -> Any:
        config = {"hosts": secured.hosts, "connect_timeout": 20_000, **ROOT}
        if kind not in made:
            made[kind] = (official.client(config) if kind == "strict"
                          else Blocking(aerospike_py.AsyncClient(config), loop)
                          if kind == "async" else aerospike_py.client(config))
            if kind != "strict":
                made[kind].connect()
        return made[kind]

    yield get
    for one in made.values():
        one.close()


@pytest.fixture
def root(kind: str, roots: Callable[[str], Any]) -> Any:
    return roots(kind)


@pytest.fixture
def strict_root(roots: Callable[[str], Any]) -> Any:
    return roots("strict")


@pytest.fixture(params=["sync", "async", "strict"])
def each_root(request: pytest.FixtureRequest, roots: Callable[[str], Any]) -> Any:
    return roots(request.param)


_count = itertools.count()


@pytest.fixture
def name() -> str:
    """A name that no user and no role has had."""
    return f"n{next(_count)}"
