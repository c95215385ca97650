"""Queries as Arrow streams, with the libraries that take them."""

from __future__ import annotations

import gc
import threading

import pytest

from aerospike_py import exp
from aerospike_py.exception import IndexNotFound, NotConnected, ParamError
from aerospike_py.predicates import equals

pa = pytest.importorskip("pyarrow")


def test_every_record_is_a_row(client, people, set_name, make):
    table = pa.table(make(client, "test", set_name).arrow())
    table.validate(full=True)
    assert table.schema.names[:5] == ["_key", "_digest", "_result", "_generation", "_ttl"]
    rows = {row["n"]: row for row in table.select(["n", "mod", "name"]).to_pylist()}
    assert rows == people
    assert set(table["_result"].to_pylist()) == {0}
    assert set(table["_generation"].to_pylist()) == {1}
    digests = {r.bins["n"]: r.key.digest for r in client.query("test", set_name).results()}
    assert dict(zip(table["n"].to_pylist(), table["_digest"].to_pylist(), strict=True)) == digests


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_stream_comes_in_batches(client, people, set_name, make):
    reader = pa.RecordBatchReader.from_stream(make(client, "test", set_name).arrow(batch_size=250))
    batches = list(reader)
    assert [batch.num_rows for batch in batches] == [250, 250, 100]
    assert sorted(n for batch in batches for n in batch["n"].to_pylist()) == sorted(people)


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_stream_can_be_read_again_and_left(client, people, set_name, make):
    records = make(client, "test", set_name).arrow(batch_size=100)
    for _ in range(2):
        reader = pa.RecordBatchReader.from_stream(records)
        assert reader.read_next_batch().num_rows == 100
        del reader
        gc.collect()
    assert pa.table(records).num_rows == len(people)
    assert sum(node.conns.in_use for node in client.get_stats().nodes) == 0
    records.__arrow_c_stream__()  # never read


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_query_and_its_stream_are_columns(client, people, set_name, make):
    query = make(client, "test", set_name)
    stream = query.stream({"filter_expression": exp.lt(exp.int_bin("n"), exp.int_val(50))})
    for records, count in ((query, len(people)), (stream, 50)):
        table = pa.table(records)
        assert sorted(table["n"].to_pylist()) == list(range(count))
    with pytest.raises(ValueError, match="read already"):
        pa.table(stream)
    assert list(stream) == []
    begun = iter(query)
    next(begun)
    with pytest.raises(ValueError, match="read already"):
        pa.table(begun)
    assert len(list(begun)) == len(people) - 1


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_query_of_values_has_no_columns(client, set_name):
    with pytest.raises(ParamError, match="no columns"):
        pa.table(client.query("test", set_name).apply("m", "f"))


def test_what_cannot_wait_is_no_stream(aclient, set_name):
    for each in (aclient.query("test", set_name), aclient.scan("test", set_name),
                 aclient.query("test", set_name).stream()):
        assert not hasattr(each, "__arrow_c_stream__")


@pytest.mark.parametrize("kind", ["async"], indirect=True)
def test_what_was_fetched_is_taken_once(client, people, set_name):
    records = client.query("test", set_name).arrow()
    assert pa.table(records).num_rows == len(people)
    with pytest.raises(ValueError, match="taken already"):
        pa.table(records)


def test_policies_and_options_count(client, people, set_name, make):
    policy = {"filter_expression": exp.lt(exp.int_bin("n"), exp.int_val(50)), "max_records": 20}
    table = pa.table(make(client, "test", set_name).select("n").arrow(policy))
    assert table.num_rows == 20
    assert table.schema.names[5:] == ["n"]
    assert all(n < 50 for n in table["n"].to_pylist())
    table = pa.table(make(client, "test", set_name).arrow(options={"nobins": True}))
    assert table.num_rows == len(people)
    assert len(table.schema.names) == 5


def test_no_record_is_a_table_without_rows(client, set_name, make):
    table = pa.table(make(client, "test", set_name).arrow())
    assert table.num_rows == 0
    assert table.schema.names == ["_key", "_digest", "_result", "_generation", "_ttl"]


def test_bins_that_some_records_lack_are_null(client, set_name):
    client.put(("test", set_name, 1), {"n": 1, "x": [1.5]})
    client.put(("test", set_name, 2), {"n": 2, "y": {"a": b"b"}}, policy={"key": 1})
    rows = sorted(pa.table(client.query("test", set_name).arrow()).to_pylist(),
                  key=lambda row: row["n"])
    assert [row["x"] for row in rows] == [[1.5], None]
    assert [row["y"] for row in rows] == [None, [("a", b"b")]]
    assert [row["_key"] for row in rows] == [None, 2]


def test_values_of_several_types_are_refused(client, set_name, kind):
    client.put(("test", set_name, 1), {"n": 1})
    client.put(("test", set_name, 2), {"n": "text"})
    with pytest.raises(TypeError if kind == "async" else OSError, match="n"):
        pa.table(client.query("test", set_name).arrow())


@pytest.fixture
def uneven(client, set_name):
    """Each record has two bins; those of one have other types than those of the other half."""
    for n in range(40):
        bins = {"even": n, "m": {"k": 1.5}} if n % 2 == 0 else {"odd": n / 2, "l": [n, 2]}
        client.put(("test", set_name, n), {"n": n, **bins})


