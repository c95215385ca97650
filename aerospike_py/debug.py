"""Everything that a report of a problem should say: ``python -m aerospike_py.debug [HOST[:PORT]]``.

With a host it also connects, and tells what the client sees of the cluster. No records are read
and no secrets are printed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from importlib import metadata

import aerospike_py
from aerospike_py import _aerospike

__all__ = ["about_cluster", "about_here", "main"]

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
    options = parser.parse_args(argv)
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
