"""Transactions: what is sent, in which order, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from txnnode import DEADLINE, SET, TXN, VERSION, TxnNode

import aerospike_py
from aerospike_py import exception as e, official
from aerospike_py.helpers.batch import records as br
from aerospike_py.helpers.operations import operations as op
from aerospike_py.server import LocalServer

pytestmark = pytest.mark.local_only
OPEN, VERIFIED = aerospike_py.TXN_STATE_OPEN, aerospike_py.TXN_STATE_VERIFIED
COMMITTED, ABORTED = aerospike_py.TXN_STATE_COMMITTED, aerospike_py.TXN_STATE_ABORTED
FAILED = aerospike_py.TXN_STATE_COMMIT_FAILED


@pytest.fixture(scope="session")
def plain() -> Iterator[LocalServer]:
    with LocalServer(edition="enterprise") as server:
        yield server


@pytest.fixture
def node(plain: LocalServer) -> Iterator[TxnNode]:
    made = TxnNode(plain.ports[0])
    yield made
    made.close()


@pytest.fixture
def hosts(node: TxnNode) -> list[tuple[str, int]]:
    return node.hosts


@pytest.fixture(params=["sync", "async", "strict"])
def one(request: pytest.FixtureRequest, node: TxnNode,
        loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    from blocking import Blocking

    quick = {"total_timeout": 1000, "max_retries": 0}
    config: Any = {"hosts": node.hosts, "policies": {
        "txn_verify": quick, "txn_roll": quick}}
    if request.param == "strict":
        made: Any = official.client(config)
    elif request.param == "async":
        made = Blocking(aerospike_py.AsyncClient(config), loop)
        made.connect()
    else:
        made = aerospike_py.client(config).connect()
    yield made
    made.close()


@pytest.fixture
def txn() -> aerospike_py.Transaction:
    return aerospike_py.Transaction()


def key(number: int) -> tuple[str, str, int]:
    return "test", "txn", number


def in_(txn: Any, **more: Any) -> dict[str, Any]:
    return {"txn": txn, **more}


def is_deadline(data: bytes) -> bool:
    return int.from_bytes(data, "little") == TxnNode.DEADLINE


# ---- the object ----


def test_a_transaction_is_what_the_official_one_is(txn: Any) -> None:
    assert isinstance(txn.id, int)
    assert 0 < txn.id < 2**63
    assert (txn.state, txn.timeout, txn.in_doubt) == (OPEN, 0, False)
    txn.timeout = 10
    assert txn.timeout == 10
    for name in ("id", "state", "in_doubt"):
        with pytest.raises(AttributeError):
            setattr(txn, name, 1)
    before = txn.id
    txn.__init__(reads_capacity=1, writes_capacity=2**32 - 1)
    assert txn.id != before
    assert txn.timeout == 0
    assert official.Transaction is aerospike_py.Transaction


def test_wrong_capacities() -> None:
    for args, error in ((("256",), TypeError), ((2**32,), ValueError), ((-1,), OverflowError),
                        ((1, 2.0), TypeError), ((1, 2, 3), TypeError)):
        with pytest.raises(error):
            aerospike_py.Transaction(*args)
    with pytest.raises(TypeError):
        aerospike_py.Transaction(capacity=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        type("Derived", (aerospike_py.Transaction,), {})


def test_times_of_the_wrong_kind(txn: Any) -> None:
    for value, error in (("1", TypeError), (-1, OverflowError), (2**32, ValueError)):
        with pytest.raises(error):
            txn.timeout = value


def test_only_a_transaction_will_do(one: Any) -> None:
    for end in (one.commit, one.abort):
        with pytest.raises(TypeError):
            end("string")
        with pytest.raises(TypeError):
            end()
    with pytest.raises(e.ParamError) as raised:
        one.put(key(1), {"a": 1}, policy=in_("none"))
    assert raised.value.msg == "txn is not of type aerospike.Transaction"


# ---- what is sent ----


def test_a_write_is_announced_once(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1}, policy=in_(txn))
    one.put(key(1), {"a": 2}, policy=in_(txn))
    one.increment(key(2), "a", 1, policy=in_(txn))
    assert node.steps() == ["announce", "write", "write", "announce", "write"]
    first, second = (details for what, details in node.log if what == "announce")
    assert b"\x02id" in first
    assert b"\x02id" not in second  # only the first makes the monitor
    digest = aerospike_py.calc_digest(*key(1))
    assert bytes([0x94, 1, 0xB5, 4]) + digest + bytes([1, 13]) in first
    for what, details in node.log:
        if what == "write":
            assert details["id"] == txn.id
            assert is_deadline(details["deadline"])
            assert details["version"] is None


def test_reads_remember_versions(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1})
    for _ in range(2):
        assert one.get(key(1), in_(txn))[2] == {"a": 1}
    assert one.exists(key(1), in_(txn))[1] is not None
    assert node.steps() == ["read", "read", "read"]
    versions = [details["version"] for _, details in node.log]
    assert versions[0] is None
    assert versions[1] == versions[2] != None  # noqa: E711
    assert node.log[0][1]["deadline"] is None
    one.put(key(1), {"a": 2}, policy=in_(txn))
    assert node.log[-1][1]["version"] == versions[1]


def test_a_commit_goes_through_all_steps(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1})
    one.get(key(1), in_(txn))
    one.put(key(2), {"a": 1}, policy=in_(txn))
    one.remove(key(2), policy=in_(txn))
    node.log.clear()
    assert one.commit(txn) == aerospike_py.COMMIT_OK
    assert txn.state == COMMITTED
    assert node.steps() == ["verify", "mark", "forward", "close"]
    details = dict(node.log)
    (verified,) = details["verify"]
    assert VERSION in verified
    assert TXN not in verified
    assert verified[SET] == b"txn"
    (rolled,) = details["forward"]
    assert int.from_bytes(rolled[TXN], "little") == txn.id
    assert b"fwd" in details["mark"]
    assert details["close"] & 0x10  # durable
    assert one.commit(txn) == aerospike_py.COMMIT_ALREADY_COMMITTED


def test_a_transaction_that_only_read_marks_nothing(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1})
    one.get(key(1), in_(txn))
    assert one.commit(txn) == aerospike_py.COMMIT_OK
    assert node.steps() == ["read", "verify"]


def test_an_empty_transaction_asks_nobody(one: Any, node: TxnNode) -> None:
    first, second = aerospike_py.Transaction(), aerospike_py.Transaction()
    assert one.commit(first) == aerospike_py.COMMIT_OK
    assert one.abort(second) == aerospike_py.ABORT_OK
    assert (first.state, second.state) == (COMMITTED, ABORTED)
    assert node.log == []


def test_an_abort_rolls_back(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1})
    one.get(key(1), in_(txn))
    one.put(key(2), {"a": 1}, policy=in_(txn))
    node.log.clear()
    assert one.abort(txn) == aerospike_py.ABORT_OK
    assert txn.state == ABORTED
    assert node.steps() == ["back", "close"]
    assert one.abort(txn) == aerospike_py.ABORT_ALREADY_ABORTED


def test_what_is_over_is_over(one: Any, node: TxnNode) -> None:
    done, undone = aerospike_py.Transaction(), aerospike_py.Transaction()
    one.commit(done)
    one.abort(undone)
    for call, error, code in (
            (lambda: one.abort(done), e.TransactionAlreadyCommitted, -18),
            (lambda: one.commit(undone), e.TransactionAlreadyAborted, -19),
            (lambda: one.put(key(1), {"a": 1}, policy=in_(done)),
             e.TransactionAlreadyCommitted, -18),
            (lambda: one.get(key(1), in_(undone)), e.TransactionAlreadyAborted, -19)):
        with pytest.raises(error) as raised:
            call()
        assert raised.value.code == code
    assert node.log == []


def test_a_transaction_has_one_namespace(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1}, policy=in_(txn))
    node.log.clear()
    with pytest.raises(e.ParamError, match="one namespace"):
        one.put(("bar", "txn", 1), {"a": 1}, policy=in_(txn))
    assert node.log == []


def test_the_time_of_a_transaction_is_the_monitors(one: Any, node: TxnNode,
                                                   plain: LocalServer, txn: Any) -> None:
    txn.timeout = 77
    seen: list[int] = []
    take = node._monitor
    node._monitor = lambda m: (seen.append(m.ttl), take(m))[1]  # type: ignore[method-assign]
    one.put(key(1), {"a": 1}, policy=in_(txn))
    assert seen == [77]


# ---- batches ----


def test_batches_announce_all_their_writes_at_once(make_client: Callable[..., Any],
                                                   node: TxnNode, txn: Any) -> None:
    one = make_client()
    keys = [key(n) for n in range(5)]
    one.batch_operate(keys, [op.write("a", 1)], in_(txn))
    assert node.steps() == ["announce", "batch"]
    assert all(aerospike_py.calc_digest(*k) in node.log[0][1] for k in keys)
    rows = node.log[1][1]
    assert len(rows) == 5
    for writes, fields in rows:
        assert writes
        assert int.from_bytes(fields[TXN], "little") == txn.id
        assert is_deadline(fields[DEADLINE])
    one.batch_operate([*keys, key(9)], [op.write("a", 2)], in_(txn))
    assert node.steps()[2:] == ["announce", "batch"]
    assert not any(aerospike_py.calc_digest(*k) in node.log[2][1] for k in keys)
    node.log.clear()
    one.commit(txn)
    assert node.steps() == ["mark", "forward", "close"]
    assert len(node.log[1][1]) == 6
    assert one.get(key(9))[2] == {"a": 2}


def test_batches_that_read_are_verified(make_client: Callable[..., Any], node: TxnNode,
                                        txn: Any) -> None:
    one = make_client()
    keys = [key(n) for n in range(5)]
    for k in keys:
        one.put(k, {"a": k[2]})
    found = one.batch_read(keys, None, in_(txn))
    assert [r.record.bins["a"] for r in found.batch_records] == list(range(5))
    assert node.steps() == ["batch"]
    one.batch_read(keys, ["a"], in_(txn))
    assert all(VERSION in fields and TXN in fields for _, fields in node.log[1][1])
    one.commit(txn)
    assert node.steps() == ["batch", "batch", "verify"]
    assert len(node.log[2][1]) == 5


def test_mixed_batches(make_client: Callable[..., Any], node: TxnNode, txn: Any) -> None:
    one = make_client()
    one.put(key(1), {"a": 1})
    rows = br.BatchRecords([br.Read(key(1), None, read_all_bins=True),
                            br.Write(key(2), [op.write("b", 2)])])
    one.batch_write(rows, in_(txn))
    assert [r.result for r in rows.batch_records] == [0, 0]
    node.log.clear()
    one.commit(txn)
    assert node.steps() == ["verify", "mark", "forward", "close"]


def test_a_batch_that_cannot_be_announced_writes_nothing(
        make_client: Callable[..., Any], node: TxnNode, txn: Any) -> None:
    one = make_client()
    node.codes["announce"] = 122
    with pytest.raises(e.ServerError) as raised:
        one.batch_operate([key(50), key(51)], [op.write("a", 1)], in_(txn))
    assert raised.value.code == 122
    assert node.steps() == ["announce"]


# ---- what goes wrong ----


def test_a_write_that_cannot_be_announced_is_not_sent(one: Any, node: TxnNode,
                                                      txn: Any) -> None:
    node.codes["announce"] = 122
    with pytest.raises(e.ServerError) as raised:
        one.put(key(1), {"a": 1}, policy=in_(txn))
    assert raised.value.code == 122
    assert not raised.value.in_doubt
    assert node.steps() == ["announce"]


def test_a_write_that_is_refused_is_not_rolled(one: Any, node: TxnNode, txn: Any) -> None:
    node.codes["write"] = 120
    with pytest.raises(e.ServerError) as raised:
        one.put(key(1), {"a": 1}, policy=in_(txn))
    assert raised.value.code == 120
    node.log.clear()
    one.abort(txn)
    assert node.steps() == ["close"]


def test_what_was_read_and_has_changed_rolls_back(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1})
    one.get(key(1), in_(txn))
    one.put(key(2), {"a": 1}, policy=in_(txn))
    node.log.clear()
    node.codes["verify"] = 121
    with pytest.raises(e.TransactionFailed) as raised:
        one.commit(txn)
    assert raised.value.code == -17
    assert "121" in raised.value.msg
    assert txn.state == ABORTED
    assert node.steps() == ["verify", "back", "close"]


def test_a_mark_that_is_refused_leaves_it_to_be_aborted(one: Any, node: TxnNode,
                                                        txn: Any) -> None:
    one.put(key(1), {"a": 1}, policy=in_(txn))
    node.codes["mark"] = 4
    with pytest.raises(e.InvalidRequest):
        one.commit(txn)
    assert (txn.state, txn.in_doubt) == (VERIFIED, False)
    assert one.abort(txn) == aerospike_py.ABORT_OK
    assert node.steps()[-2:] == ["back", "close"]


def test_a_mark_that_says_committed_or_aborted(one: Any, node: TxnNode) -> None:
    for code, state in ((124, COMMITTED), (125, ABORTED)):
        txn = aerospike_py.Transaction()
        one.put(key(1), {"a": 1}, policy=in_(txn))
        node.codes["mark"] = code
        if state == COMMITTED:
            assert one.commit(txn) == aerospike_py.COMMIT_OK
        else:
            with pytest.raises(e.ServerError) as raised:
                one.commit(txn)
            assert raised.value.code == 125
        assert txn.state == state


def test_a_mark_in_doubt_may_be_tried_again(one: Any, node: TxnNode, txn: Any) -> None:
    one.put(key(1), {"a": 1}, policy=in_(txn))
    node.silent.add("mark")
    with pytest.raises(e.AerospikeError) as raised:
        one.commit(txn)
    assert raised.value.in_doubt
    assert (txn.state, txn.in_doubt) == (FAILED, True)
    assert one.abort(txn) == aerospike_py.ABORT_COMMIT_FAILED
    with pytest.raises(e.TransactionFailed):
        one.put(key(1), {"a": 1}, policy=in_(txn))
    node.silent.clear()
    node.log.clear()
    assert one.commit(txn) == aerospike_py.COMMIT_OK
    assert node.steps() == ["mark", "forward", "close"]
    assert txn.state == COMMITTED


@pytest.mark.parametrize(("what", "commit", "abort"), [
    ("roll", "COMMIT_ROLL_FORWARD_ABANDONED", "ABORT_ROLL_BACK_ABANDONED"),
    ("close", "COMMIT_CLOSE_ABANDONED", "ABORT_CLOSE_ABANDONED")])
def test_what_is_left_to_the_server(one: Any, node: TxnNode, what: str, commit: str,
                                    abort: str) -> None:
    for kind in (["forward", "back"] if what == "roll" else ["close"]):
        node.codes[kind] = 1
    for end, name, state in ((one.commit, commit, COMMITTED), (one.abort, abort, ABORTED)):
        txn = aerospike_py.Transaction()
        one.put(key(1), {"a": 1}, policy=in_(txn))
        node.log.clear()
        assert end(txn) == getattr(aerospike_py, name)
        assert txn.state == state
        assert ("close" in node.steps()) == (what == "close")


def test_a_write_in_doubt_keeps_the_monitor(one: Any, node: TxnNode, txn: Any) -> None:
    node.silent.add("write")
    with pytest.raises(e.AerospikeError) as raised:
        one.put(key(1), {"a": 1}, policy=in_(txn))
    assert raised.value.in_doubt
    node.silent.clear()
    node.log.clear()
    assert one.abort(txn) == aerospike_py.ABORT_OK
    assert node.steps() == ["back"]  # the server closes it at its deadline


def test_cancelled_writes_are_in_doubt(node: TxnNode, plain: LocalServer) -> None:
    async def run() -> None:
        one = aerospike_py.AsyncClient({"hosts": node.hosts})
        await one.connect()
        txn = aerospike_py.Transaction()
        plain.fault("delay", ms=300, classes="write", times=1)
        task = asyncio.create_task(one.put(key(1), {"a": 1}, policy=in_(txn)))
        while "write" not in node.steps():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        node.log.clear()
        await one.abort(txn)
        assert node.steps() == ["back"]
        await one.close()
    try:
        asyncio.run(run())
    finally:
        plain.clear_faults()


def test_many_commands_of_one_transaction_at_once(node: TxnNode) -> None:
    async def run() -> None:
        one = aerospike_py.AsyncClient({"hosts": node.hosts})
        await one.connect()
        txn = aerospike_py.Transaction(1, 1)
        keys = [key(n) for n in range(400)]
        policy = in_(txn, total_timeout=20_000)
        await asyncio.gather(*[one.put(k, {"a": k[2]}, policy=policy) for k in keys])
        await asyncio.gather(*[one.get(k, policy) for k in keys])
        node.log.clear()
        assert await one.commit(txn) == aerospike_py.COMMIT_OK
        assert node.steps() == ["verify", "mark", "forward", "close"]
        assert [len(rows) for what, rows in node.log if what in ("verify", "forward")] == [400, 400]
        await one.close()
    asyncio.run(run())


def test_a_server_without_transactions_says_so(make_client: Callable[..., Any]) -> None:
    with LocalServer() as community:
        one = make_client(community.hosts)
        txn = aerospike_py.Transaction()
        for use in (lambda: one.get(key(1), in_(txn)),
                    lambda: one.put(key(1), {"a": 1}, policy=in_(txn))):
            with pytest.raises(e.ServerError) as raised:
                use()
            assert raised.value.code == 25
