"""Records what the official client and a server say to each other.

    python tools/capture_wire.py PYTHON [HOST:PORT] > tests/wire/golden/captures.txt

PYTHON is an interpreter that can import the official ``aerospike`` package;
HOST:PORT (127.0.0.1:3000) is a server.  A small proxy stands between the two
and splits what passes into frames; one line is one frame::

    <label> > <hex>     from the client
    <label> < <hex>     from the server

Labels are those of the calls below.  What the client's tending asks is kept
once for each question.  Logins are recorded with a local server of ours, since
a Community server knows none.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

NAMESPACE, SET = "test", "capture"
HEAD = 8
VALUES: dict[str, Any] = {
    "int": 1, "negative": -5, "large": 2**63 - 1, "float": 2.5, "text": "héllo", "empty": "",
    "bytes": bytearray(b"\0\1\xff"), "flag": True, "list": [1, "two", [3.0, None]],
    "map": {"a": 1, "b": {"c": [True]}}, "geo": None,
}


# ---- the client's side: runs in the other interpreter ------------------------

def calls(client: Any) -> list[tuple[str, Callable[[], Any]]]:
    """Labels and what is done under them."""
    import aerospike
    from aerospike_helpers.operations import list_operations, map_operations, operations

    def key(name: str | int) -> tuple[str, str, str | int]:
        return (NAMESPACE, SET, name)

    one = key("one")
    shape = aerospike.GeoJSON({"type": "Point", "coordinates": [1.5, -2.25]})
    values = VALUES | {"geo": shape}
    rows: list[tuple[str, Callable[[], Any]]] = [
        (f"put.{name}", partial(client.put, key(name), {"bin": value}))
        for name, value in values.items()]
    rows += [(f"get.{name}", partial(client.get, key(name))) for name in values]
    rows += [
        ("put.number-key", lambda: client.put(key(7), {"a": 1})),
        ("put.send-key", lambda: client.put(one, {"a": 1, "b": "x"}, {"ttl": 1000},
                                            {"key": aerospike.POLICY_KEY_SEND})),
        ("put.create-only", lambda: client.put(one, {"a": 1}, {}, {
            "exists": aerospike.POLICY_EXISTS_CREATE})),
        ("put.generation", lambda: client.put(one, {"a": 1}, {"gen": 99}, {
            "gen": aerospike.POLICY_GEN_EQ})),
        ("get.missing", lambda: client.get(key("nothing"))),
        ("get.one", lambda: client.get(one)),
        ("select", lambda: client.select(one, ["a", "nope"])),
        ("exists", lambda: client.exists(one)),
        ("exists.missing", lambda: client.exists(key("nothing"))),
        ("touch", lambda: client.touch(one, 500)),
        ("append", lambda: client.append(one, "b", "yz")),
        ("prepend", lambda: client.prepend(one, "b", "w")),
        ("increment", lambda: client.increment(one, "a", 41)),
        ("increment.text", lambda: client.increment(one, "b", 1)),
        ("operate", lambda: client.operate(one, [
            operations.increment("a", 1), operations.read("a"), operations.write("c", 2.5),
            operations.read("b")])),
        ("operate.list", lambda: client.operate(key("list"), [
            list_operations.list_append("bin", 9), list_operations.list_size("bin")])),
        ("operate.map", lambda: client.operate(key("map"), [
            map_operations.map_put("bin", "z", 26),
            map_operations.map_get_by_key("bin", "a", aerospike.MAP_RETURN_VALUE)])),
        ("batch.read", lambda: client.batch_read([one, key("nothing"), key("int")])),
        ("batch.read-bins", lambda: client.batch_read([one, key("int")], ["a"])),
        ("batch.operate", lambda: client.batch_operate(
            [one, key("int")], [operations.write("d", 4)])),
        ("query", lambda: client.query(NAMESPACE, SET).results(
            {"partition_filter": {"begin": client.get_key_partition_id(*one), "count": 1}})),
        ("remove", lambda: client.remove(key(7))),
        ("remove.missing", lambda: client.remove(key("nothing"))),
        ("info", lambda: client.info_all("build")),
        ("info.unknown", lambda: client.info_all("no-such-command")),
    ]
    return rows


def announce(label: str) -> None:
    print(label, flush=True)
    sys.stdin.readline()


def exercise(port: int, user: str) -> None:
    """Make the calls, each after it was announced and allowed."""
    import aerospike

    config: dict[str, Any] = {"hosts": [("127.0.0.1", port)]}
    if user:
        config |= {"user": user, "password": user}
    client = aerospike.client(config)
    announce("prepare")
    for name in () if user else (*VALUES, "one", 7):
        with suppress(aerospike.exception.RecordNotFound):
            client.remove((NAMESPACE, SET, name))
    for label, call in calls(client)[:1 if user else None]:
        announce(label)
        try:
            call()
        except aerospike.exception.AerospikeError as error:
            print("#", label, error.code, flush=True)
    client.close()


# ---- the proxy ---------------------------------------------------------------

class Proxy:
    """Passes bytes on and keeps the frames, labelled."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.label = "connect"
        self.lines: list[tuple[str, str, bytes]] = []
        self.seen: set[bytes] = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.server)
            threading.Thread(target=self.serve, args=(client, server), daemon=True).start()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """One request, then its answer, until either side has gone."""
        try:
            while request := read_frame(client):
                label = self.label
                server.sendall(request)
                answers: list[bytes] = []
                while not answers or not is_last(request, answers[-1]):
                    answers.append(read_frame(server))
                    client.sendall(answers[-1])
                self.keep(label, request, answers)
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def keep(self, label: str, request: bytes, answers: list[bytes]) -> None:
        if request[1] == 1 and not label.startswith("info"):
            label = "tend"
        if request[1] == 2:
            label = "authenticate" if request[HEAD + 2] == 0 else "login"
        if label == "prepare":
            return
        if label in ("tend", "authenticate") and request in self.seen:
            return
        self.seen.add(request)
        self.lines.append((label, ">", request))
        self.lines += [(label, "<", answer) for answer in answers]


