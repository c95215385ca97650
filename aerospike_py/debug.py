"""Everything that a report of a problem should say: ``python -m aerospike_py.debug [HOST[:PORT]]``.

With a host it also connects, and tells what the client sees of the cluster. No records are read
and no secrets are printed. ``--dump FILE`` takes apart what a connection has carried.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import aerospike_py
from aerospike_py import _aerospike

__all__ = ["about_cluster", "about_here", "dump", "main"]

Row = tuple[str, object]

#: Packages that the client works with, where they are installed.
PACKAGES = ("numpy", "pyarrow", "uvloop", "opentelemetry-api", "prometheus-client", "bcrypt",
            "aerospike", "aerospike-helpers")
#: Settings of the environment that change what the client does.
VARIABLES = ("AEROSPIKE_HOST", "AEROSPIKE_PORT", "AEROSPIKE_PY_INTERNAL_METRICS", "LD_PRELOAD",
             "PYTHONMALLOC", "PYTHON_GIL")


def about_here() -> Iterator[Row]:
    """Tell of this process, this machine, this build.

    Yields
    ------
    tuple of str and object
        A name and what there is to it.
    """
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    yield "aerospike_py", aerospike_py.__version__
    yield "Python", f"{sys.version.splitlines()[0]}, {sys.implementation.name}"
    yield "GIL", "on" if gil else "off"
    yield "platform", f"{platform.platform()}, {os.cpu_count()} cores"
    yield "C library", " ".join(platform.libc_ver()) or "unknown"
    yield "ABI", sysconfig.get_config_var("SOABI")
    yield "extension", _aerospike.__file__
    for name, value in _aerospike.versions().items():
        yield name, value if value != "" else "none"
    try:
        server = importlib.import_module("aerospike_py._server")
        yield "local server", server.__file__
    except ImportError as error:
        yield "local server", f"cannot be loaded: {error}"
    for package in PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    for name in VARIABLES:
        if name in os.environ:
            yield name, os.environ[name]


def about_cluster(host: str, port: int, username: str | None = None,
                  password: str | None = None) -> Iterator[Row]:
    """Connect, and tell what the client sees.

    Parameters
    ----------
    host : str
    port : int
    username, password : str, optional

    Yields
    ------
    tuple of str and object
        A name and what there is to it.
    """
    start = time.perf_counter()
    client = aerospike_py.client({"hosts": [(host, port)]})
    with client.connect(username, password) as client:
        yield "connected in", f"{(time.perf_counter() - start) * 1000:.1f} ms"
        for command in ("build", "edition", "cluster-name", "namespaces", "partition-generation",
                        "peers-generation"):
            for row in client.info_all(command):
                yield f"{row.node_name} {command}", str(row.response).strip()
        for node in client.get_stats().nodes:
            yield (f"{node.name} pool", f"{node.address}:{node.port}, {node.conns.in_use} in use, "
                   f"{node.conns.in_pool} pooled, {node.conns.opened} opened, "
                   f"{node.conns.closed} closed, {node.error_count} errors, "
                   f"{node.timeout_count} timeouts")


#: A line of a capture in hexadecimal digits, whatever stands before them.
HEX_LINE = re.compile(rb"((?:[ -~]*\s)?)((?:[0-9A-Fa-f]{2})+)\s*")


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Captures in hexadecimal digits line by line with their labels, or all as it is."""
    lines = [line for line in data.splitlines() if line.strip() and not line.startswith(b"#")]
    found = [HEX_LINE.fullmatch(line) for line in lines]
    if data[:1] == b"\2" or not all(found):  # a frame begins with its version
        yield "", data
        return
    for each in filter(None, found):
        yield each[1].decode().strip(), bytes.fromhex(each[2].decode())


def dump(data: bytes) -> Iterator[str]:
    """Tell what a connection has carried, frame by frame and field by field.

    Parameters
    ----------
    data : bytes
        Frames one after the other, as they travelled; or lines that end with those of a
        moment in hexadecimal digits.

    Yields
    ------
    str
        A line. Passwords and tokens are left out.

    Raises
    ------
    ValueError
        They are no frames: behind the lines of what was understood.
    """
    for label, part in _parts(data):
        if label:
            yield label
        text, wrong = _aerospike.dump(part)
        yield from text.splitlines()
        if wrong is not None:
            raise ValueError(wrong)


def _print_dump(name: str) -> int:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        for line in dump(data):
            print(line)
    except ValueError as error:
        print(f"not understood: {error}", file=sys.stderr)
        return 1
    return 0


def _print(title: str, rows: Iterator[Row]) -> None:
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:32} {value}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; the options are in ``--help``."""
    parser = argparse.ArgumentParser(
        prog="python -m aerospike_py.debug",
        description="What a report of a problem should say: versions, build, machine; and with a "
                    "host, what the client sees of its cluster.")
    parser.add_argument("host", nargs="?", metavar="HOST[:PORT]")
    parser.add_argument("--user", help="log in; the password is in AEROSPIKE_PASSWORD")
    parser.add_argument("--dump", metavar="FILE",
                        help="take apart what a connection has carried: bytes as they travelled, "
                             "or lines of hexadecimal digits; - reads standard input")
    options = parser.parse_args(argv)
    if options.dump is not None:
        return _print_dump(options.dump)
    _print("Here", about_here())
    if options.host is None:
        return 0
    host, colon, port = options.host.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = options.host, "3000"
    try:
        _print(f"Cluster at {host}:{port}",
               about_cluster(host.strip("[]"), int(port), options.user,
                             os.environ.get("AEROSPIKE_PASSWORD") if options.user else None))
    except aerospike_py.AerospikeError as error:
        print(f"  {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
