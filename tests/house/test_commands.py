"""What ``python -m aerospike_py.…`` does."""

from __future__ import annotations

import base64
import re
import signal
import socket
import subprocess
import sys
import zlib
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path
from random import Random

import pytest

import aerospike_py
from aerospike_py import LocalServer, debug, exp


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


CAPTURES = Path(__file__).resolve().parents[1] / "wire" / "golden" / "captures.txt"


def captured(label):
    """Bytes of the request and of the reply under a label of the captures."""
    rows = [line.split() for line in CAPTURES.read_text().splitlines()]
    return [bytes.fromhex(row[2]) for row in rows if row[0] == label]


@pytest.mark.parametrize("label, lines", [
    ("put.map", ["  message, result 0 (ok), writes", "    field namespace: 'test'",
                 "    operation write 'bin', map: {'a': 1, 'b': {'c': [true]}}"]),
    ("operate", ["    operation increment 'a', integer: 1", "    operation read 'b', nil"]),
    ("batch.read", ["    field batch: 3 rows, flags 0x0d", "      field set: 'capture'",
                    "    row 1, digest 332792e530c9e29607ab61ff3f9d524c6ec508d5, "
                    "as the one before"]),
    ("tend", ["  info 'partition-generation'"]),
    ("login", ["  admin LOGIN, result 0 (ok), 2 fields", "    field USER: 'admin'",
               "    field CREDENTIAL: 60 bytes that are not shown"]),
])
def test_debug_takes_a_capture_apart(capsys, tmp_path, label, lines):
    (tmp_path / "sent").write_bytes(captured(label)[0])
    assert debug.main(["--dump", str(tmp_path / "sent")]) == 0
    assert set(lines) <= set(capsys.readouterr().out.splitlines())


def test_debug_takes_a_filter_and_list_operations_apart():
    with LocalServer() as server, aerospike_py.client(server.config) as client:
        text = client.get_expression_base64(exp.ge(exp.int_bin("age"), exp.int_val(18)))
    packed = base64.b64decode(text)
    field = (len(packed) + 1).to_bytes(4, "big") + bytes([43]) + packed
    value = bytes.fromhex("920107")
    operation = (8 + len(value)).to_bytes(4, "big") + bytes([4, 4, 0, 4]) + b"list" + value
    body = bytes([22, *[0] * 18, 1, 0, 1]) + field + operation
    lines = list(debug.dump((0x0203 << 48 | len(body)).to_bytes(8, "big") + body))
    assert lines[3:] == ["    field filter expression: ge(int_bin('age'), 18)",
                         "    operation list or map modify 'list', blob: LIST_APPEND [1, 7]"]


def test_debug_reads_lines_of_digits(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(CAPTURES.read_bytes())))
    assert debug.main(["--dump", "-"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out.count("put.map >") == 1 and out.count("put.map <") == 1
    assert sum(line.startswith("frame of") for line in out) == sum(
        line[:1] not in ("#", "") for line in CAPTURES.read_text().splitlines())


def test_debug_takes_compressed_frames_apart():
    inner = captured("put.map")[0]
    body = len(inner).to_bytes(8, "big") + zlib.compress(inner)
    frame = (0x0204 << 48 | len(body)).to_bytes(8, "big") + body
    assert list(debug.dump(frame))[1:] == ["  " + line for line in debug.dump(inner)]
    twice = len(frame).to_bytes(8, "big") + zlib.compress(frame)
    with pytest.raises(ValueError, match="holds no whole message"):
        list(debug.dump((0x0204 << 48 | len(twice)).to_bytes(8, "big") + twice))


def test_debug_says_what_it_does_not_understand(capsys, tmp_path):
    (tmp_path / "cut").write_bytes(captured("put.map")[0] * 2 + b"\x02\x03")
    assert debug.main(["--dump", str(tmp_path / "cut")]) == 1
    said = capsys.readouterr()
    assert said.out.count("message, result") == 2
    assert said.err == "not understood: the frame is cut\n"


def test_debug_survives_any_bytes():
    whole = [frame for label in ("put.map", "operate", "batch.operate", "login", "tend")
             for frame in captured(label)]
    random = Random(7)
    for frame in whole:
        for cut in range(8, len(frame)):
            body = bytearray(frame[8:cut])
            head = frame[:2] + len(body).to_bytes(6, "big")
            with suppress(ValueError):
                list(debug.dump(head + body))
            if body:
                body[random.randrange(len(body))] = random.randrange(256)
            with suppress(ValueError):
                list(debug.dump(head + body))


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
