"""Connecting and closing of the asynchronous client; all else is in C."""

from __future__ import annotations

import asyncio
import types
from typing import Any

from . import _aerospike


async def _readable(fd: int) -> None:
    """Wait until the descriptor is readable."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.add_reader(fd, lambda: future.done() or future.set_result(None))
    try:
        await future
    finally:
        loop.remove_reader(fd)


class AsyncClient(_aerospike.AsyncClient):
    """A client of a cluster for asyncio.

    Every method that asks the cluster returns an awaitable that works where a coroutine does;
    nothing is sent before its first step. One client serves several event loops, in several
    threads, and outlives a loop that has ended.

    Parameters
    ----------
    config : dict
        As for ``client()``.
    """

    async def connect(self, username: str | None = None,
                      password: str | None = None) -> AsyncClient:
        """Connect to the cluster.

        Parameters
        ----------
        username, password : str, optional
            Credentials; they take the place of those of the configuration.

        Returns
        -------
        AsyncClient
            The client itself.

        Raises
        ------
        ConnectionError
            Code -10: no seed could be reached; the text says why, seed by seed.
        ClientError
            Code -1: connected already, or being connected by somebody else.
        """
        fd = self._begin_connect(username, password)
        try:
            while not self._poll_connect():
                await _readable(fd)
        except BaseException:
            self._abort_connect()
            raise
        return self

    async def close(self) -> None:
        """Close all connections; what runs fails with NotConnected. It may connect again."""
        self._close_now()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: BaseException | None,
                        tb: types.TracebackType | None) -> bool:
        await self.close()
        return False


def async_client(config: dict[str, Any]) -> AsyncClient:
    """Make an AsyncClient; it does not connect."""
    return AsyncClient(config)
