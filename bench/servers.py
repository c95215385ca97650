"""The server to measure against: AEROSPIKE_HOST, or the local one in a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

START_TIMEOUT = 10.0


class NoServer(Exception):
    """There is nothing to measure against."""


def wanted() -> tuple[str, int] | None:
    """AEROSPIKE_HOST as ``host[:port]``, the port else from AEROSPIKE_PORT or 3000."""
    text = os.environ.get("AEROSPIKE_HOST", "")
    if not text:
        return None
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return host, int(port or os.environ.get("AEROSPIKE_PORT", "3000"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise NoServer("the local server does not answer")


@contextlib.contextmanager
def server() -> Iterator[tuple[str, int, str]]:
    """Host, port, and what it is."""
    found = wanted()
    if found is not None:
        yield (*found, f"server at {found[0]}:{found[1]}")
        return
    if not (ROOT / "aerospike_py" / "server.py").exists():
        raise NoServer("there is no local server yet: name one in AEROSPIKE_HOST")
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "aerospike_py.server", "--port",
                                str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield "127.0.0.1", port, "local server"
    finally:
        process.terminate()
        process.wait()
