"""Several nodes, and what becomes of a query when they go down and up."""

from __future__ import annotations

import threading
import time

import pytest
from queries import error_of, numbers

import aerospike_py
from aerospike_py import LocalServer, exp, predicates
from aerospike_py.exception import AerospikeError

COUNT = 2000


@pytest.fixture(params=["query", "scan"])
def make(request):
    return lambda client, name: getattr(client, request.param)("test", name)


@pytest.fixture
def many(cluster, make_client):
    """A client of the cluster, and the numbers of the records in its set ``many``."""
    client = make_client(hosts=cluster.hosts, tend_interval=100)
    padding = b"x" * 1500
    for at in range(0, COUNT, 500):
        client.batch_write([(("test", "many", n), {"n": n, "p": padding})
                            for n in range(at, at + 500)])
    return client


def wait_for_nodes(client, count):
    by = time.monotonic() + 30
    while len(client.get_node_names()) != count:
        assert time.monotonic() < by
        time.sleep(0.02)


def test_all_nodes_together_have_everything(many, make):
    wait_for_nodes(many, 3)
    assert sorted(numbers(make(many, "many").results())) == list(range(COUNT))
    by_node = [numbers(many.scan("test", "many").results(nodename=name))
               for name in many.get_node_names()]
    assert sorted(n for found in by_node for n in found) == list(range(COUNT))
    assert all(by_node)


@pytest.mark.parametrize("most", [1, 2, 3, 100, 1000, COUNT, COUNT + 1])
def test_max_records_is_exact_over_nodes(many, make, most):
    found = numbers(make(many, "many").results({"max_records": most}))
    assert len(found) == len(set(found)) == min(most, COUNT)


@pytest.mark.parametrize("size", [7, 300, 1000])
def test_pages_over_nodes_have_every_record_once(many, make, size):
    found, cursor = [], None
    for at, page in enumerate(make(many, "many").pages(size)):
        found += numbers(page)
        cursor = page.cursor
        if size == 7 and at == 20:
            break
    rest = [] if cursor is None else make(many, "many").results({"partition_filter": cursor})
    assert sorted(found + numbers(rest)) == list(range(COUNT))


def test_one_node_at_a_time_is_enough(many, make):
    policy = {"max_concurrent_nodes": 1}
    assert sorted(numbers(make(many, "many").results(policy))) == list(range(COUNT))


@pytest.mark.parametrize("stop_at", [1, 500, 1500])
def test_a_node_that_goes_down_is_made_up_for(cluster, many, make, stop_at):
    wait_for_nodes(many, 3)
    found = []
    for record in make(many, "many").stream({"max_retries": 20}):
        found.append(record.bins["n"])
        if len(found) == stop_at:
            cluster.node_down(1)
    assert sorted(found) == list(range(COUNT))


def test_nodes_may_go_and_come_all_the_time(cluster, many, make):
    wait_for_nodes(many, 3)
    stop = threading.Event()

    def shake():
        node = 0
        while not stop.wait(0.15):
            cluster.node_down(node)
            if stop.wait(0.15):
                return
            cluster.node_up(node)
            node = (node + 1) % 3

    shaker = threading.Thread(target=shake)
    shaker.start()
    try:
        for _ in range(6):
            found = []
            for record in make(many, "many").stream(
                    {"max_retries": 50, "records_per_second": 3000}):
                found.append(record.bins["n"])
            assert sorted(found) == list(range(COUNT))
    finally:
        stop.set()
        shaker.join()


@pytest.mark.parametrize(("kind", "more"), [("cut", {"bytes": 200_000}), ("drop", {}),
                                            ("cut", {"bytes": 30}), ("drop-after", {})])
def test_broken_connections_are_made_up_for(cluster, many, make, kind, more):
    cluster.fault(kind, classes="query", times=2, **more)
    assert sorted(numbers(make(many, "many").results())) == list(range(COUNT))


def test_a_silent_node_is_asked_again(cluster, many, make):
    cluster.fault("stall", classes="query", bytes=100_000, times=1)
    began = time.monotonic()
    records = make(many, "many").results({"socket_timeout": 300})
    assert sorted(numbers(records)) == list(range(COUNT))
    assert 0.25 < time.monotonic() - began < 30


def test_nonsense_is_an_error(cluster, many, make):
    cluster.fault("garbage", classes="query", times=1)
    error = error_of(lambda: make(many, "many").results({"max_retries": 0}))
    assert error.node is None or error.node.startswith("BB9")


