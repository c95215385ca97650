"""Metrics over HTTP, from a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers ``GET /metrics``."""

    server: Server

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = self.server.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """Serves what a function gives."""

    daemon_threads = True
    text: Callable[[], str]


def serve(port: int, text: Callable[[], str]) -> Server:
    """Start a server; a taken port is an OSError."""
    made = Server(("0.0.0.0", port), Handler)
    made.text = text
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05},
                     name="aerospike-metrics", daemon=True).start()
    return made
