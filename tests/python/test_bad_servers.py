"""Servers that answer garbage, half a message, too much, too late or nothing at all."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import threading
import time

import pytest
from rawclient import INFO, MESSAGE

import aerospike_py
from aerospike_py import exception as ex, official
from aerospike_py.server import LocalServer

FAST = {"total_timeout": 10_000, "socket_timeout": 600, "max_retries": 0}


@pytest.fixture
def faulty():
    """A server of its own: what is broken here hits no other test."""
    with LocalServer() as server:
        yield server


def soon(began):
    """Without a deadline it would be never."""
    assert time.monotonic() - began < 20


# ---- faults of the local server ----


@pytest.mark.parametrize("fault", [
    {"kind": "drop"}, {"kind": "drop-after"}, {"kind": "refuse"}, {"kind": "garbage"},
    *({"kind": "cut", "bytes": n} for n in (0, 1, 7, 8, 9, 29, 30, 31, 40)),
    *({"kind": "stall", "bytes": n} for n in (0, 1, 8, 30, 31)),
], ids=lambda f: "-".join(str(v) for v in f.values()))
def test_an_answer_that_never_comes_whole(faulty, make_client, fault):
    client = make_client(hosts=faulty.hosts, policies={"timeout_delay": 0})
    key = ("test", "bad", 1)
    client.put(key, {"a": "x" * 100})
    faulty.fault(**fault, classes="read", times=1 if fault["kind"] != "refuse" else 3)
    began = time.monotonic()
    if fault["kind"] == "refuse":  # it is about new connections
        assert client.get(key, FAST).bins
    else:
        with pytest.raises(ex.AerospikeError) as e:
            client.get(key, {**FAST, "timeout_delay": 0})
        assert e.value.code in (-10, -8, 9, -1, -11)
        assert e.value.node == client.get_node_names()[0]
        assert e.value.in_doubt is False
        assert str(e.value)
    soon(began)
    faulty.clear_faults()
    assert client.get(key).bins == {"a": "x" * 100}


@pytest.mark.parametrize("fault", [
    {"kind": "drop-after"}, {"kind": "cut", "bytes": 10}, {"kind": "stall", "bytes": 0},
    {"kind": "garbage"}], ids=lambda f: f["kind"])
def test_a_write_without_an_answer_is_in_doubt(faulty, make_client, fault):
    client = make_client(hosts=faulty.hosts)
    key = ("test", "bad", 1)
    client.exists(key)
    faulty.fault(**fault, classes="write", times=1)
    with pytest.raises(ex.AerospikeError) as e:
        client.put(key, {"a": 1}, policy=FAST)
    assert e.value.in_doubt is True
    assert e.value.args[4] is True
    assert client.get(key).bins == {"a": 1}


def test_a_read_is_tried_again(faulty, make_client):
    client = make_client(hosts=faulty.hosts)
    key = ("test", "bad", 1)
    client.put(key, {"a": 1})
    for kind in ("drop", "drop-after", "cut", "garbage"):
        faulty.fault(kind, classes="read", times=2, **({"bytes": 3} if kind == "cut" else {}))
        assert client.get(key, {"max_retries": 2}).bins == {"a": 1}
        faulty.clear_faults()


def test_a_write_is_tried_once(faulty, make_client):
    client = make_client(hosts=faulty.hosts)
    key = ("test", "bad", 1)
    client.increment(key, "n", 1)
    faulty.fault("drop-after", classes="write", times=1)
    with pytest.raises(ex.AerospikeError):
        client.increment(key, "n", 1)
    assert client.get(key).bins == {"n": 2}


@pytest.mark.parametrize("total, socket_", [(300, 50_000), (50_000, 300), (300, 0)])
def test_a_slow_answer_ends_at_the_deadline(faulty, make_client, total, socket_):
    client = make_client(hosts=faulty.hosts)
    key = ("test", "bad", 1)
    client.put(key, {"a": 1})
    faulty.fault("delay", ms=50_000, classes="read", times=1)
    began = time.monotonic()
    with pytest.raises(ex.AerospikeTimeoutError) as e:
        client.get(key, {"total_timeout": total, "socket_timeout": socket_, "max_retries": 0})
    assert time.monotonic() - began > 0.25
    soon(began)
    assert e.value.code == 9
    assert e.value.node
    faulty.clear_faults()
    assert client.get(key).bins == {"a": 1}


def test_no_deadline_waits(faulty, make_client):
    client = make_client(hosts=faulty.hosts)
    key = ("test", "bad", 1)
    client.put(key, {"a": 1})
    faulty.fault("delay", ms=1300, classes="read", times=1)
    assert client.get(key, {"total_timeout": 0, "socket_timeout": 0}).bins == {"a": 1}


def test_a_late_answer_is_not_given_to_the_next(faulty, make_client):
    client = make_client(hosts=faulty.hosts, max_conns_per_node=1)
    for n in (1, 2):
        client.put(("test", "bad", n), {"a": n})
    faulty.fault("delay", ms=300, classes="read", times=1)
    with pytest.raises(ex.AerospikeTimeoutError):
        client.get(("test", "bad", 1), {"total_timeout": 100, "max_retries": 0})
    time.sleep(0.4)
    for _ in range(5):
        assert client.get(("test", "bad", 2)).bins == {"a": 2}


def test_info_that_never_comes(faulty, make_client):
    client = make_client(hosts=faulty.hosts)
    for fault in ({"kind": "stall", "bytes": 0}, {"kind": "cut", "bytes": 9}, {"kind": "garbage"}):
        faulty.fault(**fault, classes="info")
        began = time.monotonic()
        with pytest.raises(ex.AerospikeError):
            client.info_random_node("build", {"timeout": 300})
        assert client.ping() in (False, True)
        soon(began)
        faulty.clear_faults()


def test_a_node_that_leaves_and_returns(make_client):
    with LocalServer(nodes=3) as server:
        client = make_client(hosts=server.hosts, tend_interval=250)
        for n in range(100):
            client.put(("test", "bad", n), {"a": n})
        server.node_down(1)
        deadline = time.monotonic() + 30
        while len(client.get_node_names()) > 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(client.get_node_names()) == 2
        for n in range(100):
            assert client.get(("test", "bad", n)).bins == {"a": n}
        server.node_up(1)
        deadline = time.monotonic() + 30
        while len(client.get_node_names()) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(client.get_node_names()) == 3


# ---- a server made of raw sockets ----


class Puppet:
    """A server that answers info as a cluster of one node, and messages as it is told."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            self.open.append(one)
            threading.Thread(target=self.serve, args=(one,), daemon=True).start()

    def serve(self, one):
        try:
            while True:
                head = self.exactly(one, 8)
                body = self.exactly(one, int.from_bytes(head[2:], "big"))
                if head[1] == INFO:
                    text = "".join(self.info(c) for c in body.decode().splitlines())
                    one.sendall(frame(INFO, text.encode()))
                else:
                    self.answer(one)
        except (OSError, EOFError):
            one.close()

    @staticmethod
    def exactly(one, size):
        got = b""
        while len(got) < size:
            piece = one.recv(size - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got

    def info(self, command):
        import base64

        everything = base64.b64encode(b"\xff" * 512).decode()
        known = {
            "node": "BB9000000000001", "build": "8.1.2.0", "edition": "Aerospike Community Edition",
            "partition-generation": "1", "peers-generation": "1", "cluster-name": "null",
            "rebalance-generation": "1", "features": "batch-any;query-show;pscans;",
            "peers-clear-std": "1,3000,[]", "peers-clear-alt": "1,3000,[]",
            "service-clear-std": f"127.0.0.1:{self.port}",
            "service-clear-alt": f"127.0.0.1:{self.port}",
            "replicas": f"test:0,1,{everything}", "partitions": "4096",
        }
        return f"{command}\t{known.get(command.partition(':')[0], 'ERROR:4:unknown')}\n"

    def close(self):
        self.socket.close()
        for one in self.open:
            one.close()


def frame(kind, body, version=2):
    return struct.pack(">BB", version, kind) + len(body).to_bytes(6, "big") + body


def message(result=0, fields=0, ops=0, body=b"", size=22):
    return frame(MESSAGE, struct.pack(">BBBBBBIIIHH", size, 0, 0, 0, 0, result, 1, 0, 0, fields,
                                      ops) + body)


def bin_of(particle, value, name=b"a", size=None):
    size = 4 + len(name) + len(value) if size is None else size
    return struct.pack(">IBBBB", size, 1, particle, 0, len(name)) + name + value


@pytest.fixture
def puppet():
    made = []

    def build(answer):
        made.append(Puppet(answer))
        return made[-1]

    yield build
    for one in made:
        one.close()


INTEGER, FLOAT, STRING, BLOB, MAP, LIST, GEO, HLL, BOOL = 1, 2, 3, 4, 19, 20, 23, 18, 17

REPLIES = {
    "nothing": b"", "text": b"HTTP/1.1 400 Bad Request\r\n\r\n", "zeros": bytes(64),
    "version": frame(MESSAGE, bytes(22), version=7), "kind": frame(99, bytes(22)),
    "empty": frame(MESSAGE, b""), "short": frame(MESSAGE, bytes(5)),
    "huge": struct.pack(">BB", 2, MESSAGE) + b"\xff" * 6,
    "large": struct.pack(">BB", 2, MESSAGE) + (1 << 40).to_bytes(6, "big"),
    "header": message(size=200), "fields": message(fields=60_000), "ops": message(ops=60_000),
    "one op": message(ops=1), "op size": message(ops=1, body=bin_of(INTEGER, bytes(8), size=2**31)),
    "op tiny": message(ops=1, body=bin_of(INTEGER, bytes(8), size=1)),
    "name": message(ops=1, body=struct.pack(">IBBBB", 6, 1, 1, 0, 200) + b"ab"),
    "field size": message(fields=1, body=struct.pack(">IB", 2**31, 0)),
    "field zero": message(fields=1, body=struct.pack(">IB", 0, 0)),
    "info": frame(INFO, b"build\t1\n"),
    "int of 3": message(ops=1, body=bin_of(INTEGER, b"abc")),
    "float of 3": message(ops=1, body=bin_of(FLOAT, b"abc")),
    "bool of 3": message(ops=1, body=bin_of(BOOL, b"abc")),
    "text that is none": message(ops=1, body=bin_of(STRING, b"\xff\xfe")),
    "name that is no text": message(ops=1, body=bin_of(INTEGER, bytes(8), name=b"\xff\xfe")),
    "geo of 1": message(ops=1, body=bin_of(GEO, b"x")),
    "geo cells": message(ops=1, body=bin_of(GEO, b"\0\xff\xff{}")),
    "list cut": message(ops=1, body=bin_of(LIST, b"\x93\x01")),
    "list long": message(ops=1, body=bin_of(LIST, b"\xdd\xff\xff\xff\xff")),
    "map cut": message(ops=1, body=bin_of(MAP, b"\x82\x01")),
    "map long": message(ops=1, body=bin_of(MAP, b"\xdf\xff\xff\xff\xff")),
    "map of lists": message(ops=1, body=bin_of(MAP, b"\x81\x91\x01\x02")),
    "deep": message(ops=1, body=bin_of(LIST, b"\x91" * 200_000 + b"\xc0")),
    "string long": message(ops=1, body=bin_of(LIST, b"\x91\xdb\xff\xff\xff\xff")),
    "never used": message(ops=1, body=bin_of(LIST, b"\x91\xc1")),
    "empty list bin": message(ops=1, body=bin_of(LIST, b"")),
    "left over": message(ops=1, body=bin_of(LIST, b"\x90\x01\x02")),
}
# May be read as something, or refused.
FINE = {"header", "name that is no text", "int of 3", "bool of 3", "left over", "geo of 1",
        "geo cells", "empty list bin", "deep", "text that is none"}


@pytest.mark.parametrize("face", ["sync", "async", "strict"])
@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_that_is_wrong(puppet, clients_of, face, name):
    reply = REPLIES[name]

    def answer(one):
        if reply:
            one.sendall(reply)

    server = puppet(answer)
    client = clients_of(face, server.port)
    began = time.monotonic()
    policy = {"total_timeout": 600, "max_retries": 0, "timeout_delay": 0}
    try:
        record = client.get(("test", "bad", 1), policy)
    except ex.AerospikeError as e:
        assert str(e)
        assert e.code is not None
        assert e.node == "BB9000000000001"
    else:
        assert name in FINE, record
    soon(began)
    client.close()


@pytest.fixture
def clients_of(loop):
    from blocking import Blocking

    made = []

    def build(face, port):
        config = {"hosts": [("127.0.0.1", port)]}
        if face == "strict":
            made.append(official.client(config))
        elif face == "async":
            made.append(Blocking(aerospike_py.AsyncClient(config), loop))
            made[-1].connect()
        else:
            made.append(aerospike_py.client(config).connect())
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.mark.parametrize("face", ["sync", "async"])
def test_random_replies(puppet, clients_of, face):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    good = message(ops=3, body=bin_of(INTEGER, bytes(8)) + bin_of(LIST, b"\x93\x01\xa2\x03x\x90",
                   name=b"l") + bin_of(MAP, b"\x81\xa2\x03k\xcb" + bytes(8), name=b"m"))

    def answer(one):
        spoiled = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            spoiled[dice.randrange(8, len(good))] = dice.randrange(256)
        one.sendall(spoiled)

    client = clients_of(face, puppet(answer).port)
    policy = {"total_timeout": 500, "max_retries": 0, "timeout_delay": 0}
    outcomes = set()
    for _ in range(300):
        try:
            client.get(("test", "bad", 1), policy)
            outcomes.add("read")
        except ex.AerospikeError:
            outcomes.add("refused")
        except TypeError as e:
            raise AssertionError("a map with an unhashable key is a ClientError") from e
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("cut", range(0, 50, 3))
def test_a_reply_in_pieces(puppet, clients_of, face, cut):
    whole = message(ops=1, body=bin_of(STRING, b"hello"))

    def answer(one):
        one.sendall(whole[:cut])
        time.sleep(0.01)
        one.sendall(whole[cut:])

    client = clients_of(face, puppet(answer).port)
    assert client.get(("test", "bad", 1)).bins == {"a": "hello"}


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_reply_byte_by_byte(puppet, clients_of, face):
    whole = message(ops=1, body=bin_of(STRING, b"hello"))

    def answer(one):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(whole)):
            one.sendall(whole[at:at + 1])

    client = clients_of(face, puppet(answer).port)
    assert client.get(("test", "bad", 1)).bins == {"a": "hello"}


