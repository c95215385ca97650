"""Write the parts of docs/ that follow from include/aero/wire/tables/*.def.

The list of decisions follows from their pages.  All stand between
``<!-- table: name -->`` and ``<!-- end -->``.  ``--check`` writes nothing and
fails when a page is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from source import ROOT, write_files

TABLES = ROOT / "include" / "aero" / "wire" / "tables"
DOCS = ROOT / "docs"

#: Groups of policy.def, as they are defined in src/client/policy.h's users.
GROUPS = {
    "BASE": "all commands", "READ": "read", "WRITES": "write, operate, remove, apply",
    "WRITE": "write", "OPERATE": "operate", "REMOVE": "remove", "APPLY": "apply",
    "QUERY": "query", "SCAN": "scan", "BATCH": "batch", "BATCH_ROW": "rows of batches",
    "BATCH_READ": "rows that read", "BATCH_WRITE": "rows that write",
    "BATCH_APPLY": "rows that apply", "BATCH_REMOVE": "rows that remove",
    "INFO": "info", "ADMIN": "admin",
}
#: How a type of policy.def is written in Python.
TYPES = {
    "MS": "int, ms", "COUNT": "int", "COUNT64": "int", "GENERATION": "int", "FLAG": "bool",
    "TTL": "int, seconds, or `TTL_*`", "PERCENT": "int, -1 to 100", "OBJECT": "object",
    "REPLICA": "`POLICY_REPLICA_*`", "KEY": "`POLICY_KEY_*`", "GEN": "`POLICY_GEN_*`",
    "EXISTS": "`POLICY_EXISTS_*`", "COMMIT": "`POLICY_COMMIT_LEVEL_*`",
    "MODE_AP": "`POLICY_READ_MODE_AP_*`", "MODE_SC": "`POLICY_READ_MODE_SC_*`",
    "DURATION": "`QUERY_DURATION_*`", "DETAIL": "`ERROR_DETAIL_*`",
    "CONCURRENCY": "`BATCH_CONCURRENCY_*`",
}
KINDS = {"READ": "read", "BATCH": "batch", "QUERY": "query", "SCAN": "scan",
         "TXN_VERIFY": "txn_verify", "TXN_ROLL": "txn_roll"}
NUMBERS = {"AERO_REPLICA_SEQUENCE": "`POLICY_REPLICA_SEQUENCE`",
           "AERO_REPLICA_MASTER": "`POLICY_REPLICA_MASTER`",
           "AERO_READ_SC_LINEARIZE": "`POLICY_READ_MODE_SC_LINEARIZE`"}


def calls_of_any(table: str, macro: str) -> Iterator[list[str]]:
    """Groups of the pattern, then the arguments, of each row of a table."""
    for line in (TABLES / table).read_text().splitlines():
        found = re.fullmatch(rf"{macro}\((.*)\)", line)
        if found:
            *groups, row = found.groups()
            yield [*groups, *(part.strip()
                              for part in re.findall(r'\s*(?:"[^"]*"|[^,"]+)', row))]


def calls(table: str, macro: str) -> Iterator[list[str]]:
    """Arguments of each row of a table."""
    return calls_of_any(table, re.escape(macro))


def initial(kind: str, value: str) -> str:
    if kind == "FLAG":
        return "True" if value == "1" else "False"
    return "None" if kind == "OBJECT" else NUMBERS.get(value, value)


def policies() -> list[str]:
    other: dict[str, list[str]] = {}
    for kind, key, value in calls("policy.def", "POLICY_INITIAL"):
        other.setdefault(key, []).append(f"{KINDS[kind]} {NUMBERS.get(value, value)}")
    lines = ["| key | type | initially | of | |", "|---|---|---|---|---|"]
    for key, kind, groups, value, text in calls("policy.def", "POLICY"):
        begins = "; ".join([initial(kind, value), *other.get(key, [])])
        where = ", ".join(GROUPS[g.strip()] for g in groups.split("|"))
        lines.append(f"| `{key}` | {TYPES[kind]} | {begins} | {where} | {text.strip(chr(34))} |")
    return lines


def settings(page: str) -> list[str]:
    """Keys of the configuration that stand in one of its tables."""
    lines = ["| key | initially | |", "|---|---|---|"]
    for macro, where, key, value, text in calls_of_any("config.def", "CONFIG_(\\w+)"):
        if where == page:
            begins = initial(macro, value.strip('"'))
            lines.append(f"| `{key}` | {begins} | {text.strip(chr(34))} |")
    return lines


def results() -> list[str]:
    lines = ["| code | exception | meaning | constant |", "|---|---|---|---|"]
    rows = [*calls("result.def", "RESULT_NAMED"), *calls("result.def", "RESULT")]
    for _, code, exception, text, *public in sorted(rows, key=lambda row: int(row[1])):
        constant = f"`AEROSPIKE_{public[0]}`" if public else ""
        lines.append(f"| {code} | `{exception}` | {text.strip(chr(34))} | {constant} |")
    return lines


def tree() -> list[str]:
    """The exceptions, each below its first base."""
    rows: list[tuple[str, list[str]]] = []
    for macro in ("EXC", "EXC_BOTH", "EXC_OFFICIAL"):
        rows += [(row[0], row[1].strip('"').split()) for row in calls("exception.def", macro)]
    below: dict[str, list[tuple[str, list[str]]]] = {}
    for name, bases in rows:
        below.setdefault(bases[0], []).append((name, bases[1:]))

    def show(base: str, depth: int) -> Iterator[str]:
        for name, more in sorted(below.get(base, [])):
            also = ", ".join(m.removeprefix(".") for m in more)
            yield "    " * depth + name + (f"  (also {also})" if also else "")
            yield from show(name, depth + 1)

    return ["```text", *show(".Exception", 0), "```"]


def decisions() -> list[str]:
    """The pages of docs/decisions, by their heads."""
    lines = ["| | |", "|---|---|"]
    for page in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        number, title = page.read_text().splitlines()[0].removeprefix("# ").split(". ", 1)
        lines.append(f"| {number} | [{title}]({page.name}) |")
    return lines


MAKERS = {"policies": policies, "results": results, "exceptions": tree, "decisions": decisions,
          **{f"config_{page.lower()}": partial(settings, page)
             for page in ("WHO", "TIMES", "DATA", "TLS", "POLICIES")}}


def filled(text: str) -> str:
    def replace(found: re.Match[str]) -> str:
        name = found[1]
        return "\n".join([f"<!-- table: {name} -->", "", *MAKERS[name](), "", "<!-- end -->"])

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", replace, text, flags=re.DOTALL)


def make_files() -> dict[Path, str]:
    pages = [*sorted(DOCS.glob("*.md")), DOCS / "decisions" / "README.md"]
    return {page: filled(page.read_text()) for page in pages}


if __name__ == "__main__":
    sys.exit(write_files(make_files(), sys.argv[1:]))