SCHEMA = pa.schema([("odd", pa.float32()), ("n", pa.int16()), ("_generation", pa.uint32()),
                    ("even", pa.int64()), ("never", pa.string()), ("l", pa.list_(pa.int64())),
                    ("m", pa.map_(pa.string(), pa.float64()))])


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_schema_chooses_columns_and_types(client, uneven, set_name, make):
    query = make(client, "test", set_name)
    for records in (query, query.stream(), query.arrow(batch_size=1)):
        table = pa.table(records, schema=SCHEMA)
        table.validate(full=True)
        assert table.schema == SCHEMA
        rows = sorted(table.to_pylist(), key=lambda row: row["n"])
        assert rows == [{
            "n": n, "_generation": 1, "never": None, "even": None if n % 2 else n,
            "odd": n / 2 if n % 2 else None, "l": [n, 2] if n % 2 else None,
            "m": None if n % 2 else [("k", 1.5)]} for n in range(40)]
    reader = pa.RecordBatchReader.from_stream(query.arrow(batch_size=1), schema=pa.schema(
        [("even", pa.int64()), ("_key", pa.int64()), ("_digest", pa.binary())]))
    assert reader.schema.names == ["even", "_key", "_digest"]
    assert len(list(reader)) == 40


def test_a_schema_may_be_an_argument(client, uneven, set_name, make):
    query = make(client, "test", set_name)
    table = pa.table(query.arrow(schema=SCHEMA))
    assert table.schema.names == SCHEMA.names
    assert sorted(table["n"].to_pylist()) == list(range(40))
    assert table.cast(SCHEMA)["odd"].null_count == 20
    with pytest.raises(TypeError, match="schema must be an Arrow schema, not int"):
        pa.table(query.arrow(schema=5))
    with pytest.raises(ValueError, match="too long"):
        pa.table(query.arrow(schema=pa.schema([("b" * 16, pa.int64())])))


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_schema_that_does_not_fit_is_an_error(client, uneven, set_name):
    query = client.query("test", set_name)
    with pytest.raises(OSError, match="'n' holds both text and int"):
        pa.table(query, schema=pa.schema([("n", pa.string())]))
    with pytest.raises(OSError, match="'odd' holds both int and float"):
        pa.table(query, schema=pa.schema([("odd", pa.int64())]))
    with pytest.raises(ValueError, match="too long for the name of a bin"):
        pa.table(query, schema=pa.schema([("b" * 16, pa.int64())]))
    with pytest.raises(ValueError, match="capsule|Capsule"):
        query.__arrow_c_stream__(5)
    for arguments in ((1, 2), {"schema": None}):
        with pytest.raises(TypeError, match="requested_schema"):
            if isinstance(arguments, dict):
                query.__arrow_c_stream__(**arguments)
            else:
                query.__arrow_c_stream__(*arguments)
    names = pa.RecordBatchReader.from_stream(query.arrow(batch_size=1)).schema.names
    later = "odd" if "even" in names else "even"
    with pytest.raises(OSError, match="first value, (int|float), behind the first batch"):
        pa.table(query.arrow(batch_size=1), schema=pa.schema([(later, pa.null())]))


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_bin_that_comes_late_is_an_error(client, people, set_name):
    client.put(("test", set_name, 600), {"n": 600, "late": 1})
    reader = pa.RecordBatchReader.from_stream(client.query("test", set_name).arrow(batch_size=1))
    names = reader.schema.names
    if "late" in names:
        pytest.skip("it was the first")
    with pytest.raises(OSError, match="late"):
        reader.read_all()


def test_errors_of_queries_come_out(client, people, set_name, kind):
    query = client.query("test", set_name).where(equals("n", 1))
    with pytest.raises(IndexNotFound if kind == "async" else OSError, match="index"):
        pa.table(query.arrow())


def test_arguments_are_checked(client, set_name):
    query = client.query("test", set_name)
    for size in (0, -1, "5", 1.5):
        with pytest.raises(ParamError, match="batch_size"):
            query.arrow(batch_size=size)
    with pytest.raises(ParamError, match="policy"):
        pa.table(query.arrow("policy"))
    with pytest.raises(ParamError, match="no columns"):
        client.query("test", set_name).apply("m", "f").arrow()


def test_a_closed_client_has_no_columns(make_client, set_name):
    own = make_client()
    query = own.query("test", set_name)
    own.close()
    with pytest.raises(NotConnected):
        pa.table(query.arrow())


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_other_threads_run_while_a_stream_waits(client, people, set_name):
    ticks, stop = [0], threading.Event()

    def tick():
        while not stop.wait(0.001):
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        policy = {"records_per_second": 1000}
        assert pa.table(client.query("test", set_name).arrow(policy)).num_rows == len(people)
    finally:
        stop.set()
        thread.join()
    assert ticks[0] > 20


def test_polars_takes_them(client, people, set_name, make):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(make(client, "test", set_name).arrow())
    assert frame.height == len(people)
    assert frame["n"].sum() == sum(people)


def test_pandas_takes_them(client, people, set_name, make):
    pytest.importorskip("pandas")
    frame = pa.table(make(client, "test", set_name).arrow()).to_pandas()
    assert frame.set_index("n")["name"].to_dict() == {n: p["name"] for n, p in people.items()}


@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_duckdb_takes_them(client, people, set_name, make):
    duckdb = pytest.importorskip("duckdb")
    records = make(client, "test", set_name)
    with duckdb.connect() as base:
        base.register("records", records)
        found = base.sql("select mod, count(*) from records group by mod order by mod").fetchall()
    assert found == [(n, 60) for n in range(10)]


def test_a_cluster_is_one_table(cluster, make_client):
    own = make_client(hosts=cluster.hosts)
    own.batch_write([(("test", "columns", n), {"n": n}) for n in range(1000)])
    table = pa.table(own.query("test", "columns").arrow())
    assert sorted(table["n"].to_pylist()) == list(range(1000))


def test_the_strict_face_has_them_too(strict, people, set_name):
    assert pa.table(strict.scan("test", set_name)).num_rows == len(people)
    table = pa.table(strict.query("test", set_name).arrow())
    assert sorted(table["n"].to_pylist()) == sorted(people)
