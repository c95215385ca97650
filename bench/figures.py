"""The figures that this client sets out to reach, each with what was measured.

    python bench/figures.py build/bench/results.json

The same is printed at the end of ``make bench``.  The status is 1 when a figure was measured and
not reached.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

from cells import Report, cell, ratio

LEVELS = (1, 16, 64, 256, 1024)


@dataclass(frozen=True)
class Figure:
    """One figure: what is asked, and how it is found in the report."""

    part: str
    text: str
    limit: float
    least: bool  # at least the limit, else at most
    find: Callable[[Report], float | None]
    aim: float | None = None

    def reached(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit


def rate_by(row: str, *others: str) -> Callable[[Report], float | None]:
    """Our rate by the best of the others'."""
    def find(report: Report) -> float | None:
        found = [ratio(report, row, "ours", other, "rate") for other in others]
        known = [r for r in found if r is not None]
        return min(known) if known else None
    return find


def by(row: str, other: str, what: str) -> Callable[[Report], float | None]:
    return lambda report: ratio(report, row, "ours", other, what)


def ours(row: str, what: str, unit: float = 1.0) -> Callable[[Report], float | None]:
    def find(report: Report) -> float | None:
        found = cell(report, row, "ours")
        return found.get(what) * unit if found and found.each(
            "cpu" if what in ("user", "system") else what) else None
    return find


def calls(row: str) -> Callable[[Report], float | None]:
    return lambda report: report["calls"].get(row, {}).get("ours", {}).get("total")


def instructions(row: str) -> Callable[[Report], float | None]:
    def find(report: Report) -> float | None:
        found = report["instructions"].get(row, {})
        return found["ours"] / found["official"] if {"ours", "official"} <= set(found) else None
    return find


def piece(name: str) -> Callable[[Report], float | None]:
    return lambda report: report["pieces"].get(name)


def tail(row: str) -> Callable[[Report], float | None]:
    def find(report: Report) -> float | None:
        found = cell(report, row, "ours")
        return found.get("p99") / found.get("p50") if found else None
    return find


def worst_lag(suffix: str) -> Callable[[Report], float | None]:
    """The greatest p99 of the loop's lag over all numbers in flight, in milliseconds."""
    def find(report: Report) -> float | None:
        cells = [cell(report, f"asyncio_{n}{suffix}", "ours") for n in LEVELS]
        lags = [found.get("lag_p99") / 1000 for found in cells if found.each("lag_p99")]
        return max(lags) if lags else None
    return find


def above_echo(report: Report) -> float | None:
    mine, echo = cell(report, "asyncio_1", "ours"), cell(report, "asyncio_1", "echo")
    return mine.get("user") - echo.get("user") if mine and echo else None


def uvloop_cpu(report: Report) -> float | None:
    a, b = cell(report, "uvloop_64", "ours"), cell(report, "asyncio_64", "ours")
    return a.get("cpu") / b.get("cpu") if a and b else None


def of_floor(row: str) -> Callable[[Report], float | None]:
    return lambda report: ratio(report, row, "ours", "floor", "rate")


PEERS = ("official", "rust", "native")

