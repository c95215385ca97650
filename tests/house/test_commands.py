"""What ``python -m aerospike_py.…`` does."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest

import aerospike_py
from aerospike_py import LocalServer, debug


def module(name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", f"aerospike_py.{name}", *options]


def test_debug_tells_of_this_build(capsys):
    assert debug.main([]) == 0
    told = capsys.readouterr().out
    assert re.search(rf"aerospike_py +{re.escape(aerospike_py.__version__)}\n", told)
    assert re.search(r"openssl +OpenSSL \d", told)
    assert re.search(r"libuv +1\.\d+", told)
    assert "local server" in told and "cannot be loaded" not in told
    assert "Cluster" not in told


def test_debug_tells_of_a_cluster(capsys):
    with LocalServer(nodes=2) as server:
        assert debug.main([f"127.0.0.1:{server.port}"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"BB9000000000002 build +8\.1\.2\.0\n", told)
    assert told.count(" pool ") == 2


def test_debug_says_why_it_cannot_connect(capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert debug.main([f"127.0.0.1:{port}"]) == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().out


def test_debug_prints_no_password(capsys, monkeypatch):
    monkeypatch.setenv("AEROSPIKE_PASSWORD", "open sesame")
    with LocalServer(edition="enterprise", security=True) as server:
        debug.main([f"127.0.0.1:{server.port}", "--user", "nobody"])
    assert "sesame" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["tour", "server", "debug"])
def test_each_explains_itself(name):
    done = subprocess.run(module(name, "--help"), capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: python -m aerospike_py.{name}")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_server_runs_until_it_is_told_to_stop(sign):
    process = subprocess.Popen(module("server", "--port", "0", "--nodes", "2"),
                               stdout=subprocess.PIPE, text=True)
    try:
        first = process.stdout.readline()
        ports = re.findall(r"127\.0\.0\.1:(\d+)", first)
        assert len(ports) == 2
        with aerospike_py.client({"hosts": [("127.0.0.1", int(ports[1]))]}).connect() as client:
            assert len(client.get_node_names()) == 2
        process.send_signal(sign)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
