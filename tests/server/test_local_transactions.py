"""Transactions on a local server of the enterprise edition, through the client."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e
from aerospike_py.server import LocalServer


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(nodes=3, edition="enterprise", strong_consistency=["test"]) as running:
        yield running


@pytest.fixture
def client(server: LocalServer) -> Iterator[Any]:
    server.flush()
    client = aerospike_py.client(server.config).connect()
    for number in range(20):
        client.put(key(number), {"n": number})
    yield client
    client.close()


def key(number: int) -> tuple[str, str, int]:
    return ("test", "local_txn", number)


def values(client: Any) -> list[int]:
    return [client.get(key(number))[2]["n"] for number in range(20)]


def test_a_commit_shows_all_writes_at_once(client: Any) -> None:
    txn = aerospike_py.Transaction()
    for number in range(20):
        client.increment(key(number), "n", 100, policy={"txn": txn})
    assert values(client) == list(range(20))
    assert client.get(key(3), {"txn": txn})[2] == {"n": 103}
    client.commit(txn)
    assert values(client) == list(range(100, 120))


def test_an_abort_leaves_nothing(client: Any) -> None:
    txn = aerospike_py.Transaction()
    client.put(key(1), {"n": -1}, policy={"txn": txn})
    client.put(key(99), {"n": -1}, policy={"txn": txn})
    client.abort(txn)
    assert values(client) == list(range(20))
    with pytest.raises(e.RecordNotFound):
        client.get(key(99))


def test_others_are_blocked_meanwhile(client: Any) -> None:
    one, two = aerospike_py.Transaction(), aerospike_py.Transaction()
    client.put(key(1), {"n": -1}, policy={"txn": one})
    for policy in ({}, {"txn": two}):
        with pytest.raises(e.ServerError) as error:
            client.put(key(1), {"n": 5}, policy=policy)
        assert error.value.code == 120
    client.abort(two)
    client.commit(one)
    client.put(key(1), {"n": 5})


def test_a_read_that_has_changed_fails_the_commit(client: Any) -> None:
    txn = aerospike_py.Transaction()
    client.get(key(1), {"txn": txn})
    client.put(key(2), {"n": -2}, policy={"txn": txn})
    client.put(key(1), {"n": -1})
    with pytest.raises(e.AerospikeError):
        client.commit(txn)
    assert client.get(key(2))[2] == {"n": 2}


def test_time_ends_a_transaction(client: Any, server: LocalServer) -> None:
    txn = aerospike_py.Transaction()
    client.put(key(1), {"n": -1}, policy={"txn": txn})
    server.advance(11)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            client.put(key(1), {"n": 7})
            break
        except e.ServerError as error:
            assert error.code == 120
            time.sleep(0.1)
    assert client.get(key(1))[2] == {"n": 7}
    with pytest.raises(e.AerospikeError):
        client.commit(txn)


def test_a_process_can_be_consistent() -> None:
    command = [sys.executable, "-m", "aerospike_py.server", "--port", "0", "--edition",
               "enterprise", "--strong-consistency", "test"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline().rsplit(":", 1)[1])
            client = aerospike_py.client({"hosts": [("127.0.0.1", port)]}).connect()
            txn = aerospike_py.Transaction()
            client.put(key(1), {"n": 1}, policy={"txn": txn})
            client.commit(txn)
            assert client.get(key(1))[2] == {"n": 1}
            client.close()
        finally:
            child.kill()


def test_strong_consistency_needs_the_enterprise_edition() -> None:
    with pytest.raises(ValueError, match="enterprise"):
        LocalServer(strong_consistency=["test"]).start()
    with pytest.raises(ValueError, match="nowhere"):
        LocalServer(edition="enterprise", strong_consistency=["nowhere"]).start()
