"""Waiting in tests for something that happens elsewhere, however slow the machine is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT = 20.0  # seconds


async def until(condition: Callable[[], object]) -> None:
    """Let the loop go on until it is so."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come to that")
        await asyncio.sleep(0.001)
