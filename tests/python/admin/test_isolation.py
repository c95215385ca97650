"""Transactions on a server: what others see, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e
from aerospike_py.helpers.operations import operations as op
from aerospike_py.server import LocalServer

pytestmark = pytest.mark.local_only
DURABLE = {"durable_delete": True}


@pytest.fixture(scope="session")
def consistent() -> Iterator[LocalServer]:
    with LocalServer(nodes=2, edition="enterprise", strong_consistency=["test"]) as server:
        yield server


@pytest.fixture
def hosts(consistent: LocalServer) -> list[tuple[str, int]]:
    consistent.flush()
    return consistent.hosts


@pytest.fixture
def one(make_client: Callable[..., Any]) -> Any:
    return make_client()


@pytest.fixture
def other(hosts: list[tuple[str, int]]) -> Iterator[Any]:
    with aerospike_py.client({"hosts": hosts}).connect() as made:
        yield made


def key(number: int) -> tuple[str, str, int]:
    return "test", "isolation", number


def test_nobody_sees_a_write_before_the_commit(one: Any, other: Any) -> None:
    for n in range(10):
        other.put(key(n), {"a": "old"})
    txn = aerospike_py.Transaction()
    for n in range(20):
        one.put(key(n), {"a": "new"}, policy={"txn": txn})
    assert [other.get(key(n)).bins["a"] for n in range(10)] == ["old"] * 10
    assert other.exists(key(15)).meta is None
    assert one.get(key(15), {"txn": txn}).bins == {"a": "new"}
    assert one.commit(txn) == aerospike_py.COMMIT_OK
    assert [other.get(key(n)).bins["a"] for n in range(20)] == ["new"] * 20


def test_an_abort_undoes_everything(one: Any, other: Any) -> None:
    for n in range(5):
        other.put(key(n), {"a": "old"})
    txn = aerospike_py.Transaction()
    policy = {"txn": txn, **DURABLE}
    one.put(key(0), {"a": "new"}, policy=policy)
    one.remove(key(1), policy=policy)
    one.put(key(9), {"a": "new"}, policy=policy)
    one.increment(key(2), "n", 5, policy=policy)
    assert one.abort(txn) == aerospike_py.ABORT_OK
    assert [other.get(key(n)).bins for n in range(5)] == [{"a": "old"}] * 5
    assert other.exists(key(9)).meta is None


def test_deletes_take_effect_with_the_rest(one: Any, other: Any) -> None:
    other.put(key(1), {"a": 1})
    txn = aerospike_py.Transaction()
    one.remove(key(1), policy={"txn": txn, **DURABLE})
    assert other.exists(key(1)).meta is not None
    one.commit(txn)
    assert other.exists(key(1)).meta is None


def test_a_record_is_locked_while_it_is_written(one: Any, other: Any) -> None:
    other.put(key(1), {"a": 1})
    txn = aerospike_py.Transaction()
    one.put(key(1), {"a": 2}, policy={"txn": txn})
    with pytest.raises(e.ServerError) as raised:
        other.put(key(1), {"a": 3})
    assert raised.value.code == 120
    rival = aerospike_py.Transaction()
    with pytest.raises(e.ServerError) as raised:
        other.put(key(1), {"a": 4}, policy={"txn": rival})
    assert raised.value.code == 120
    other.abort(rival)
    one.commit(txn)
    other.put(key(1), {"a": 5})


def test_locking_only_once(one: Any, other: Any) -> None:
    txn = aerospike_py.Transaction()
    policy = {"txn": txn, "on_locking_only": True}
    one.put(key(1), {"a": 1}, policy=policy)
    with pytest.raises(e.ServerError) as raised:
        one.put(key(1), {"a": 2}, policy=policy)
    assert raised.value.code == 126
    one.abort(txn)


def test_what_was_read_must_still_be_so(one: Any, other: Any) -> None:
    other.put(key(1), {"a": 1})
    txn = aerospike_py.Transaction()
    seen = one.get(key(1), {"txn": txn}).bins["a"]
    one.put(key(2), {"a": seen + 1}, policy={"txn": txn})
    other.put(key(1), {"a": 100})
    with pytest.raises(e.TransactionFailed) as raised:
        one.commit(txn)
    assert raised.value.code == -17
    assert txn.state == aerospike_py.TXN_STATE_ABORTED
    assert other.exists(key(2)).meta is None


def test_money_is_neither_made_nor_lost(one: Any, other: Any) -> None:
    other.put(key(1), {"money": 100})
    other.put(key(2), {"money": 0})
    for amount in (10, 20, 30):
        txn = aerospike_py.Transaction()
        one.increment(key(1), "money", -amount, policy={"txn": txn})
        one.increment(key(2), "money", amount, policy={"txn": txn})
        (one.abort if amount == 20 else one.commit)(txn)
    assert [other.get(key(n)).bins["money"] for n in (1, 2)] == [60, 40]


def test_batches_take_part(one: Any, other: Any) -> None:
    keys = [key(n) for n in range(30)]
    for k in keys[:15]:
        other.put(k, {"a": 0})
    txn = aerospike_py.Transaction()
    one.batch_read(keys[:15], None, {"txn": txn})
    result = one.batch_operate(keys, [op.write("a", 1)], {"txn": txn})
    assert [r.result for r in result.batch_records] == [0] * 30
    assert other.get(keys[0]).bins == {"a": 0}
    again = one.batch_read(keys, None, {"txn": txn})
    assert [r.record.bins["a"] for r in again.batch_records] == [1] * 30
    assert one.commit(txn) == aerospike_py.COMMIT_OK
    assert [other.get(k).bins for k in keys] == [{"a": 1}] * 30


def test_a_transaction_that_takes_too_long(one: Any, other: Any,
                                           consistent: LocalServer) -> None:
    txn = aerospike_py.Transaction()
    txn.timeout = 5
    one.put(key(1), {"a": 1}, policy={"txn": txn})
    consistent.advance(10)
    with pytest.raises(e.AerospikeError):
        one.commit(txn)
    assert other.exists(key(1)).meta is None


def test_other_namespaces_have_none(one: Any) -> None:
    txn = aerospike_py.Transaction()
    with pytest.raises(e.AerospikeError):
        one.put(("bar", "isolation", 1), {"a": 1}, policy={"txn": txn})
