"""Do the C files keep to their rooms?  Says every line that does not.

A room may include its own headers and those of the rooms it stands on
(CONTRIBUTING.md has the order); some headers of the system belong to some
rooms only.  The length of functions and the SPDX lines are looked at, too,
and whether the room's README.md names the file; files that have grown long are
named, but fail nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LINE = ("base", "wire", "net", "cluster", "client", "drive", "python")
MAY = {room: LINE[:i + 1] for i, room in enumerate(LINE)}
MAY["server"] = ("base", "wire", "net", "lua", "server")
MAY["lua"] = ("base", "wire", "lua")
#: Files that join an extension of their own to Python: what else they may see.
GLUE = {"src/python/server_module.c": ("server",), "src/python/lua_module.c": ("lua",)}

SOCKETS = ("base", "net", "cluster", "drive", "server", "python")
ONLY = {
    r"Python\.h|numpy/.*": ("python",),
    r"uv\.h": ("drive", "server"),
    r"poll\.h|sys/(epoll|event|select)\.h": ("drive", "server"),
    r"sys/socket\.h|netinet/.*|arpa/.*|netdb\.h": SOCKETS,
    r"pthread\.h|threads\.h": ("base", "cluster", "drive", "lua", "server", "python"),
    r"time\.h|sys/time\.h": ("base", "drive", "lua", "server", "python"),
    r"openssl/ssl\.h": ("net", "server"),
    r"lua.*\.h|lauxlib\.h": ("lua",),
}
FILE_LINES, FUNCTION_LINES = 600, 100


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "src" else parts[2]


def wrong_include(path: Path, name: str, angled: bool) -> str | None:
    room = room_of(path)
    inside = re.match(r"aero/(\w+)/", name)
    if inside:
        allowed = MAY[room] + GLUE.get(str(path.relative_to(ROOT)), ())
        return None if inside[1] in allowed else f"{room} must not know {inside[1]}"
    if angled:
        for pattern, rooms in ONLY.items():
            if re.fullmatch(pattern, name) and room not in rooms:
                return f"<{name}> is for {', '.join(rooms)} only"
        return None
    if not (path.parent / name).resolve().is_relative_to(ROOT / "src" / room):
        return f'"{name}" is private to another room'
    return None if (path.parent / name).exists() else f'"{name}" is not here'


def long_functions(lines: list[str]) -> Iterator[tuple[int, str]]:
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start and number - start > FUNCTION_LINES:
            yield start, f"a function of {number - start} lines"


def faults(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text()
    lines = text.splitlines()
    if path.suffix in (".c", ".h"):
        if "SPDX-License-Identifier: Apache-2.0" not in text:
            yield 1, "no SPDX line"
        yield from long_functions(lines)
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        wrong = found and wrong_include(path, found[2], found[1] == "<")
        if wrong:
            yield number, wrong


def unnamed(room: Path) -> Iterator[str]:
    """C files that the room's page does not name."""
    page = (room / "README.md").read_text()
    names = re.findall(r"`([\w*]+\.[ch])`", page)
    for path in sorted(room.glob("*.c")):
        if not any(fnmatch(path.name, name) for name in names):
            yield path.name


def main() -> int:
    count = 0
    for room in sorted(p.parent for p in (ROOT / "src").glob("*/README.md")):
        for name in unnamed(room):
            print(f"{room.relative_to(ROOT)}/README.md: does not name {name}")
            count += 1
    for top in (ROOT / "src", ROOT / "include" / "aero"):
        for path in sorted(p for s in ("c", "h", "inc", "def") for p in top.rglob(f"*.{s}")):
            for number, text in faults(path):
                print(f"{path.relative_to(ROOT)}:{number}: {text}")
                count += 1
            length = path.read_text().count("\n")
            if path.suffix in (".c", ".h") and length > FILE_LINES:
                print(f"{path.relative_to(ROOT)}: {length} lines, time to split it",
                      file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
