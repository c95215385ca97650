"""Fixtures for tests of code that uses Aerospike: a server in memory, and clients of it.

pytest finds this by itself once the package is installed. Nothing is started, nor imported,
before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aerospike_py import AsyncClient, Client
    from aerospike_py.server import LocalServer
    from aerospike_py.types import ClientConfig


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest of the settings, for its configuration file."""
    parser.addini("aerospike_nodes", "nodes of the local server, 1 to 8", default="1")
    parser.addini("aerospike_namespaces", "namespaces of the local server", type="args",
                  default=["test", "bar"])
    parser.addini("aerospike_edition", "community or enterprise", default="community")


@pytest.fixture(scope="session")
def aerospike_server(pytestconfig: pytest.Config) -> Iterator[LocalServer]:
    """Serve a cluster in memory, for the whole run.

    Yields
    ------
    LocalServer
        It is running; its records stay from test to test, but for those of tests that take
        one of the clients below.
    """
    from aerospike_py.server import LocalServer

    edition = pytestconfig.getini("aerospike_edition")
    with LocalServer(int(pytestconfig.getini("aerospike_nodes")),
                     pytestconfig.getini("aerospike_namespaces"), edition=edition) as server:
        yield server


@pytest.fixture
def aerospike_clean_server(aerospike_server: LocalServer) -> Iterator[LocalServer]:
    """Empty the server before a test, and take its faults away before and after.

    Yields
    ------
    LocalServer
        The server of `aerospike_server`.
    """
    aerospike_server.clear_faults()
    aerospike_server.flush()
    yield aerospike_server
    aerospike_server.clear_faults()


@pytest.fixture
def aerospike_config(aerospike_clean_server: LocalServer) -> ClientConfig:
    """Give the configuration that leads to the server, which is empty.

    Returns
    -------
    dict
        For ``aerospike_py.client`` and ``AsyncClient``; change it as you like.
    """
    return {"hosts": [(host, port) for host, port in aerospike_clean_server.hosts]}


@pytest.fixture
def aerospike_client(aerospike_config: ClientConfig) -> Iterator[Client]:
    """Connect a client to the server, which is empty; it is closed after the test.

    Yields
    ------
    Client
        It is connected.
    """
    import aerospike_py

    with aerospike_py.client(aerospike_config).connect() as client:
        yield client


@pytest.fixture
def aerospike_async_client(aerospike_config: ClientConfig) -> Iterator[AsyncClient]:
    """Connect an asynchronous client to the server, which is empty.

    It serves whatever event loop the test runs on: of pytest-asyncio, of anyio, or of
    ``asyncio.run``.

    Yields
    ------
    AsyncClient
        It is connected, and closed after the test.
    """
    import asyncio

    import aerospike_py

    client = aerospike_py.AsyncClient(aerospike_config)
    asyncio.run(client.connect())
    yield client
    asyncio.run(client.close())