def test_what_arrived_stays_usable(cluster, many, make):
    cluster.fault("cut", classes="query", bytes=400_000, node=1)
    error = error_of(lambda: make(many, "many").results({"max_retries": 0}))
    assert isinstance(error, AerospikeError)
    found = numbers(error.partial)
    assert 0 < len(found) < COUNT
    assert len(set(found)) == len(found)
    query, found = make(many, "many"), []
    with pytest.raises(AerospikeError):
        query.foreach(lambda part, record: found.append(record.bins["n"]),
                      {"max_retries": 0, "partition_filter": {}})
    status = query.get_partitions_status()
    cluster.clear_faults()
    rest = make(many, "many").results({"partition_filter": {"partition_status": status}})
    assert sorted(found + numbers(rest)) == list(range(COUNT))


@pytest.mark.parametrize("code", [210, 15])
def test_an_aborted_query_is_an_error(cluster, many, make, code):
    cluster.fault("code", classes="query", code=code)
    assert error_of(make(many, "many").results).code == code


def test_a_node_that_is_not_ready_is_asked_again(cluster, many, make):
    cluster.fault("code", classes="query", code=11, times=2)  # partition unavailable
    assert sorted(numbers(make(many, "many").results())) == list(range(COUNT))


def test_retries_come_to_an_end(cluster, many, make):
    cluster.fault("drop", classes="query")
    began = time.monotonic()
    error = error_of(lambda: make(many, "many").results({"max_retries": 2}))
    assert error.code == -10
    assert time.monotonic() - began < 30


def test_a_total_timeout_ends_the_retries(cluster, many, make):
    cluster.fault("drop", classes="query")
    began = time.monotonic()
    with pytest.raises(AerospikeError):
        make(many, "many").results({"max_retries": 1000, "total_timeout": 700})
    assert time.monotonic() - began < 30


# ---- one to eight nodes ----

SUMS = """
function sum(stream)
    local function number(rec) return rec.n end
    return stream : map(number) : reduce(function(a, b) return a + b end)
end
function mark(rec, value) rec["mark"] = value aerospike:update(rec) end
"""


def index_and_scan(client):
    """What every way of reading the set ``same`` gives."""
    def bins(query, policy=None):
        return sorted(r.bins["n"] for r in query.results(policy))

    low = {"filter_expression": exp.lt(exp.int_bin("n"), exp.int_val(100))}
    around = predicates.geo_within_radius("g", 5.0, 0.0, 300_000.0)
    yield bins(client.scan("test", "same"))
    yield bins(client.query("test", "same"), low)
    yield bins(client.query("test", "same").where(predicates.between("n", 30, 77)))
    yield bins(client.query("test", "same").where(predicates.equals("s", "s3")))
    yield bins(client.query("test", "same").where(around))
    yield len(client.query("test", "same").results({"max_records": 55}))
    yield bins(client.query("test", "same"), {"partition_filter": {"begin": 100, "count": 900}})
    yield sorted(n for page in client.query("test", "same").pages(37) for n in numbers(page))
    yield client.query("test", "same").apply("same", "sum").results()


@pytest.mark.parametrize("nodes", [1, 2, 5, 8])
def test_results_are_the_same_whatever_the_number_of_nodes(make_client, nodes, tmp_path):
    (tmp_path / "same.lua").write_text(SUMS)
    with LocalServer(nodes=nodes) as server:
        client = make_client(hosts=server.hosts)
        assert len(client.get_node_names()) == nodes
        client.udf_put(str(tmp_path / "same.lua"))
        client.index_integer_create("test", "same", "n", "same_n")
        client.index_string_create("test", "same", "s", "same_s")
        client.index_geo2dsphere_create("test", "same", "g", "same_g")
        done = client.batch_write([(("test", "same", n), {
            "n": n, "s": f"s{n % 7}",
            "g": aerospike_py.GeoJSON({"type": "Point", "coordinates": [n / 10, 0.0]})})
            for n in range(300)])
        assert {row.result for row in done.batch_records} == {0}
        at_5 = [n for n in range(300) if abs(n / 10 - 5) * 111_195 <= 300_000]
        digests = [aerospike_py.calc_digest("test", "same", n) for n in range(300)]
        parts = [int.from_bytes(digest[:2], "little") % 4096 for digest in digests]
        everything = list(range(300))
        assert list(index_and_scan(client)) == [
            everything, everything[:100], everything[30:78], everything[3::7], at_5, 55,
            [n for n in everything if 100 <= parts[n] < 1000], everything, [sum(everything)]]
        client.scan_apply("test", "same", "same", "mark", [5])
        assert {r.bins["mark"] for r in client.scan("test", "same").results()} == {5}
        found = client.batch_read([("test", "same", n) for n in range(310)])
        assert [row.result for row in found.batch_records] == [0] * 300 + [2] * 10
        client.truncate("test", "same")
        by = time.monotonic() + 5
        while client.scan("test", "same").results():
            assert time.monotonic() < by
