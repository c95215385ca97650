"""The table, in Markdown."""

from __future__ import annotations

from cells import Report, cell, ratio
from entrants_run import CLOCKED

HEAD = ("client", "thousand/s", "spread", "CPU us", "user + system", "p50 us", "p99 us",
        "lag p99 us", "system calls", "instructions", "lock held us", "rate: ours by it",
        "CPU: ours by it")
PIECES = {
    "digest": "digest of an integer key, C",
    "digest_many": "digest, several keys at a time, C",
    "encode_get": "request of a get from its parts, C",
    "encode_put": "request of a put from its parts, C",
    "walk": "walk over a message of 5 bins, C",
    "get_request": "get: arguments to request",
    "put_request": "put: arguments to request",
    "record_reply": "get: reply of 5 bins to a record",
    "digest_in_python": "get_key_digest(), called from Python",
    "list_reply_each": "reply with 1,000 integers in a list, each",
    "list_request_each": "the same list in a request, each",
    "map_reply_each": "reply with a map of 1,000 str to int, each entry",
    "map_request_each": "the same map in a request, each entry",
    "map_put_request": "map_put in a request",
    "filter_made": "filter expression of 10 nodes, made and compiled",
    "filter_used": "the same, used again",
}


def line(values: list[str]) -> str:
    return "| " + " | ".join(values) + " |"


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def entrant_line(report: Report, row: str, name: str) -> str:
    found = cell(report, row, name)
    if not found:
        word = "failed" if found.failed else "not available"
        return line([name, f"{word}: {found.why}", *[""] * (len(HEAD) - 2)])
    rate_only = row in report["rate_only"]
    calls = report["calls"].get(row, {}).get(name)
    instructions = report["instructions"].get(row, {}).get(name)
    held = cell(report, row, CLOCKED)
    digits = 2 if found.get("cpu") < 1 else 1
    errors = f" ({found.errors()} errors)" if found.errors() else ""
    return line([
        name, f"{found.get('rate') / 1000:.1f}{errors}", f"{found.spread('rate'):.0%}",
        "" if rate_only else f"{found.get('cpu'):.{digits}f}",
        "" if rate_only else
        f"{found.get('user'):.{digits}f} + {found.get('system'):.{digits}f}",
        f"{found.get('p50'):.0f}", f"{found.get('p99'):.0f}",
        f"{found.get('lag_p99'):.0f}" if found.each("lag_p99") else "",
        f"{calls['total']:.2f}" if calls else "",
        f"{instructions:,.0f}" if instructions else "",
        f"{held.get('held'):.2f}" if name == "ours" and held else "",
        "" if name == "ours" else times(ratio(report, row, "ours", name, "rate")),
        "" if name == "ours" or rate_only else times(ratio(report, row, "ours", name, "cpu"))])


def row_lines(report: Report, row: str) -> list[str]:
    names = [n for n in report["versions"] if n in report["results"][row] and n != CLOCKED]
    return ["", f"**{report['titles'][row]}** (by {report['units'][row]})", "", line(list(HEAD)),
            line(["---"] * len(HEAD)), *[entrant_line(report, row, n) for n in names]]


def head_lines(report: Report) -> list[str]:
    machine = report["machine"]
    versions = ", ".join(f"{n} {v}" for n, v in report["versions"].items() if n != CLOCKED)
    text = f"""\
# Benchmark: {report['server']}

{machine['cores']} cores of {machine['cpu']}, {machine['system']}, Python {machine['python']};
{versions}. Medians of {report['rounds']} runs of {report['seconds']} s, interleaved; load average
at the start {machine['load'][0]:.1f}. Records have 5 bins; every read hits. Ratios over 1 in rate
and under 1 in CPU are ours to keep."""
    return text.splitlines()


def piece_lines(report: Report) -> list[str]:
    found = report["pieces"]
    if not found:
        return []
    out = ["", "**Pieces, ns**", "", line(["piece", "ns"]), line(["---"] * 2)]
    return out + [line([text, f"{found[name]:.0f}" if name in found else "not available"])
                  for name, text in PIECES.items()]


def import_lines(report: Report) -> list[str]:
    if not report["imports"]:
        return []
    return ["", "**Import, ms**", "", line(["client", "ms"]), line(["---"] * 2),
            *[line([name, f"{ms:.0f}"]) for name, ms in report["imports"].items()]]


def call_lines(report: Report) -> list[str]:
    if not report["calls"]:
        return []
    out = ["", "**System calls by name** (under strace, which slows the client)", "",
           line(["work", "client", "calls for each operation"]), line(["---"] * 3)]
    for row, by_name in report["calls"].items():
        for name, counted in by_name.items():
            each = sorted(counted["calls"].items(), key=lambda item: -item[1])
            out.append(line([report["titles"][row], name,
                             ", ".join(f"{call} {n:.2f}" for call, n in each[:7])]))
    return out


def markdown(report: Report) -> str:
    out = head_lines(report)
    for row in report["results"]:
        out += row_lines(report, row)
    out += piece_lines(report) + import_lines(report) + call_lines(report)
    return "\n".join(out) + "\n"