# ---- seeds that are no servers ----


def silent(one):
    while one.recv(4096):
        pass


SEEDS = {
    "closes": lambda one: None, "says nothing": silent,
    "text": lambda one: one.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "garbage": lambda one: one.sendall(os.urandom(200)),
    "half": lambda one: (one.sendall(frame(INFO, bytes(100))[:50]), silent(one)),
    "huge": lambda one: one.sendall(struct.pack(">BB", 2, INFO) + b"\xff" * 6),
    "empty": lambda one: (one.sendall(frame(INFO, b"")), silent(one)),
    "no node": lambda one: (one.sendall(frame(INFO, b"node\t\nbuild\t\n")), silent(one)),
    "tabs": lambda one: (one.sendall(frame(INFO, b"\t" * 100 + b"\n" * 100)), silent(one)),
}


@pytest.fixture
def seed_port():
    listener = socket.create_server(("127.0.0.1", 0))
    behaviour = []

    def serve():
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=speak, args=(one,), daemon=True).start()

    def speak(one):
        with one:
            try:
                behaviour[0](one)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()

    def choose(what):
        behaviour.append(what)
        return listener.getsockname()[1]

    yield choose
    listener.close()


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_that_is_no_server(make_client, seed_port, name):
    port = seed_port(SEEDS[name])
    client = make_client(hosts=[("127.0.0.1", port)], connect=False, connect_timeout=400)
    began = time.monotonic()
    with pytest.raises(ex.ClientError) as e:
        client.connect()
    soon(began)
    assert f"127.0.0.1:{port}" in str(e.value)
    assert not client.is_connected()


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_that_is_no_server_beside_a_good_one(make_client, seed_port, hosts, name):
    port = seed_port(SEEDS[name])
    client = make_client(hosts=[("127.0.0.1", port), *hosts])
    assert client.ping()


# ---- interruptions ----


@pytest.fixture
def control_c():
    """It raises, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_control_c_ends_a_wait(faulty, control_c):
    client = aerospike_py.client(faulty.config).connect()
    client.put(("test", "bad", 1), {"a": 1})
    faulty.fault("delay", ms=50_000, classes="read", times=1)
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.get(("test", "bad", 1), {"total_timeout": 50_000})
    soon(began)
    timer.join()
    assert client.ping()
    client.close()


def test_closing_while_others_wait(faulty):
    client = aerospike_py.client(faulty.config).connect()
    client.put(("test", "bad", 1), {"a": 1})
    faulty.fault("delay", ms=600, classes="read")
    outcomes = []

    def read():
        try:
            outcomes.append(client.get(("test", "bad", 1), {"total_timeout": 3000}))
        except ex.AerospikeError as e:
            outcomes.append(e)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for t in threads:
        t.start()
    time.sleep(0.1)
    client.close()
    for t in threads:
        t.join(10)
    assert len(outcomes) == 4
    assert not client.is_connected()
