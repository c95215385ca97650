"""What the tests of the asynchronous client share: each runs on asyncio and, where it is
installed, on uvloop, and with both pumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from tap import Tap

from aerospike_py import AsyncClient
from aerospike_py.exception import AerospikeError
from aerospike_py.server import LocalServer

Opener = Callable[..., Any]


LoopMaker = Callable[[], asyncio.AbstractEventLoop]
LOOPS: dict[str, LoopMaker] = {"asyncio": asyncio.new_event_loop}
with suppress(ImportError):
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


def pytest_asyncio_loop_factories(config: pytest.Config,
                                  item: pytest.Item) -> dict[str, LoopMaker]:
    return LOOPS


@pytest.fixture(params=["embedded", "thread"], autouse=True)
def pump(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AEROSPIKE_PY_PUMP", request.param)
    return request.param


@pytest.fixture(params=LOOPS)
def new_loop(request: pytest.FixtureRequest) -> LoopMaker:
    """For tests that make their loops themselves."""
    return LOOPS[request.param]


@pytest.fixture
def run(new_loop: LoopMaker) -> Callable[..., Any]:
    """As ``asyncio.run``, on the kind of loop that the tests run on."""

    def run(coroutine: Any, debug: bool = False) -> Any:
        loop = new_loop()
        loop.set_debug(debug)
        try:
            asyncio.set_event_loop(loop)
            return loop.run_until_complete(coroutine)
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            loop.close()

    return run


@pytest_asyncio.fixture
async def open_client(hosts: list[tuple[str, int]]) -> AsyncIterator[Opener]:
    """``await open_client(**config)``: connected, and closed after the test."""
    made: list[AsyncClient] = []

    async def build(**config: Any) -> AsyncClient:
        one = AsyncClient({"hosts": hosts, **config})
        made.append(one)
        await one.connect()
        return one

    yield build
    for one in made:
        with suppress(AerospikeError):
            await one.close()


@pytest.fixture
def own_server() -> Iterator[LocalServer]:
    """A local server of this test alone."""
    with LocalServer() as server:
        yield server


@pytest.fixture
def tap(server: LocalServer) -> Iterator[Tap]:
    """A proxy to the local server that holds replies back."""
    with Tap("127.0.0.1", server.port) as tap:
        yield tap
