"""A proxy in front of one node, which can stop in the middle of a reply and go on later."""

from __future__ import annotations

import selectors
import socket
import threading

HEAD = 8
MESSAGES = (3, 4)  # frame types of records; those of info commands are let through


class Tap:
    """Forwards connections to `host`, `port`; use it as a context manager.

    ``hold(n)`` lets `n` bytes of the next reply about records pass, then keeps the rest until
    ``release()``; ``replies`` counts bytes of the last reply that was held, ``accepted`` and
    ``open`` connections.  A client needs ``force_single_node``, or it would go round it.
    """

    def __init__(self, host: str, port: int) -> None:
        self.upstream = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.config = {"hosts": [("127.0.0.1", self.port)], "force_single_node": True}
        self.accepted = 0
        self.open = 0
        self.size = 0
        self.held = threading.Event()
        self._limit: int | None = None
        self._kept: list[tuple[socket.socket, bytes]] = []
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._peer: dict[socket.socket, socket.socket] = {}
        self._down: set[socket.socket] = set()
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Tap:
        self._selector.register(self.listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop = True
        self._thread.join()
        for end in [self.listener, *self._peer]:
            end.close()
        self._selector.close()

    def hold(self, count: int) -> None:
        with self._lock:
            self.held.clear()
            self._limit = count

    def release(self) -> None:
        """Let what was kept pass, if its connection is still there."""
        with self._lock:
            self._limit = None
            kept, self._kept = self._kept, []
        for end, data in kept:
            self._send(end, data)

    # ---- the thread ----

    def _run(self) -> None:
        while not self._stop:
            for key, _ in self._selector.select(0.02):
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self.listener:
                    self._accept()
                elif end in self._peer:
                    self._forward(end)

    def _accept(self) -> None:
        near, _ = self.listener.accept()
        far = socket.create_connection(self.upstream)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ)
        self._peer[near], self._peer[far] = far, near
        self._down.add(far)
        self.accepted += 1
        self.open += 1

    def _close(self, end: socket.socket) -> None:
        other = self._peer.pop(end)
        self._peer.pop(other)
        for each in (end, other):
            self._selector.unregister(each)
            each.close()
        self._down -= {end, other}
        self.open -= 1

    def _send(self, end: socket.socket, data: bytes) -> None:
        try:
            end.sendall(data)
        except OSError:
            pass

    def _forward(self, end: socket.socket) -> None:
        try:
            data = end.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._close(end)
            return
        to = self._peer[end]
        with self._lock:
            limit = self._limit
            if limit is not None and end in self._down and data[1] in MESSAGES:
                self._limit = None
                self.size = len(data)
                self._kept.append((to, data[limit:]))
                data = data[:limit]
                self.held.set()
        if data:
            self._send(to, data)
