"""Connecting and closing of the asynchronous client; all else is in C."""

from __future__ import annotations

from types import TracebackType

from . import _aerospike, _fork
from ._client import origin_of
from .types import ClientConfig


async def _readable(fd: int) -> None:
    """Wait until the descriptor is readable."""
    import asyncio

    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    loop.add_reader(fd, wake)
    try:
        await future
    finally:
        loop.remove_reader(fd)


class AsyncClient(_aerospike._AsyncClient):
    """A client of a cluster for asyncio.

    Every method that asks the cluster returns an awaitable that works where a coroutine does;
    nothing is sent before its first step. One client serves several event loops, in several
    threads, and outlives a loop that has ended.

    Parameters
    ----------
    config : dict
        As for ``Client``.
    """

    def __new__(cls, config: ClientConfig) -> AsyncClient:
        made = super().__new__(cls, config)
        made._origin = origin_of(config)
        _fork.track(made)
        return made

    _origin: tuple[str, int, str | None]
    _opening = False

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

    async def _reopen(self) -> None:
        """In the child of a fork: connect once, whoever comes first."""
        import asyncio

        while self._reopens():
            if self._opening:
                await asyncio.sleep(0.002)
                continue
            self._opening = True
            try:
                await self.connect()
            finally:
                self._opening = False

    async def close(self) -> None:
        """Close all connections; what runs fails with NotConnected. It may connect again."""
        self._close_now()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: BaseException | None,
                        tb: TracebackType | None) -> bool:
        await self.close()
        return False


def async_client(config: ClientConfig) -> AsyncClient:
    """Make an AsyncClient; it does not connect.

    Parameters
    ----------
    config : dict
        As for ``Client``.

    Returns
    -------
    AsyncClient
        It connects with ``connect()``.
    """
    return AsyncClient(config)
