"""What lies between a client and a server in tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from aerospike_py.exception import AerospikeError


class Tap:
    """Passes bytes on to a port and keeps those that come from the client."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        return self._socket.getsockname()

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            two = socket.create_connection(("127.0.0.1", self.port))
            for a, b, keep in ((one, two, True), (two, one, False)):
                threading.Thread(target=self._pass, args=(a, b, keep), daemon=True).start()

    def _pass(self, a: socket.socket, b: socket.socket, keep: bool) -> None:
        try:
            while data := a.recv(65536):
                if keep:
                    self.seen += data
                b.sendall(data)
        except OSError:
            pass
        finally:
            b.close()

    def close(self) -> None:
        self._socket.close()


def works(what: Callable[[], object]) -> bool:
    """Whether a call goes well."""
    try:
        what()
    except AerospikeError:
        return False
    return True


def wait_for(what: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until it is true."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.05)