def read_frame(peer: socket.socket) -> bytes:
    """A whole frame; nothing at the end."""
    data = b""
    size = HEAD
    while len(data) < size:
        piece = peer.recv(size - len(data))
        if not piece:
            return b""
        data += piece
        if len(data) == HEAD:
            size += int.from_bytes(data[2:], "big")
    return data


def is_last(request: bytes, answer: bytes) -> bool:
    """Batches and queries are answered by frames up to a LAST message."""
    if not answer:
        return True
    several = request[1] == 3 and (request[HEAD + 1] & 8 or b"\x00\x00\x00\x09\x07" in request)
    return not several or (answer[-22] == 22 and answer[-22 + 3] & 1 == 1)


def record(python: str, server: tuple[str, int], user: str = "") -> Proxy:
    proxy = Proxy(server)
    child = subprocess.Popen([python, __file__, "--exercise", str(proxy.port), user],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    for line in child.stdout:
        if not line.startswith("#"):
            proxy.label = line.strip()
            child.stdin.write("\n")
            child.stdin.flush()
    if child.wait() != 0:
        raise SystemExit("the client failed")
    return proxy


def main(argv: list[str]) -> int:
    if argv[:1] == ["--exercise"]:
        exercise(int(argv[1]), argv[2])
        return 0
    from aerospike_py.server import LocalServer

    host, _, port = (argv[1] if len(argv) > 1 else "127.0.0.1:3000").partition(":")
    print("# Recorded by tools/capture_wire.py: the official client and a server 8.1.2.0")
    print("# (Community); logins with the local server.  label, way, frame.")
    lines = record(argv[0], (host, int(port))).lines
    with LocalServer(edition="enterprise", security=True) as local:
        login = record(argv[0], ("127.0.0.1", local.port), "admin")
    lines += [line for line in login.lines if line[0] in ("login", "authenticate")]
    for label, way, data in lines:
        print(label, way, data.hex())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
