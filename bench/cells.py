"""From runs to figures: medians, spreads and ratios.

A ratio is the median of the ratios within each round, because both runs of a round met the same
load.  Total CPU is a median; the kernel samples how it divides into user and system, so that is
taken from all runs together.
"""

from __future__ import annotations

import statistics
from typing import Any

Report = dict[str, Any]


class Cell:
    """All runs of one row by one entrant."""

    def __init__(self, runs: list[dict[str, Any]]) -> None:
        self.runs = [run for run in runs if run.get("ops")]
        self.why = next((run.get("missing") or run.get("failed") for run in runs
                         if "ops" not in run), "")
        self.failed = any("failed" in run for run in runs)

    def __bool__(self) -> bool:
        return bool(self.runs)

    def each(self, what: str) -> list[float]:
        """Of each run: rate (per second), cpu (microseconds per operation), or as measured."""
        if what == "rate":
            return [run["ops"] / run["wall"] for run in self.runs]
        if what == "cpu":
            return [(run["user"] + run["system"]) / run["ops"] * 1e6 for run in self.runs]
        if what == "held":
            return [run["gil_held"] / run["ops"] / 1000 for run in self.runs]
        return [run[what] for run in self.runs if what in run]

    def get(self, what: str) -> float:
        if what in ("user", "system"):
            total = sum(run["user"] + run["system"] for run in self.runs)
            return self.get("cpu") * sum(run[what] for run in self.runs) / total if total else 0
        values = self.each(what)
        return statistics.median(values) if values else 0.0

    def spread(self, what: str) -> float:
        """From the least to the most, as a share of the median."""
        values = self.each(what)
        middle = statistics.median(values) if values else 0.0
        return (max(values) - min(values)) / middle if middle else 0.0

    def errors(self) -> int:
        return sum(run.get("errors", 0) for run in self.runs)


def cell(report: Report, row: str, name: str) -> Cell:
    return Cell(report["results"].get(row, {}).get(name, []))


def ratio(report: Report, row: str, ours: str, other: str, what: str) -> float | None:
    """Ours by the other's; None where one of them is missing."""
    a, b = cell(report, row, ours), cell(report, row, other)
    if not a or not b:
        return None
    if what in ("user", "system") or len(a.runs) != len(b.runs):
        return a.get(what) / b.get(what) if b.get(what) else None
    pairs = [x / y for x, y in zip(a.each(what), b.each(what)) if y]
    return statistics.median(pairs) if pairs else None
