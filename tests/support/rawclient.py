"""A client of raw sockets, for tests of the local server without our own."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

INFO, ADMIN, MESSAGE = 1, 2, 3
READ_ALL, WRITE = 0x03, 0x01

#: (operation, particle, bin, value)
Operation = tuple[int, int, bytes, bytes]


class Connection:
    """One connection; a closed one raises EOFError or OSError."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=20)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, kind: int, body: bytes) -> None:
        self.socket.sendall(struct.pack(">BB6s", 2, kind, len(body).to_bytes(6, "big")) + body)

    def receive(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            piece = self.socket.recv(size - len(got))
            if not piece:
                raise EOFError(got)
            got += piece
        return got

    def frame(self) -> bytes:
        head = self.receive(8)
        return self.receive(int.from_bytes(head[2:], "big"))

    def ask(self, kind: int, body: bytes) -> bytes:
        self.send(kind, body)
        return self.frame()

    def info(self, command: str) -> str:
        answer = self.ask(INFO, f"{command}\n".encode()).decode()
        return answer.removeprefix(command).strip("\t\n")

    def admin(self, command: int, *fields: bytes) -> bytes:
        head = bytes([0, 0, command, len(fields)]) + bytes(12)
        return self.ask(ADMIN, head + b"".join(fields))

    def put(self, digest: bytes, value: int = 1, ttl: int = 0, namespace: str = "test") -> int:
        write = (2, 1, b"n", struct.pack(">q", value))
        return self.ask(MESSAGE, message(0, WRITE, digest, namespace, [write], ttl))[5]

    def get(self, digest: bytes, namespace: str = "test") -> int:
        return self.ask(MESSAGE, message(READ_ALL, 0, digest, namespace))[5]


def field(kind: int, data: bytes) -> bytes:
    return struct.pack(">IB", len(data) + 1, kind) + data


def message(info1: int, info2: int, digest: bytes, namespace: str,
            operations: Sequence[Operation] = (), ttl: int = 0) -> bytes:
    head = struct.pack(">BBBBBBIIIHH", 22, info1, info2, 0, 0, 0, 0, ttl, 0, 2, len(operations))
    body = field(0, namespace.encode()) + field(4, digest)
    for code, particle, name, value in operations:
        body += struct.pack(">IBBBB", 4 + len(name) + len(value), code, particle, 0, len(name))
        body += name + value
    return head + body
