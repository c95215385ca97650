"""What queries and scans do in Python: calling back, and pages."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import _aerospike
from ._config import fault

__all__ = ["AsyncPages", "Page", "Pages"]

if TYPE_CHECKING:
    _Query = (_aerospike.Query | _aerospike.OfficialQuery
              | _aerospike.Scan | _aerospike.OfficialScan)
    _AsyncQuery = _aerospike.AsyncQuery | _aerospike.AsyncScan


class Page(list[Any]):
    """Records of one page.

    Attributes
    ----------
    cursor : bytes or None
        Where the next page begins; None: there is none.
    """

    cursor: bytes | None

    def __init__(self, records: list[Any], cursor: bytes | None) -> None:
        super().__init__(records)
        self.cursor = cursor


class _Place:
    """How far the pages are."""

    def __init__(self, query: Any, size: int, cursor: bytes | None, policy: Any) -> None:
        self._query = query
        self._size = size
        self._cursor = cursor
        self._policy = policy
        self._began = False
        self._over = False

    def _take(self, answer: tuple[list[Any], bytes | None]) -> Page | None:
        """The page; None if it is empty and not the only one."""
        records, self._cursor = answer
        self._over = self._cursor is None
        first, self._began = not self._began, True
        return Page(records, self._cursor) if records or first or not self._over else None


class Pages(_Place):
    """An iterator over the pages of a query."""

    def __iter__(self) -> Pages:
        return self

    def __next__(self) -> Page:
        if not self._over:
            page = self._take(self._query._page(self._size, self._cursor, self._policy))
            if page is not None:
                return page
        raise StopIteration


class AsyncPages(_Place):
    """An asynchronous iterator over the pages of a query."""

    def __aiter__(self) -> AsyncPages:
        return self

    async def __anext__(self) -> Page:
        if not self._over:
            page = self._take(await self._query._page(self._size, self._cursor, self._policy))
            if page is not None:
                return page
        raise StopAsyncIteration


def _check(callback: Any, strict: bool) -> None:
    if not callable(callback) and not strict:
        raise TypeError(f"callback must be callable, not {type(callback).__name__}")


def _failed() -> Exception:
    """What the strict face raises in place of what a callback raised."""
    return fault("ClientError", "Callback function contains an error", code=-1)


def foreach(query: _Query, callback: Callable[..., Any], policy: Any,
            options: Mapping[str, bool] | None, nodename: str | None, strict: bool) -> None:
    """Call back with each record until it gives False."""
    _check(callback, strict)
    with query._stream_with_ids(policy, options, nodename) as stream:
        with_ids = stream._with_ids
        for item in stream:
            try:
                answer = callback(*item) if with_ids else callback(item)
            except Exception:
                if strict:
                    raise _failed()  # noqa: B904 (the cause is its context)
                raise
            if answer is False:
                return


async def foreach_async(query: _AsyncQuery, callback: Callable[..., Any], policy: Any,
                        options: Mapping[str, bool] | None, nodename: str | None,
                        strict: bool) -> None:
    """The same; the callback may be a coroutine function."""
    _check(callback, strict)
    async with query._stream_with_ids(policy, options, nodename) as stream:
        with_ids = stream._with_ids
        async for item in stream:
            answer = callback(*item) if with_ids else callback(item)
            if inspect.isawaitable(answer):
                answer = await answer
            if answer is False:
                return


def copy_module(path: bytes, folder: str) -> None:
    """Keep a copy of a Lua module where stream UDFs are finished."""
    target = os.path.join(os.fsencode(folder or os.curdir), os.path.basename(path))
    try:
        shutil.copyfile(path, target)
    except shutil.SameFileError:
        pass
    except OSError as error:
        raise fault("LuaFileNotFound", f"cannot copy the script file: {error}",
                    code=1302) from error
