"""Every verb on many records: rows that differ in their success, and nodes that are lost."""

from __future__ import annotations

import itertools
import random
import threading

import pytest

import aerospike_py
from aerospike_py import exp
from aerospike_py.exception import AerospikeError
from aerospike_py.helpers.batch import records as br
from aerospike_py.helpers.operations import operations as op

COUNT = 120
MODULE = """
function bump(rec)
    rec["n"] = (rec["n"] or 0) + 1
    if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end
    return rec["n"]
end
function odd(rec)
    if rec["n"] % 2 == 1 then error("odd") end
    return rec["n"]
end
"""


def keys_of(set_name, count=COUNT):
    return [("test", set_name, n) for n in range(count)]


def read(client, keys, policy):
    return client.batch_read(keys, policy=policy)


def read_no_bins(client, keys, policy):
    return client.batch_read(keys, [], policy)


def operate_reading(client, keys, policy):
    return client.batch_operate(keys, [op.read("n")], policy)


def read_rows(client, keys, policy):
    return client.batch_write(br.BatchRecords(
        [br.Read(key, None, read_all_bins=True) for key in keys]), policy)


def write(client, keys, policy):
    return client.batch_write([(key, {"n": 7}) for key in keys], policy)


def operate(client, keys, policy):
    return client.batch_operate(keys, [op.write("n", 7)], policy)


def write_rows(client, keys, policy):
    return client.batch_write(br.BatchRecords(
        [br.Write(key, [op.write("n", 7), op.read("n")]) for key in keys]), policy)


def apply(client, keys, policy):
    return client.batch_apply(keys, "batch_nodes", "bump", [], policy)


def remove(client, keys, policy):
    return client.batch_remove(keys, policy)


READS = [read, read_no_bins, operate_reading, read_rows]
WRITES = [write, operate, write_rows, apply, remove]


def add_module(client, folder):
    path = folder / "batch_nodes.lua"
    path.write_text(MODULE)
    client.udf_put(str(path))


@pytest.fixture
def many(cluster, make_client, set_name, tmp_path):
    """A client of three nodes, with a record for each key."""
    client = make_client(hosts=cluster.hosts, tend_interval=100)
    add_module(client, tmp_path)
    client.batch_write([(key, {"n": key[2]}) for key in keys_of(set_name)])
    return client


def rows(batch):
    return [(row.result, row.in_doubt) for row in batch.batch_records]


# ---- rows that differ ----


@pytest.fixture
def some(client, set_name, tmp_path):
    """The keys with an odd number have no record."""
    add_module(client, tmp_path)
    client.batch_write([(key, {"n": key[2]}) for key in keys_of(set_name)[::2]])
    return keys_of(set_name)


