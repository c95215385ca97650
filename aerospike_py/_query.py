"""What queries and scans do in Python: calling back, pages, and the end of aggregations."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _aerospike
from ._config import fault, param_type
from ._errors import AerospikeError

__all__ = ["ArrowRecords", "AsyncPages", "FetchedRecords", "Page", "Pages"]

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


@contextmanager
def _counted(query: Any) -> Generator[None]:
    """What happens inside is an operation to the metrics."""
    began, code = time.perf_counter(), 0
    try:
        yield
    except Exception as error:
        own = getattr(error, "code", None)
        code = own if isinstance(own, int) else -1
        raise
    finally:
        _aerospike.count_query(query, code, time.perf_counter() - began)


def foreach(query: _Query, callback: Callable[..., Any], policy: Any,
            options: Mapping[str, bool] | None, nodename: str | None, strict: bool) -> None:
    """Call back with each record until it gives False."""
    _check(callback, strict)
    with query._stream_with_ids(policy, options, nodename) as stream, _counted(query):
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
        with _counted(query):
            with_ids = stream._with_ids
            async for item in stream:
                answer = callback(*item) if with_ids else callback(item)
                if inspect.isawaitable(answer):
                    answer = await answer
                if answer is False:
                    return


# ---- Arrow ----


def _wish(schema: Any) -> object:
    """A schema in its capsule, if there is one."""
    if schema is None:
        return None
    if not hasattr(schema, "__arrow_c_schema__"):
        raise param_type(f"schema must be an Arrow schema, not {type(schema).__name__}")
    return schema.__arrow_c_schema__()


class ArrowRecords:
    """Records of a query as an Arrow stream, which is read from the cluster."""

    def __init__(self, query: Any, policy: Any, options: Any, batch_size: int | None,
                 schema: Any) -> None:
        self._how = (policy, options, batch_size)
        self._query = query
        self._schema = schema
        _wish(schema)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        wish = _wish(self._schema) if requested_schema is None else requested_schema
        return self._query._arrow_stream(*self._how, wish)


class FetchedRecords:
    """Records of a query as an Arrow stream that can be taken once."""

    def __init__(self, capsule: object) -> None:
        self._capsule: object | None = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        capsule, self._capsule = self._capsule, None
        if capsule is None:
            raise ValueError("the records were taken already")
        return capsule


async def fetch_arrow(query: Any, policy: Any, options: Any,
                      batch_size: int | None, schema: Any) -> FetchedRecords:
    """Read all records."""
    return FetchedRecords(await query._arrow_table(policy, options, _wish(schema)))


# ---- stream UDFs: the part that is finished here ----

_REQUIRED = re.compile(rb"""\brequire\s*\(?\s*["']([\w.-]+)["']""")
_REDUCE_MS = 60_000


class _Reduction:
    """The modules that are wanted, and what is done with them."""

    def __init__(self, query: Any) -> None:
        found = query._aggregation()
        self.module: str = found[0]
        self.function, self.args, self._folder, self.client = found[1:]
        self._sources: dict[str, bytes] = {}
        self._wanted: list[str] = [self.module]

    def missing(self) -> str | None:
        """A module that is not in the folder."""
        while self._wanted:
            name = self._wanted.pop()
            if name in self._sources:
                continue
            try:
                if self._folder is None:
                    return name
                self.add(name, Path(self._folder, f"{name}.lua").read_bytes())
            except OSError:
                return name
        return None

    def add(self, name: str, source: bytes) -> None:
        """Keep a module, and look what it wants itself."""
        self._sources[name] = source
        self._wanted += [found.decode() for found in _REQUIRED.findall(source)]

    def refused(self, name: str) -> bool:
        """A module is nowhere: only the first one has to be somewhere."""
        self._sources.setdefault(name, b"")
        return name == self.module

    def run(self, pairs: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Run Lua."""
        try:
            from . import _lua
        except ImportError as error:
            raise fault("ClientError", "stream UDFs need aerospike_py._lua, which is not there",
                        code=-1) from error
        try:
            return _lua.run(self._sources, self.module, self.function, self.args, pairs,
                            ms=_REDUCE_MS)
        except RuntimeError as error:
            raise fault("UDFError", str(error), code=100) from None


def aggregate(query: Any, policy: Any, options: Any) -> list[Any]:
    """What a stream UDF gives."""
    pairs = query._values(policy, options)
    work = _Reduction(query)
    while (name := work.missing()) is not None:
        try:
            work.add(name, work.client.udf_get(f"{name}.lua").encode())
        except AerospikeError:
            if work.refused(name):
                raise
    found: list[Any] = query._decode(work.run(pairs))
    return found


async def aggregate_async(query: Any, policy: Any, options: Any) -> list[Any]:
    """The same; Lua runs in a thread."""
    import asyncio

    pairs = await query._values(policy, options)
    work = _Reduction(query)
    while (name := work.missing()) is not None:
        try:
            work.add(name, (await work.client.udf_get(f"{name}.lua")).encode())
        except AerospikeError:
            if work.refused(name):
                raise
    found: list[Any] = query._decode(await asyncio.to_thread(work.run, pairs))
    return found


class Values:
    """What a stream UDF gives, one by one."""

    _with_ids = False

    def __init__(self, query: Any, policy: Any, options: Any) -> None:
        self._how = (query, policy, options)
        self._found: Iterator[Any] | None = None

    def __iter__(self) -> Values:
        return self

    def __next__(self) -> Any:
        if self._found is None:
            self._found = iter(aggregate(*self._how))
        return next(self._found)

    def close(self) -> None:
        """Give no more."""
        self._found = iter(())

    def __enter__(self) -> Values:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncValues:
    """The same, for ``async for``."""

    _with_ids = False

    def __init__(self, query: Any, policy: Any, options: Any) -> None:
        self._how = (query, policy, options)
        self._found: Iterator[Any] | None = None

    def __aiter__(self) -> AsyncValues:
        return self

    async def __anext__(self) -> Any:
        if self._found is None:
            self._found = iter(await aggregate_async(*self._how))
        for value in self._found:
            return value
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give no more."""
        self._found = iter(())

    async def __aenter__(self) -> AsyncValues:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


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
