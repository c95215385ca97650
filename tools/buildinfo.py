"""What is compiled, how, and against what: the one description of the build.

setup.py uses it for the extensions, the Makefile for the C tests and the fuzz
targets (``python3 tools/buildinfo.py cflags asan`` prints a line of flags).
Needs nothing but the standard library and ``pkg-config``.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: Rooms in the order in which they may include each other; see STYLE in
#: CONTRIBUTING.md and tools/check_rooms.py.
CORE = ("base", "wire", "net")
CLIENT = ("cluster", "client", "drive")
SERVER = ("server",)
LUA = ("base", "wire", "lua")

#: pkg-config names, the first that exists counts, and the Debian package.
LIBRARIES = {
    "libuv": (("libuv",), "libuv1-dev"),
    "openssl": (("openssl",), "libssl-dev"),
    "msgpack": (("msgpack-c", "msgpack"), "libmsgpack-dev"),
    "zlib": (("zlib",), "zlib1g-dev"),
    "crypt": (("libxcrypt", "libcrypt"), "libcrypt-dev"),
    "lua": (("lua5.4", "lua-5.4", "lua54", "lua"), "liblua5.4-dev"),
}

VARIANTS = {
    "release": ["-O2", "-g"],
    "debug": ["-O0", "-g3"],
    "asan": ["-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"],
    "ubsan": ["-O1", "-g", "-fsanitize=undefined", "-fno-sanitize-recover=all"],
    "tsan": ["-O1", "-g", "-fsanitize=thread"],
    "fuzz": ["-O1", "-g", "-fsanitize=fuzzer-no-link,address,undefined",
             "-fno-sanitize-recover=undefined"],
    "gilclock": ["-O2", "-g", "-DAERO_GIL_CLOCK=1"],
}

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes",
            "-Wmissing-prototypes", "-Wvla", "-Wno-missing-field-initializers",
            "-Wno-cast-function-type"]


def variant() -> str:
    """The variant asked for in the environment, ``release`` by default."""
    return os.environ.get("AERO_VARIANT", "release")


@functools.cache
def _find_kegs() -> None:
    """Let pkg-config see what Homebrew keeps apart from the system."""
    if sys.platform == "darwin" and shutil.which("brew"):
        prefix = subprocess.run(["brew", "--prefix"], check=True, capture_output=True,
                                text=True).stdout.strip()
        kegs = [f"{prefix}/opt/{keg}/lib/pkgconfig" for keg in ("openssl@3", "zlib", "lua")]
        given = os.environ.get("PKG_CONFIG_PATH")
        os.environ["PKG_CONFIG_PATH"] = ":".join([given, *kegs] if given else kegs)


@functools.cache
def _pkg_config(name: str, what: str) -> tuple[str, ...]:
    tool = os.environ.get("PKG_CONFIG", "pkg-config")
    _find_kegs()
    for candidate in LIBRARIES[name][0]:
        if shutil.which(tool) is None:
            break
        if subprocess.run([tool, "--exists", candidate], check=False).returncode == 0:
            out = subprocess.run([tool, what, candidate], check=True,
                                 capture_output=True, text=True)
            return tuple(out.stdout.split())
    if name == "crypt" and sys.platform == "darwin":
        return ()
    raise SystemExit(f"{name} was not found through pkg-config; "
                     f"`make deps` installs it (Debian: {LIBRARIES[name][1]})")


def sources(rooms: tuple[str, ...]) -> list[str]:
    """The C files of the rooms, relative to the top."""
    found: list[str] = []
    for room in rooms:
        found += sorted(str(p.relative_to(ROOT)) for p in (ROOT / "src" / room).glob("*.c"))
    return found


def version() -> str:
    """The version of the package, as pyproject.toml says."""
    text = (ROOT / "pyproject.toml").read_text()
    found = re.search(r'^version = "([^"]+)"', text, flags=re.MULTILINE)
    if found is None:
        raise SystemExit("pyproject.toml names no version")
    return found[1]


def cflags(kind: str | None = None) -> list[str]:
    """Flags for every C file of the project."""
    kind = kind or variant()
    flags = ["-std=c11", "-D_GNU_SOURCE", "-fvisibility=hidden", "-fPIC",
             "-fno-strict-overflow", "-pthread", f"-I{ROOT / 'include'}",
             f"-DAERO_VERSION={version()}",
             *VARIANTS[kind], *WARNINGS]
    if os.environ.get("AERO_WERROR"):
        flags.append("-Werror")
    for name in ("libuv", "openssl", "msgpack", "zlib", "lua"):
        flags += [f for f in _pkg_config(name, "--cflags") if f not in flags]
    return flags


def ldflags(kind: str | None = None) -> list[str]:
    """Flags for linking, without libraries."""
    kind = kind or variant()
    return ["-pthread", *[f for f in VARIANTS[kind] if f.startswith("-fsanitize")]]


def libs(*names: str) -> list[str]:
    """Linker arguments for the named libraries."""
    flags: list[str] = []
    for name in names:
        flags += _pkg_config(name, "--libs")
    return [*flags, "-lm"]


CLIENT_LIBS = ("libuv", "openssl", "zlib", "crypt")
SERVER_LIBS = ("libuv", "openssl", "zlib", "crypt")
LUA_LIBS = ("lua", "zlib")


def missing() -> list[str]:
    """Debian's names of the libraries that pkg-config does not find."""
    found = []
    for name, (_, package) in LIBRARIES.items():
        try:
            _pkg_config(name, "--libs")
        except SystemExit:
            found.append(package)
    return found


def main(argv: list[str]) -> int:
    what, *rest = argv
    kind = rest[0] if rest else None
    if what == "cflags":
        print(*cflags(kind))
    elif what == "ldflags":
        print(*ldflags(kind))
    elif what == "libs":
        print(*libs(*dict.fromkeys(CLIENT_LIBS + SERVER_LIBS + LUA_LIBS)))
    elif what == "sources":
        print(*sources(tuple(rest)))
    elif what == "missing":
        print(*missing(), sep="\n")
    else:
        print(f"unknown question: {what}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
