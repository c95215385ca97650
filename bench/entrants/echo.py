"""The control: bare asyncio on one socket against an echo, a future for each request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import workload

PAYLOAD = bytes(128)


class Line(asyncio.Protocol):
    """Sends a payload, and gives it to the future when it has come back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: deque[asyncio.Future[int]] = deque()
        self.have = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.have += len(data)
        while self.have >= len(PAYLOAD):
            self.have -= len(PAYLOAD)
            self.waiting.popleft().set_result(len(PAYLOAD))

    def ask(self, key: Any) -> asyncio.Future[int]:
        future = self.loop.create_future()
        self.waiting.append(future)
        self.transport.write(PAYLOAD)
        return future


class Echo(workload.Entrant):
    """Bare asyncio."""

    name = "echo"

    def version(self) -> str:
        return "asyncio"

    async def open(self, coalesce: bool) -> Any:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(lambda: Line(loop), self.host, self.port))[1]

    def async_get(self, line: Any) -> Callable[[Any], Awaitable[Any]]:
        return line.ask


if __name__ == "__main__":
    workload.serve(Echo)