@pytest.mark.parametrize("verb", [*READS, remove])
def test_records_that_are_not_there_fail_alone(client, some, verb):
    assert rows(verb(client, some, None)) == [(0, False), (2, False)] * (COUNT // 2)


@pytest.mark.parametrize("verb", [write, operate, write_rows])
def test_records_that_are_there_fail_alone(client, some, verb):
    policy = {"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY}
    if verb is write_rows:
        found = client.batch_write(br.BatchRecords(
            [br.Write(key, [op.write("n", 7)], policy=policy) for key in some]))
    elif verb is operate:
        found = client.batch_operate(some, [op.write("n", 7)], None, policy)
    else:
        found = verb(client, some, policy)
    assert rows(found) == [(5, False), (0, False)] * (COUNT // 2)
    assert client.batch_read(some).to_list() == [
        {"n": 7 if key[2] % 2 else key[2]} for key in some]


@pytest.mark.parametrize("verb", [*READS, *WRITES])
def test_records_that_are_filtered_fail_alone(client, some, set_name, verb):
    policy = {"filter_expression": exp.lt(exp.int_bin("n"), exp.int_val(60))}
    there = some[::2]
    found = verb(client, there, policy)
    assert rows(found) == [(0, False)] * 30 + [(27, False)] * 30


def test_functions_that_fail_fail_alone(client, set_name, some):
    client.batch_write([(key, {"n": key[2]}) for key in some])
    found = client.batch_apply(some, "batch_nodes", "odd", [])
    assert rows(found) == [(0, False), (100, False)] * (COUNT // 2)
    values = [row.record and row.record[2]["SUCCESS"] for row in found.batch_records[:4]]
    assert values == [0, None, 2, None]


@pytest.mark.parametrize("verb", [*READS, *WRITES])
def test_rows_of_an_unknown_namespace_fail_alone(client, some, verb):
    keys = [*some[:3:2], ("nowhere", "s", 1), some[4]]
    assert [row.result for row in verb(client, keys, None).batch_records] == [0, 0, 20, 0]


# ---- a node that is lost ----


@pytest.mark.parametrize("verb", [*READS, *WRITES])
def test_a_lost_node_is_made_up_for(cluster, many, set_name, verb):
    cluster.node_down(1)
    found = verb(many, keys_of(set_name), {
        "max_retries": 200, "sleep_between_retries": 10, "total_timeout": 20_000})
    assert rows(found) == [(0, False)] * COUNT


@pytest.mark.parametrize("verb", READS)
def test_reads_of_a_broken_node_are_asked_of_another(cluster, many, set_name, verb):
    cluster.fault("drop", node=1, classes=["batch", "read", "write"])
    found = verb(many, keys_of(set_name), {"max_retries": 2, "replica": 1})
    assert rows(found) == [(0, False)] * COUNT


@pytest.mark.parametrize("kind", ["sync", "async"], indirect=True)
@pytest.mark.parametrize("fault", ["drop", "drop-after"])
@pytest.mark.parametrize("verb", [*READS, *WRITES])
def test_rows_of_one_node_fail_and_say_if_they_are_in_doubt(cluster, many, set_name, verb, fault):
    cluster.fault(fault, node=1, classes="batch")
    found = rows(verb(many, keys_of(set_name), {"max_retries": 0}))
    cluster.clear_faults()
    good = [at for at, row in enumerate(found) if row == (0, False)]
    assert 0 < len(good) < COUNT
    lost = {row for at, row in enumerate(found) if at not in good}
    # The request was sent, and then the connection ended: a write may have been done.
    assert lost == {(-10, verb in WRITES)}
    if verb in (write, operate, write_rows):
        done = many.batch_read(keys_of(set_name)).to_list()
        for at, bins in enumerate(done):
            assert bins["n"] == (7 if at in good or fault == "drop-after" else at)


@pytest.mark.parametrize("verb", [*READS, *WRITES])
def test_rows_that_were_never_sent_are_not_in_doubt(cluster, make_client, set_name, verb,
                                                    tmp_path):
    client = make_client(hosts=cluster.hosts, tend_interval=60_000)
    add_module(client, tmp_path)
    client.batch_write([(key, {"n": key[2]}) for key in keys_of(set_name)])
    cluster.node_down(1)
    client.batch_read(keys_of(set_name), policy={"max_retries": 0})  # the pool breaks
    found = rows(verb(client, keys_of(set_name), {"max_retries": 0}))
    assert {row for row in found if row != (0, False)} == {(-10, False)}
    assert 0 < found.count((0, False)) < COUNT


def test_all_nodes_lost_is_an_error(cluster, many, set_name):
    cluster.fault("drop", classes="batch")
    with pytest.raises(AerospikeError) as caught:
        many.batch_read(keys_of(set_name), policy={"max_retries": 1})
    assert caught.value.code == -10


def test_an_answer_that_breaks_off_keeps_its_rows(cluster, many, set_name):
    padding = "x" * 2000
    many.batch_write([(key, {"p": padding}) for key in keys_of(set_name)])
    cluster.fault("cut", node=2, classes="batch", bytes=30_000)
    found = many.batch_read(keys_of(set_name), policy={"max_retries": 0})
    assert {row.result for row in found.batch_records} == {0, -10}
    for row in found.batch_records:
        assert (row.record is not None) == (row.result == 0)
    assert all(bins["p"] == padding for bins in found.to_dict().values())
    cluster.clear_faults()


@pytest.mark.parametrize("way", ["lazy", "dtype", "out"])
def test_arrays_show_which_rows_were_lost(cluster, many, set_name, way):
    np = pytest.importorskip("numpy")
    dtype = np.dtype([("n", "i4"), ("x", "f8")])
    keys = keys_of(set_name)
    many.batch_write([(key, {"n": key[2], "x": 0.5}) for key in keys])
    cluster.fault("drop", node=1, classes="batch")
    policy = {"max_retries": 0}
    if way == "lazy":
        found = many.batch_read(keys, policy=policy).to_numpy(dtype)
    elif way == "dtype":
        found = many.batch_read(keys, policy=policy, _dtype=dtype)
    else:
        found = many.batch_read(keys, ["n", "x"], policy, out=np.full(COUNT, 7, dtype))
    cluster.clear_faults()
    lost = found.result_codes == -10
    assert 0 < lost.sum() < COUNT
    assert (found.result_codes[~lost] == 0).all()
    assert found.batch_records["n"].tolist() == [
        0 if gone else n for n, gone in enumerate(lost.tolist())]
    assert found.batch_records["x"].tolist() == [0 if gone else 0.5 for gone in lost.tolist()]
    assert found.missing.tolist() == [[gone, gone] for gone in lost.tolist()]


def test_arrays_are_written_as_far_as_nodes_are_there(cluster, many, set_name):
    np = pytest.importorskip("numpy")
    data = np.zeros(COUNT, [("_key", "i8"), ("n", "i4")])
    data["_key"] = np.arange(COUNT)
    data["n"] = 1000 + np.arange(COUNT)
    cluster.fault("drop-after", node=1, classes="batch")
    found = rows(many.batch_write_numpy(data, "test", set_name, data.dtype,
                                        policy={"max_retries": 0}))
    cluster.clear_faults()
    assert set(found) == {(0, False), (-10, True)}
    done = many.batch_read(keys_of(set_name)).to_list()
    assert done == [{"n": 1000 + n} for n in range(COUNT)]  # those in doubt as well


# ---- a model ----


def test_batches_equal_a_model_while_nodes_go_and_come(cluster, many, set_name):
    """Random batches; what each row says is what happened to its record."""
    dice = random.Random(20)
    model: dict[int, int | None] = dict.fromkeys(range(COUNT))
    many.batch_remove(keys_of(set_name))
    policy = {"max_retries": 500, "sleep_between_retries": 5, "total_timeout": 30_000}
    stop, shakes = threading.Event(), []

    def shake():
        while not stop.wait(0.03):
            shakes.append(len(shakes) % 3)
            cluster.node_down(shakes[-1])
            stop.wait(0.05)
            cluster.node_up(shakes[-1])

    shaker = threading.Thread(target=shake)
    shaker.start()
    try:
        for turn in itertools.count():
            if len(shakes) > 12:
                break
            numbers = dice.sample(range(COUNT), dice.randrange(1, COUNT))
            keys = [("test", set_name, n) for n in numbers]
            if turn % 3 == 0:
                found = many.batch_write([(key, {"n": turn}) for key in keys], policy)
                assert {row.result for row in found.batch_records} == {0}
                model.update(dict.fromkeys(numbers, turn))
            elif turn % 3 == 1:
                found = many.batch_remove(keys[:20], policy)
                for n, row in zip(numbers, found.batch_records, strict=False):
                    # a row in doubt that was sent again may have been done before
                    assert row.result in ((2,) if model[n] is None else (0, 2)), (n, row)
                model.update(dict.fromkeys(numbers[:20]))
            values = many.batch_read(keys, policy=policy).to_list()
            assert values == [None if model[n] is None else {"n": model[n]} for n in numbers]
    finally:
        stop.set()
        shaker.join()
    assert turn > 12
