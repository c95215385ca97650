"""An AsyncClient that is called like a Client, so that one test text runs on both."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any


async def _first_step(awaitable: Any) -> Any:
    return await awaitable


class Blocking:
    """What is behind an asyncio object, each awaitable run to its end on `loop`.

    Methods that give an awaitable return its result; what can be iterated with ``async for`` is
    iterated with ``for``; ``async with`` becomes ``with``.  ``inner`` and ``loop`` are for tests
    that need the object itself.
    """

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.inner = inner
        self.loop = loop

    def run(self, awaitable: Any) -> Any:
        """Run one awaitable to its end."""
        return self.loop.run_until_complete(_first_step(awaitable))

    def _settle(self, value: Any) -> Any:
        if value is self.inner:
            return self
        if inspect.isawaitable(value):
            return self._settle(self.run(value))
        if hasattr(type(value), "__aiter__") or type(value).__name__.startswith("Async"):
            return Blocking(value, self.loop)
        return value

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        if not callable(value):
            return value

        @functools.wraps(value)
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._settle(value(*args, **kwargs))

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("inner", "loop"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.inner, name, value)

    def __repr__(self) -> str:
        return f"Blocking({self.inner!r})"

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, item: Any) -> Any:
        return self.inner[item]

    def __enter__(self) -> Any:
        return self._settle(self.inner.__aenter__())

    def __exit__(self, *exc: Any) -> Any:
        return self._settle(self.inner.__aexit__(*exc))

    def __iter__(self) -> Iterator[Any]:
        if not hasattr(type(self.inner), "__aiter__"):
            yield from self.inner
            return
        source: AsyncIterator[Any] = self.inner.__aiter__()
        try:
            while True:
                try:
                    yield self.run(source.__anext__())
                except StopAsyncIteration:
                    return
        finally:
            if hasattr(source, "aclose"):
                self.run(source.aclose())


NEIGHBOUR = ("test", "neighbours", 1)


async def _first_of(awaitable: Any, other: Any) -> Any:
    found, _ = await asyncio.gather(awaitable, other, return_exceptions=True)
    if isinstance(found, BaseException):
        raise found
    return found


class Together(Blocking):
    """The same for a client with ``coalesce_reads``: every read of one record is issued beside
    another with the same policy, so that both travel as rows of one batch request."""

    def __getattr__(self, name: str) -> Any:
        if name not in ("get", "select", "exists"):
            return super().__getattr__(name)
        value = getattr(self.inner, name)

        @functools.wraps(value)
        def call(*args: Any, **kwargs: Any) -> Any:
            made = value(*args, **kwargs)
            at = 2 if name == "select" else 1
            policy = args[at] if len(args) > at else kwargs.get("policy")
            if not isinstance(policy, dict):
                policy = None
            return self.run(_first_of(made, self.inner.exists(NEIGHBOUR, policy)))

        return call
