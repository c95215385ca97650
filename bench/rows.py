"""The rows of the benchmark's table: which runs, by whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PEERS = ("official", "rust", "native")
CLIENTS = ("ours", *PEERS)


@dataclass(frozen=True)
class Row:
    """One workload.

    Attributes
    ----------
    order : dict
        What entrants are told; see workload.py.
    floor : str
        The floor's way to do the same, with its size; empty: none.
    extra : tuple
        Further entrants beside the clients.
    quick : bool
        Part of the quick run.
    counted : bool
        System calls, instructions and the time of the lock are counted.
    rate_only : bool
        Others compute in the same process: its CPU says nothing.
    weight : float
        How much longer than others it is run.
    """

    name: str
    title: str
    order: dict[str, Any]
    floor: str = ""
    extra: tuple[str, ...] = ()
    unit: str = "operation"
    quick: bool = True
    counted: bool = False
    rate_only: bool = False
    weight: float = 1.0
    entrants: tuple[str, ...] = field(default=CLIENTS)


def sync_rows() -> list[Row]:
    return [
        Row("get", "get, 1 thread", {"run": "get"}, floor="get 1", counted=True,
            weight=3),
        Row("put", "put, 1 thread", {"run": "put"}, floor="put 1", counted=True,
            weight=3),
        Row("get_8", "get, 8 threads", {"run": "get", "threads": 8}, floor="threads 8",
            counted=True),
        Row("put_8", "put, 8 threads", {"run": "put", "threads": 8}, floor="put_threads 8"),
        Row("get_beside_thread", "get, 1 thread, a computing thread beside it",
            {"run": "get", "rival": "thread"}, quick=False, rate_only=True),
    ]


def async_row(kind: str, in_flight: int, quick: bool, coalesce: bool = False) -> Row:
    name = f"{kind}_{in_flight}" + ("_coalesced" if coalesce else "")
    title = f"async get, {in_flight} in flight, {kind}" + (", coalesced" if coalesce else "")
    order: dict[str, Any] = {"run": "async_get", "loop": kind, "in_flight": in_flight}
    floor = "get 1" if in_flight == 1 else "epoll 16" if in_flight == 16 else ""
    if coalesce:
        order["coalesce"] = True
    return Row(name, title, order, quick=quick, floor="" if coalesce else floor,
               extra=("echo",) if in_flight == 1 and not coalesce else (),
               counted=in_flight == 64 and kind == "asyncio",
               entrants=("ours",) if coalesce else CLIENTS)


def async_rows() -> list[Row]:
    rows = [async_row("asyncio", n, True) for n in (1, 16, 64, 256, 1024)]
    rows += [async_row("uvloop", n, n == 64) for n in (1, 16, 64, 256, 1024)]
    rows += [async_row("asyncio", n, n == 64, True) for n in (1, 16, 64, 256, 1024)]
    rows += [
        Row("async_put_64", "async put, 64 in flight, asyncio",
            {"run": "async_put", "in_flight": 64}, quick=False),
        Row("async_beside_thread", "async get, 64 in flight, a computing thread beside it",
            {"run": "async_get", "in_flight": 64, "rival": "thread"}, rate_only=True),
        Row("async_beside_coroutine",
            "async get, 64 in flight, a coroutine computes 2 of 4 ms",
            {"run": "async_get", "in_flight": 64, "rival": "coroutine"}, quick=False,
            rate_only=True),
    ]
    return rows


def record_rows() -> list[Row]:
    rows = []
    for rows_each, quick in ((1000, True), (100, False)):
        rows += [
            Row(f"batch_{shape}_{rows_each}", f"batch read of {rows_each}, {title}",
                {"run": "batch_read", "rows": rows_each, "shape": shape}, unit="record",
                floor=f"batch_read {rows_each}", quick=quick)
            for shape, title in (("dict", "to dicts"), ("records", "to records"),
                                 ("numpy", "3 bins to NumPy"))]
    rows += [
        Row("batch_write", "batch write of 1000", {"run": "batch_write", "rows": 1000},
            unit="record", floor="batch_write 1000"),
        Row("query", "query of 100,000, one record after the other",
            {"run": "query", "shape": "each"}, unit="record", floor="query 1", quick=False),
        Row("query_list", "query of 100,000, all in one list",
            {"run": "query", "shape": "list"}, unit="record", floor="query 1", quick=False),
        Row("operate_cdt", "operate, 4 list and map operations", {"run": "operate_cdt"}),
    ]
    return rows


ROWS = [*sync_rows(), *async_rows(), *record_rows()]
