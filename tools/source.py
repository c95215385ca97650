"""What the generators share: writing Python source, and comparing it with what is there."""

from __future__ import annotations

import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 99


def wrap_call(head: str, parts: list[str], tail: str, indent: str) -> list[str]:
    """``head(parts)tail``, broken behind commas and indented below the bracket."""
    inside = indent + " " * (len(head) + 1)
    lines = [f"{indent}{head}("]
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        piece = part + (f"){tail}" if last else ",")
        room = len(lines[-1]) + len(piece) + (0 if lines[-1].endswith("(") else 1)
        if lines[-1].endswith("("):
            lines[-1] += piece
        elif room > WIDTH:
            lines.append(inside + piece)
        else:
            lines[-1] += " " + piece
    if not parts:
        lines[-1] += f"){tail}"
    return lines


def sort_key(name: str) -> tuple[int, str]:
    """As ruff sorts imports and ``__all__``: constants, classes, others."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name.lower()


def all_list(names: list[str]) -> list[str]:
    """The module's ``__all__``."""
    body = textwrap.wrap(" ".join(f'"{name}",' for name in sorted(names, key=sort_key)),
                         WIDTH - 4)
    return ["__all__ = [", *[f"    {line}" for line in body], "]"]


def write_files(files: dict[Path, str], argv: list[str]) -> int:
    """Write what has changed; with ``--check`` only say what is stale, and fail."""
    stale = [p for p, text in files.items() if not p.exists() or p.read_text() != text]
    for path in stale:
        if "--check" in argv:
            print(f"stale: {path.relative_to(ROOT)}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale and "--check" in argv else 0