FIGURES = [
    Figure("sync", "system calls of a get", 2.05, False, calls("get")),
    Figure("sync", "system calls of a put", 2.05, False, calls("put")),
    Figure("sync", "user instructions of a get, by official's", 0.5, False, instructions("get")),
    Figure("sync", "user instructions of a put, by official's", 0.5, False, instructions("put")),
    Figure("sync", "user CPU of a get, by official's", 0.6, False,
           by("get", "official", "user"), 0.4),
    Figure("sync", "user CPU of a put, by official's", 0.6, False,
           by("put", "official", "user"), 0.4),
    Figure("sync", "kernel CPU of a get, by the floor's", 1.1, False,
           by("get", "floor", "system")),
    Figure("sync", "kernel CPU of a put, by the floor's", 1.1, False,
           by("put", "floor", "system")),
    Figure("sync", "rate of 8 threads, by official's", 1.15, True, rate_by("get_8", "official"),
           1.5),
    Figure("sync", "CPU of 8 threads, by official's", 0.7, False, by("get_8", "official", "cpu")),
    Figure("sync", "digest, ns", 160, False, piece("digest"), 140),
    Figure("sync", "5-bin record decoded, ns", 300, False, piece("record_reply"), 250),
    Figure("sync", "import, ms", 50, False, lambda report: report["imports"].get("ours")),
    Figure("async", "rate at 64, by rust's", 8, True, rate_by("asyncio_64", "rust"), 10),
    Figure("async", "rate at 64, by official's in threads", 7, True,
           rate_by("asyncio_64", "official"), 10),
    Figure("async", "rate at 64, by native's", 2, True, rate_by("asyncio_64", "native"), 2.5),
    Figure("async", "CPU at 64, us", 8, False, ours("asyncio_64", "cpu"), 6.8),
    Figure("async", "p99 by p50 at 64", 3, False, tail("asyncio_64")),
    Figure("async", "p99 by p50 at 64, uvloop", 6, False, tail("uvloop_64")),
    Figure("async", "rate at 64 coalesced, by rust's and official's", 12, True,
           lambda report: coalesced(report), 16),
    Figure("async", "CPU at 64 coalesced, us", 3.5, False, ours("asyncio_64_coalesced", "cpu"),
           2.5),
    Figure("async", "rate at 256, by rust's and official's", 8, True,
           rate_by("asyncio_256", "rust", "official")),
    Figure("async", "rate at 256, by native's", 2, True, rate_by("asyncio_256", "native")),
    Figure("async", "user CPU at 1 above a bare echo's, us", 4, False, above_echo),
    Figure("async", "loop lag p99, 1 to 1024, ms", 1, False, worst_lag("")),
    Figure("async", "loop lag p99 coalesced, ms", 1, False, worst_lag("_coalesced")),
    Figure("async", "rate beside a computing thread, by rust's and official's", 8, True,
           rate_by("async_beside_thread", "rust", "official")),
    Figure("async", "CPU at 64 on uvloop, by asyncio's", 1, False, uvloop_cpu),
    Figure("data", "map_put in a request, ns", 600, False, piece("map_put_request")),
    Figure("data", "filter of 10 nodes made, ns", 5000, False, piece("filter_made")),
    Figure("data", "the same used again, ns", 100, False, piece("filter_used")),
    Figure("data", "integer of a list decoded, ns", 25, False, piece("list_reply_each")),
    Figure("data", "entry of a map decoded, ns", 80, False, piece("map_reply_each")),
    Figure("data", "user CPU of operate with 4 operations, by official's", 0.5, False,
           by("operate_cdt", "official", "user")),
    Figure("many", "batch of 1,000 to dicts, rate by the best peer's", 2.5, True,
           rate_by("batch_dict_1000", *PEERS), 3.3),
    Figure("many", "the same, CPU for each record, us", 0.7, False,
           ours("batch_dict_1000", "cpu")),
    Figure("many", "batch of 1,000 to records, rate by the best peer's", 2, True,
           rate_by("batch_records_1000", *PEERS)),
    Figure("many", "batch of 1,000 to NumPy, rate by the best peer's", 3.5, True,
           rate_by("batch_numpy_1000", *PEERS), 4.5),
    Figure("many", "the same, CPU for each record, us", 0.25, False,
           ours("batch_numpy_1000", "cpu")),
    Figure("many", "batch of 100 to dicts, rate by the best peer's", 1.8, True,
           rate_by("batch_dict_100", *PEERS)),
    Figure("many", "batch write of 1,000, rate by the floor's", 0.6, True,
           of_floor("batch_write")),
    Figure("many", "the same by the best peer's", 1.5, True, rate_by("batch_write", *PEERS), 2.5),
    Figure("many", "query, rate by the floor's", 0.6, True, of_floor("query")),
    Figure("many", "the same by the best peer's", 1.5, True, rate_by("query", *PEERS), 2.5),
    Figure("many", "query, CPU for each record, us", 0.7, False, ours("query", "cpu")),
]


def coalesced(report: Report) -> float | None:
    """Coalesced reads are ours alone: their rate by the peers' plain one."""
    mine = cell(report, "asyncio_64_coalesced", "ours")
    others = [cell(report, "asyncio_64", name) for name in ("rust", "official")]
    rates = [other.get("rate") for other in others if other]
    return mine.get("rate") / max(rates) if mine and rates else None


def verdicts(report: Report) -> list[tuple[Figure, float | None, str]]:
    found = []
    for figure in FIGURES:
        value = figure.find(report)
        word = "not measured" if value is None else \
            "reached" if figure.reached(value) else "NOT REACHED"
        found.append((figure, value, word))
    return found


def markdown(report: Report) -> str:
    out = ["**Figures**", "", "| part | figure | asked | aim | measured | verdict |",
           "| --- | --- | --- | --- | --- | --- |"]
    for figure, value, word in verdicts(report):
        asked = f"{'at least' if figure.least else 'at most'} {figure.limit:g}"
        aim = "" if figure.aim is None else f"{figure.aim:g}"
        shown = "" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"
        out.append(f"| {figure.part} | {figure.text} | {asked} | {aim} | {shown} | {word} |")
    return "\n".join(out) + "\n"


def main(argv: list[str]) -> int:
    with open(argv[0] if argv else "build/bench/results.json", encoding="utf-8") as file:
        report = json.load(file)
    print(markdown(report))
    return int(any(word == "NOT REACHED" for _, _, word in verdicts(report)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
