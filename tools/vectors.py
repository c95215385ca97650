"""Golden vectors as flat text, for C tests with a parser of a few lines.

``python3 tools/vectors.py tests/wire/golden/wire-vectors.jsonl build/vectors``
writes one file per group (the first word of an id).  A line is one vector,
its columns parted by one space::

    id kind op particle payload where before rc reply after marks

``-`` stands for nothing, ``=`` as `after` for "as before"; a value is
``particle:hex``.  `payload` of an expression is the whole operation that
reads it, that of a query its range (`particle` is the index's type); `where`
is the bin that an expression writes, or the record that it reads.  `marks` is a
comma list: ``volatile`` (depends on time or size),
``later`` (servers after 8.1.2 only), ``long`` (`after` is not kept here).
The records that expressions and queries read are vectors of kind ``bin``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Vector = dict[str, Any]


def value_text(value: Vector | None) -> str:
    """``particle:hex`` of a value, ``-`` without one."""
    if value is None or "hex" not in value:
        return "-"
    return f"{value['pt']}:{value['hex']}"


def marks(vector: Vector) -> str:
    """What a test has to know before it compares."""
    after = vector.get("after") or {}
    found = [name for name, present in (
        ("volatile", vector.get("volatile")),
        ("later", vector.get("min_server")),
        ("long", "sha256" in after)) if present]
    return ",".join(found) or "-"


def query_fields(vector: Vector) -> Vector:
    """The range and the index type of a query, as payload and particle."""
    fields = {field["type"]: field["hex"] for field in vector["fields"]}
    return {"hex": fields.get(22), "wire_pt": int(fields.get(26, "0"), 16)}


def line(vector: Vector) -> str:
    """One vector as one line."""
    sent = vector.get("read_op", vector)
    if vector["kind"] == "query":
        sent = query_fields(vector)
    columns = (
        vector["id"], vector["kind"], sent.get("wire_op", "-"),
        sent.get("wire_pt", "-"), sent.get("hex") or "-",
        vector.get("exp_write", {}).get("bin") or vector.get("record", "-"),
        value_text(vector.get("before")), vector.get("rc", "-"),
        value_text(vector.get("reply")),
        value_text(vector["after"]) if "after" in vector else "=",
        marks(vector))
    return " ".join(str(column).replace(" ", "_") for column in columns)


def record_bins(meta: Vector) -> Iterator[Vector]:
    """The bins of the records in the first line."""
    for name, record in meta.items():
        if isinstance(record, dict) and "bins" in record:
            for bin_name, value in record["bins"].items():
                yield {"id": f"{name}.{bin_name}", "kind": "bin", "before": value}


def read(path: Path) -> Iterator[Vector]:
    """All vectors of a file."""
    with path.open(encoding="utf-8") as lines:
        for text in lines:
            vector = json.loads(text)
            if vector["kind"] == "meta":
                yield from record_bins(vector)
            else:
                yield vector


def main(argv: list[str]) -> int:
    source, target = map(Path, argv)
    groups: dict[str, list[str]] = {}
    for vector in read(source):
        groups.setdefault(vector["id"].split(".")[0], []).append(line(vector))
    target.mkdir(parents=True, exist_ok=True)
    for group, lines in groups.items():
        (target / f"{group}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (target / "done").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
