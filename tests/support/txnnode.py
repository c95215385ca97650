"""A node that takes part in transactions, as far as a client can see.

It stands before a local server: what a transaction adds to commands is taken out and noted, and
monitor records, verifying and rolling are answered here.  Records themselves are the server's, so
nothing is provisional: what is tested with it is what a client sends, in which order, and what it
makes of answers.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

NAMESPACE, SET, VERSION, DIGEST, TXN, DEADLINE, BATCH = 0, 1, 3, 4, 5, 6, 41
READ, WRITE, DELETE = 1, 1, 2
VERIFY, FORWARD, BACK = 1, 2, 4


class Message:
    """A message, taken apart; `rest` are its operations."""

    def __init__(self, frame: bytes) -> None:
        head = struct.unpack(">BBBBBBIIIHH", frame[8:30])
        (_, self.info1, self.info2, self.info3, self.info4, self.result, self.generation,
         self.ttl, self.budget, n_fields, self.n_ops) = head
        self.fields, self.rest = take_fields(frame[30:], n_fields)

    def frame(self) -> bytes:
        body = struct.pack(">BBBBBBIIIHH", 22, self.info1, self.info2, self.info3, self.info4,
                           self.result, self.generation, self.ttl, self.budget,
                           len(self.fields), self.n_ops)
        body += put_fields(self.fields) + self.rest
        return struct.pack(">Q", 2 << 56 | 3 << 48 | len(body)) + body

    def get(self, kind: int) -> bytes | None:
        return next((data for k, data in self.fields if k == kind), None)


def take_fields(data: bytes, count: int) -> tuple[list[tuple[int, bytes]], bytes]:
    found = []
    for _ in range(count):
        (size,) = struct.unpack(">I", data[:4])
        found.append((data[4], data[5:4 + size]))
        data = data[4 + size:]
    return found, data


def put_fields(fields: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">IB", len(d) + 1, k) + d for k, d in fields)


def answer(code: int, fields: list[tuple[int, bytes]] | None = None, row: int = 0,
           last: bool = False) -> bytes:
    fields = fields or []
    return struct.pack(">BBBBBBIIIHH", 22, 0, 0, last, 0, code, 1, 0, row, len(fields),
                       0) + put_fields(fields)


def framed(body: bytes) -> bytes:
    return struct.pack(">Q", 2 << 56 | 3 << 48 | len(body)) + body


class Row:
    """A row of a batch, taken apart."""

    def __init__(self, index: int, digest: bytes, head: bytes, fields: list[tuple[int, bytes]],
                 ops: bytes, n_ops: int) -> None:
        self.index, self.digest, self.head = index, digest, head
        self.fields, self.ops, self.n_ops = fields, ops, n_ops
        self.info4 = head[4] if head[0] & 0x10 else 0
        self.writes = bool(head[2] & WRITE) if head[0] & 2 else False

    def put(self) -> bytes:
        return (struct.pack(">I", self.index) + self.digest + self.head
                + struct.pack(">HH", len(self.fields), self.n_ops) + put_fields(self.fields)
                + self.ops)


def take_rows(data: bytes) -> Iterator[Row]:
    (count,) = struct.unpack(">I", data[:4])
    data = data[5:]
    before: Any = None
    for _ in range(count):
        (index,) = struct.unpack(">I", data[:4])
        digest, flags, data = data[4:24], data[24], data[24:]
        if flags & 1:
            data = data[1:]
            yield Row(index, digest, *before)
            continue
        size = 2 + 2 * bool(flags & 2) + bool(flags & 16) + 2 * bool(flags & 4) + 4 * bool(
            flags & 8)
        head, data = data[:size], data[size:]
        n_fields, n_ops = struct.unpack(">HH", data[:4])
        fields, data = take_fields(data[4:], n_fields)
        ops = b""
        for _ in range(n_ops):
            (size,) = struct.unpack(">I", data[:4])
            ops, data = ops + data[:4 + size], data[4 + size:]
        before = head, fields, ops, n_ops
        yield Row(index, digest, head, list(fields), ops, n_ops)


class TxnNode:
    """The node.

    Attributes
    ----------
    log : list
        ``(what, details)`` of what belongs to transactions, in order.
    codes : dict
        Result codes for ``announce``, ``mark``, ``close``, ``verify``, ``forward``, ``back``.
    silent : set of str
        Of these the connection is closed without an answer.
    """

    DEADLINE = 123_456_789

    def __init__(self, port: int) -> None:
        self._port = port
        self.log: list[tuple[str, Any]] = []
        self.codes: dict[str, int] = {}
        self.silent: set[str] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def hosts(self) -> list[tuple[str, int]]:
        return [self._socket.getsockname()]

    def close(self) -> None:
        self._socket.close()

    def steps(self) -> list[str]:
        """What happened, without details."""
        return [what for what, _ in self.log]

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one: socket.socket) -> None:
        try:
            with one, socket.create_connection(("127.0.0.1", self._port)) as server:
                while frame := self._take(one):
                    one.sendall(self._answer(frame, server))
        except (OSError, EOFError):
            pass

    @staticmethod
    def _take(sock: socket.socket) -> bytes:
        def exactly(count: int) -> bytes:
            data = b""
            while len(data) < count:
                if not (more := sock.recv(count - len(data))):
                    raise EOFError
                data += more
            return data
        head = exactly(8)
        return head + exactly(int.from_bytes(head[2:], "big"))

    # ---- commands ----

    def _note(self, what: str, details: Any) -> int:
        self.log.append((what, details))
        if what in self.silent:
            raise EOFError
        return self.codes.get(what, 0)

    def _answer(self, frame: bytes, server: socket.socket) -> bytes:
        if frame[1] != 3:
            server.sendall(frame)
            return self._take(server)
        message = Message(frame)
        if message.get(BATCH) is not None:
            return self._batch(message, server)
        if message.get(SET) == b"<ERO~MRT":
            return framed(self._monitor(message))
        return self._single(message, server)

    def _monitor(self, m: Message) -> bytes:
        assert m.get(TXN) is None
        if m.info2 & DELETE:
            return answer(self._note("close", m.info2))
        if b"fwd" in m.rest:
            return answer(self._note("mark", m.rest))
        code = self._note("announce", m.rest)
        return answer(code, [(DEADLINE, struct.pack("<I", self.DEADLINE))] if code == 0 else [])

    def _single(self, m: Message, server: socket.socket) -> bytes:
        txn = m.get(TXN)
        writes = bool(m.info2 & WRITE)
        if txn is not None:
            code = self._note("write" if writes else "read", {
                "id": struct.unpack("<Q", txn)[0], "version": m.get(VERSION),
                "deadline": m.get(DEADLINE)})
            if code:
                return framed(answer(code))
        m.fields = [f for f in m.fields if f[0] not in (TXN, VERSION, DEADLINE)]
        server.sendall(m.frame())
        reply = Message(self._take(server))
        if txn is not None and not writes and reply.result == 0:
            reply.fields.append((VERSION, reply.generation.to_bytes(7, "little")))
        return reply.frame()

    # ---- batches ----

    def _batch(self, m: Message, server: socket.socket) -> bytes:
        rows = list(take_rows(m.get(BATCH) or b""))
        kinds = {VERIFY: "verify", FORWARD: "forward", BACK: "back"}
        kind = next((kinds[r.info4] for r in rows if r.info4 in kinds), None)
        if kind is not None:
            code = self._note(kind, [dict(r.fields) for r in rows])
            body = b"".join(answer(code, row=r.index) for r in rows)
            return framed(body) + framed(answer(0, last=True))
        in_txn = any(k == TXN for r in rows for k, _ in r.fields)
        if in_txn:
            self._note("batch", [(r.writes, dict(r.fields)) for r in rows])
        for r in rows:
            r.fields = [f for f in r.fields if f[0] not in (TXN, VERSION, DEADLINE)]
        put = struct.pack(">IB", len(rows), (m.get(BATCH) or b"")[4])
        m.fields = [(k, put + b"".join(r.put() for r in rows) if k == BATCH else d)
                    for k, d in m.fields]
        server.sendall(m.frame())
        return self._batch_reply(server, in_txn, {r.index for r in rows if not r.writes})

    def _batch_reply(self, server: socket.socket, in_txn: bool, reads: set[int]) -> bytes:
        out = b""
        while True:
            frame, body = self._take(server), b""
            rest = frame[8:]
            while rest:
                m = Message(b"\0" * 8 + rest)
                ops = m.rest
                for _ in range(m.n_ops):
                    (size,) = struct.unpack(">I", ops[:4])
                    ops = ops[4 + size:]
                m.rest, rest = m.rest[:len(m.rest) - len(ops)], ops
                if m.info3 & 1:
                    return out + frame
                if in_txn and m.budget in reads and m.result == 0:
                    m.fields.append((VERSION, m.generation.to_bytes(7, "little")))
                body += m.frame()[8:]
            out += framed(body)
