"""LocalServer: its life, its options, its faults, and the process of its own."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rawclient import Connection, field

from aerospike_py.server import LocalServer, ServerError, TLSFiles, User

OK, NOT_FOUND, OVERLOAD = 0, 2, 18
DIGEST = bytes(range(20))
HASH = "$2a$10$7EqJtq98hPqEX7fNZaFWoO1mVO/4MLpGzsqojz6E9Gef6iXDjXdDa"

# ---- life ----


def test_a_server_serves_while_its_block_lasts():
    with LocalServer() as server:
        port = server.port
        assert server.ports == (port,)
        assert server.hosts == [("127.0.0.1", port)]
        assert server.config == {"hosts": [("127.0.0.1", port)]}
        assert repr(server) == f"<LocalServer 127.0.0.1:{port}>"
        with Connection(port) as c:
            assert c.put(DIGEST) == OK
            assert c.get(DIGEST) == OK
    assert repr(server) == "<LocalServer stopped>"
    with pytest.raises(OSError):
        Connection(port)


def test_starting_and_stopping_may_be_repeated():
    server = LocalServer()
    with pytest.raises(RuntimeError, match="stopped"):
        _ = server.port
    assert server.start() is server
    port = server.port
    assert server.start().port == port
    with Connection(port) as c:
        c.put(DIGEST)
    server.stop()
    server.stop()
    with server, Connection(server.port) as c:
        assert c.get(DIGEST) == NOT_FOUND


def test_a_server_that_is_forgotten_stops():
    server = LocalServer().start()
    port = server.port
    del server
    gc.collect()
    with pytest.raises(OSError):
        Connection(port)


def test_servers_do_not_see_each_other():
    with LocalServer() as one, LocalServer() as two:
        with Connection(one.port) as c:
            c.put(DIGEST)
        with Connection(two.port) as c:
            assert c.get(DIGEST) == NOT_FOUND


def test_a_port_may_be_chosen_and_must_be_free():
    with LocalServer() as server:
        port = server.port
        with pytest.raises(OSError, match=str(port)):
            LocalServer(port=port).start()
    with LocalServer(port=port) as again:
        assert again.port == port


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_sees_it_as_stopped_and_the_parent_goes_on():
    with LocalServer() as server:
        child = os.fork()
        if child == 0:
            code = 0
            try:
                _ = server.port
                code = 1
            except RuntimeError:
                server.stop()
            with LocalServer() as own, Connection(own.port) as c:
                code += c.put(DIGEST)
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        with Connection(server.port) as c:
            assert c.put(DIGEST) == OK


# ---- options ----


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"nodes": 0}, ValueError, "1 to 8"),
        ({"nodes": 9}, ValueError, "1 to 8"),
        ({"edition": "free"}, ValueError, "community or enterprise"),
        ({"namespaces": ["a", "a"]}, ValueError, "twice"),
        ({"security": True}, ValueError, "enterprise"),
        ({"racks": [1, 2]}, ValueError, "one rack for each node"),
        ({"host": "nowhere"}, ValueError, "nowhere"),
        ({"edition": "enterprise", "tls": TLSFiles("/no/cert")}, OSError, "/no/cert"),
        ({"edition": "enterprise", "security": True,
          "users": [User("u", "p", ["nope"])]}, ValueError, "no role 'nope'"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        LocalServer(**options).start().stop()


def test_namespaces_are_what_is_asked_for():
    with LocalServer(namespaces=["one", "two"]) as server, Connection(server.port) as c:
        assert c.info("namespaces") == "one;two"
        assert c.put(DIGEST, namespace="two") == OK
        assert c.put(DIGEST, namespace="test") == 20


def test_names_and_addresses_are_told():
    with LocalServer(nodes=2, cluster_name="mine", access_host="localhost") as server:
        assert server.hosts == [("localhost", port) for port in server.ports]
        with Connection(server.port) as c:
            assert c.info("cluster-name") == "mine"
            assert c.info("service-clear-std") == f"localhost:{server.port}"
            assert f"[localhost:{server.ports[1]}]" in c.info("peers-clear-std")


def test_the_enterprise_edition_has_racks():
    with (LocalServer(2, edition="enterprise", racks=[7, 8]) as server,
          Connection(server.port) as c):
        assert c.info("rack-ids") == "test:7;bar:7"


def test_users_log_in():
    users = [("me", HASH, ["read-write"])]
    with LocalServer(edition="enterprise", security=True, users=users) as server:
        with Connection(server.port) as c:
            assert c.put(DIGEST) == 80
            assert c.admin(20, field(0, b"me"), field(3, HASH.encode()))[1] == OK
            assert c.put(DIGEST) == OK
        with Connection(server.port) as c:
            answer = c.admin(20, field(0, b"me"), field(3, HASH.encode()))
            token = answer[21:53]
        with Connection(server.port) as c:
            assert c.admin(0, field(0, b"me"), field(5, token))[1] == OK
            assert c.put(DIGEST) == OK
        server.advance(2 * 86400)
        with Connection(server.port) as c:
            assert c.admin(0, field(0, b"me"), field(5, token))[1] == 66


# ---- control ----


def test_time_is_advanced():
    with LocalServer(default_ttl=50) as server, Connection(server.port) as c:
        c.put(DIGEST)
        c.put(bytes(20), ttl=1000)
        server.advance(60)
        assert c.get(DIGEST) == NOT_FOUND
        assert c.get(bytes(20)) == OK


def test_records_are_flushed():
    with LocalServer() as server, Connection(server.port) as c:
        c.put(DIGEST)
        c.put(DIGEST, namespace="bar")
        server.flush("test")
        assert c.get(DIGEST) == NOT_FOUND
        assert c.get(DIGEST, namespace="bar") == OK
        server.flush()
        assert c.get(DIGEST, namespace="bar") == NOT_FOUND


def test_faults_strike_and_are_cleared():
    with LocalServer() as server, Connection(server.port) as c:
        number = server.fault("code", code=OVERLOAD, classes="write")
        assert c.put(DIGEST) == OVERLOAD
        assert c.get(DIGEST) == NOT_FOUND
        server.clear_faults(number)
        assert c.put(DIGEST) == OK
        server.fault("code", code=OVERLOAD, classes=["read"], times=1, namespace="test")
        assert [c.get(DIGEST), c.get(DIGEST)] == [OVERLOAD, OK]
        server.fault("delay", ms=80, times=1)
        before = time.monotonic()
        c.get(DIGEST)
        assert time.monotonic() - before > 0.079
        server.fault("drop", node=0)
        with pytest.raises(EOFError):
            c.get(DIGEST)
        server.clear_faults()
        with Connection(server.port) as again:
            assert again.get(DIGEST) == OK


def test_answers_are_cut():
    with LocalServer() as server, Connection(server.port) as c:
        server.fault("cut", bytes=13)
        with pytest.raises(EOFError) as caught:
            c.get(DIGEST)
        assert len(caught.value.args[0]) == 5


def test_lines_that_cannot_be_done_say_why():
    with LocalServer() as server:
        with pytest.raises(ServerError, match="unknown verb 'dance'"):
            server.control("dance")
        with pytest.raises(ServerError, match="last that is up"):
            server.node_down(0)
        with pytest.raises(ServerError, match="node"):
            server.node_up(5)
    with pytest.raises(RuntimeError):
        server.control("counts")


def test_nodes_go_and_come_back():
    with LocalServer(nodes=3) as server:
        ports = server.ports
        with Connection(ports[0]) as c:
            assert c.info("peers-generation") == "4"
            server.node_down(2)
            with pytest.raises(OSError):
                Connection(ports[2])
            assert c.info("peers-clear-std:generation=4").startswith("5,3000,[[")
            assert c.info("peers-clear-std").count(str(ports[2])) == 0
            server.node_up(2)
            assert server.ports == ports
            assert str(ports[2]) in c.info("peers-clear-std")
        with Connection(ports[2]) as c:
            server.node_restart(2)
            with pytest.raises((EOFError, OSError)):
                c.info("build")
        server.fault("refuse", node=1)
        with Connection(ports[1]) as c, pytest.raises((EOFError, OSError)):
            c.info("build")


def test_requests_are_counted():
    with LocalServer(nodes=2) as server, Connection(server.ports[1]) as c:
        c.put(DIGEST)
        c.get(DIGEST)
        c.get(DIGEST)
        assert server.counts() == {
            "read": 2, "write": 1, "batch": 0, "query": 0, "info": 0, "admin": 0,
            "connections": 1,
        }
        assert server.counts(0)["read"] == 0


@pytest.mark.parametrize("on", [True, False])
def test_control_over_the_wire(on):
    with LocalServer(control=on) as server, Connection(server.port) as c:
        c.put(DIGEST)
        answer = c.info("local:flush;ns=test")
        assert answer == ("ok" if on else "ERROR:4:unrecognized command")
        assert c.get(DIGEST) == (NOT_FOUND if on else OK)


def test_threads_may_control_and_stop():
    server = LocalServer().start()
    failures = []

    def work():
        try:
            while True:
                server.counts()
        except RuntimeError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    server.stop()
    for thread in threads:
        thread.join(10)
    assert failures == ["the server is stopped"] * 4


# ---- the process of its own ----


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """The process and its ports."""
    command = [sys.executable, "-m", "aerospike_py.server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as child:
        try:
            line = child.stdout.readline()
            assert line.startswith("serving on "), line or child.stderr.read()
            assert "client(" in child.stdout.readline()
            yield child, [int(a.rsplit(":", 1)[1])
                          for a in line.removeprefix("serving on ").split(",")]
        finally:
            child.kill()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_process_serves_until_it_is_told_to_stop(stop):
    with process("--port", "0", "--nodes", "2", "--namespace", "mine") as (child, ports):
        assert len(ports) == 2
        with Connection(ports[0]) as c:
            assert c.info("namespaces") == "mine"
            assert c.put(DIGEST, namespace="mine") == OK
            assert c.info("local:flush") == "ok"
        child.send_signal(stop)
        assert child.wait(10) == 0


def test_a_process_says_why_it_cannot_serve():
    with LocalServer() as server:
        command = [sys.executable, "-m", "aerospike_py.server", "--port", str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("cannot serve: ")


def test_a_process_tells_what_it_does_when_asked():
    with process("--port", "0", "--verbose", "--no-control") as (child, (port,)):
        with Connection(port) as c:
            assert c.info("local:flush") == "ERROR:4:unrecognized command"
            c.put(DIGEST)
            c.put(DIGEST)
        child.send_signal(signal.SIGINT)
        lines = child.communicate(timeout=10)[1].splitlines()
    assert "connected to node BB9000000000001" in lines[0]
    assert [line.rsplit(": ", 1)[1] for line in lines[1:]] == ["info", "write"]
