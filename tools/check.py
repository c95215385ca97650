"""What must hold before a commit; ``make check`` runs it.

Every check runs, and says ``ok`` or what it found.  ``check.py ruff mypy``
runs those; ``--format`` and ``--generate`` write what they would complain of.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Command = list[str]

#: Generators, in the order in which one reads what another wrote.
GENERATORS = ("gen_methods.py", "gen_helpers.py", "gen_stubs.py", "gen_docs.py")


def python(*args: str) -> Command:
    return [sys.executable, *args]


def clang_format() -> str:
    """The one the tree is written with, else whatever there is."""
    return next((n for n in ("clang-format-14", "clang-format") if shutil.which(n)),
                "clang-format-14")


def c_files() -> list[str]:
    done = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    return done.stdout.split()


def generators(*args: str) -> list[Command]:
    return [python(f"tools/{name}", *args) for name in GENERATORS]


CHECKS: dict[str, Callable[[], list[Command]]] = {
    "rooms": lambda: [python("tools/check_rooms.py")],
    "generated": lambda: generators("--check"),
    "clang-format": lambda: [[clang_format(), "--dry-run", "-Werror", *c_files()]],
    "ruff": lambda: [python("-m", "ruff", "check", "-q", "--output-format=concise", ".")],
    "mypy": lambda: [python("-m", "mypy")],
    "stubtest": lambda: [python("-m", "mypy.stubtest", "--concise", "--mypy-config-file",
                                "pyproject.toml", "aerospike_py")],
}

FIXES = {
    "--format": lambda: [[clang_format(), "-i", *c_files()],
                         python("-m", "ruff", "check", "-q", "--fix-only", ".")],
    "--generate": generators,
}


def passes(command: Command) -> tuple[bool, str]:
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        return False, f"{command[0]} is not installed"
    return done.returncode == 0, done.stdout


def run(name: str, commands: list[Command]) -> bool:
    results = [passes(command) for command in commands]
    good = all(ok for ok, _ in results)
    print(f"{name:13} {'ok' if good else 'FAILED'}", flush=True)
    for ok, text in results:
        if not ok or name.startswith("--"):
            print(text, end="")
    return good


def main(argv: list[str]) -> int:
    known = {**CHECKS, **FIXES}
    unknown = set(argv) - set(known)
    if unknown:
        print(f"unknown: {' '.join(sorted(unknown))}; known: {' '.join(known)}",
              file=sys.stderr)
        return 2
    results = [run(name, known[name]()) for name in argv or CHECKS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
