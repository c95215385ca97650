"""Jobs that servers do by themselves: functions and operations for each record."""

from __future__ import annotations

import time

import pytest
from queries import error_of, fill

import aerospike_py
from aerospike_py import exp, predicates
from aerospike_py.exception import (
    ClientError,
    IndexNotFound,
    InvalidRequest,
    NamespaceNotFound,
    ParamError,
)

MODULE = """
function mark(rec, bin, value) rec[bin] = value aerospike:update(rec) end
function fail(rec) error("went wrong") end
"""
INCR = {"op": aerospike_py.OPERATOR_INCR, "bin": "mod", "val": 100}
WRITE = {"op": aerospike_py.OPERATOR_WRITE, "bin": "new", "val": "x"}


def finish(client, job):
    """Wait until a job is done."""
    by = time.monotonic() + 40
    while client.job_info(job, aerospike_py.JOB_QUERY)["status"] != 2:
        assert time.monotonic() < by
        time.sleep(0.01)
    return client.job_info(job, aerospike_py.JOB_QUERY)


def bins(client, set_name):
    return {r.bins["n"]: r.bins for r in client.query("test", set_name).results()}


@pytest.fixture
def module(client, tmp_path, set_name):
    path = tmp_path / f"{set_name}.lua"
    path.write_text(MODULE)
    client.udf_put(str(path))
    yield set_name
    client.udf_remove(set_name)


# ---- operations ----


def test_operations_reach_each_record(client, people, set_name, make):
    query = make(client, "test", set_name).add_ops([INCR, WRITE])
    job = query.execute_background()
    assert isinstance(job, int)
    info = finish(client, job)
    assert info["progress_pct"] == 100
    assert info["records_read"] == len(people)
    for n, found in bins(client, set_name).items():
        assert found == {**people[n], "mod": people[n]["mod"] + 100, "new": "x"}


def test_a_filter_chooses_records(client, people, set_name, make):
    policy = {"filter_expression": exp.lt(exp.int_bin("n"), exp.int_val(50))}
    finish(client, make(client, "test", set_name).add_ops([WRITE]).execute_background(policy))
    assert sorted(n for n, b in bins(client, set_name).items() if "new" in b) == list(range(50))


def test_an_index_chooses_records(client, index, people, set_name):
    index("index_integer_create", set_name, "n", name=f"{set_name}_n")
    query = client.query("test", set_name).where(predicates.between("n", 100, 149))
    finish(client, query.add_ops([WRITE]).execute_background())
    assert sorted(n for n, b in bins(client, set_name).items() if "new" in b) == list(
        range(100, 150))


def test_a_job_has_a_number_of_its_own(client, set_name):
    found = {client.query("test", set_name).add_ops([WRITE]).execute_background()
             for _ in range(10)}
    assert len(found) == 10


@pytest.mark.needs_ttl
def test_a_time_to_live_is_set(client, people, set_name, make):
    query = make(client, "test", set_name).add_ops([WRITE])
    query.ttl = 5000
    finish(client, query.execute_background())
    assert {r.meta.ttl > 4900 for r in client.query("test", set_name).results()} == {True}


def test_without_work_nothing_is_started(client, set_name, make):
    with pytest.raises(ParamError, match="function or ops"):
        make(client, "test", set_name).execute_background()
    for policy in ("policy", 5, []):
        with pytest.raises(ParamError):
            make(client, "test", set_name).add_ops([WRITE]).execute_background(policy)
    with pytest.raises(ParamError):
        make(client, "test", set_name).add_ops([{"op": 999}]).execute_background()


def test_an_unknown_namespace_has_no_jobs(client, make):
    with pytest.raises(NamespaceNotFound):
        make(client, "nope", "demo").add_ops([WRITE]).execute_background()


def test_a_job_without_its_index_is_refused(client, people, set_name):
    query = client.query("test", set_name).where(predicates.equals("n", 1))
    with pytest.raises(IndexNotFound):
        query.add_ops([WRITE]).execute_background()


def test_reads_are_no_work(client, people, set_name):
    query = client.query("test", set_name)
    query.add_ops([{"op": aerospike_py.OPERATOR_READ, "bin": "n"}])
    with pytest.raises(InvalidRequest):
        query.execute_background()


# ---- functions ----


def test_a_function_reaches_each_record(client, module, people, set_name, make):
    query = make(client, "test", set_name).apply(module, "mark", ["seen", [1, {"a": b"x"}]])
    finish(client, query.execute_background())
    assert {str(b["seen"]) for b in bins(client, set_name).values()} == {str([1, {"a": b"x"}])}


def test_scan_apply_waits_for_its_end(client, module, people, set_name):
    job = client.scan_apply("test", set_name, module, "mark", ["seen", 7])
    assert isinstance(job, int)
    assert {b["seen"] for b in bins(client, set_name).values()} == {7}
    assert client.job_info(job, aerospike_py.JOB_SCAN)["status"] == (
        aerospike_py.JOB_STATUS_COMPLETED)


def test_query_apply_waits_for_its_end(client, index, module, people, set_name):
    index("index_integer_create", set_name, "n", name=f"{set_name}_n")
    for at, predicate in enumerate([predicates.between("n", 10, 19), (1, 4, "n", 10, 19)]):
        job = client.query_apply("test", set_name, predicate, module, "mark", ["seen", at])
        assert isinstance(job, int)
        found = {n: b.get("seen") for n, b in bins(client, set_name).items()}
        assert {n for n, seen in found.items() if seen == at} == set(range(10, 20))


def test_failures_of_records_do_not_fail_the_job(client, module, people, set_name):
    for function in ("fail", "unknown"):
        assert client.scan_apply("test", set_name, module, function)
    assert client.scan_apply("test", set_name, "unknown", "function")
    assert bins(client, set_name) == people


def test_arguments_of_functions_are_checked(client, set_name, make):
    query = make(client, "test", set_name)
    for module, function in ((5, "f"), (None, "f"), ("m", 5), ("m", None)):
        with pytest.raises(ClientError):
            query.apply(module, function)
    for arguments in ("text", 5, (), {}):
        with pytest.raises(ClientError, match="enclosed in a list"):
            query.apply("m", "f", arguments)


def test_the_strict_face_names_bad_arguments(strict, set_name):
    for arguments in ([{1, 2}], [(1,)], [[{"a": object()}]]):
        for query in (strict.query("test", set_name), strict.scan("test", set_name)):
            error = error_of(lambda query=query, arguments=arguments: query.apply(
                "m", "f", arguments))
            assert error.msg == "udf function argument type must be supported by Aerospike"
            assert error.code == -1


def test_arguments_of_scan_apply_are_checked(client, set_name):
    for args in ((None, set_name, "m", "f"), (5, set_name, "m", "f")):
        with pytest.raises(TypeError):
            client.scan_apply(*args)
    for args in (("test", 5, "m", "f"), ("test", set_name, None, "f"), ("test", set_name, 5, "f"),
                 ("test", set_name, "m", None), ("test", set_name, "m", "f", ""),
                 ("test", set_name, "m", "f", [], {}, {"concurrent": 5}),
                 ("test", set_name, "m", "f", [], "policy")):
        with pytest.raises(ParamError):
            client.scan_apply(*args)
    with pytest.raises(TypeError, match="at most 7 arguments"):
        client.scan_apply("test", set_name, "m", "f", [], {}, {}, 1)
    with pytest.raises(TypeError):
        client.scan_apply("test", set_name, "m", "f", block=True)


def test_arguments_of_query_apply_are_checked(client, set_name):
    good = predicates.equals("n", 1)
    with pytest.raises(TypeError):
        client.query_apply(None, set_name, good, "m", "f")
    for args in (("test", 5, good, "m", "f"), ("test", set_name, good, None, "f"),
                 ("test", set_name, good, "m", None), ("test", set_name, good, "m", "f", ""),
                 *(("test", set_name, bad, "m", "f") for bad in (
                     (), None, "age", ("age", 1), (None, 1, "bin"), (1, None, "bin")))):
        with pytest.raises(ParamError):
            client.query_apply(*args)


def test_apply_in_an_unknown_namespace_is_refused(client):
    with pytest.raises(NamespaceNotFound):
        client.scan_apply("nope", "s", "m", "f")


# ---- job_info ----


def test_an_unknown_job_has_ended(client):
    for job in (1, 2**64 - 1):
        assert client.job_info(job, aerospike_py.JOB_QUERY) == {
            "progress_pct": 0, "records_read": 0, "status": aerospike_py.JOB_STATUS_COMPLETED}


def test_arguments_of_job_info_are_checked(client):
    for args in (("1", "query"), (None, "query"), (1, None), (1, 1.5), (1, {}), (1, 0)):
        with pytest.raises(TypeError):
            client.job_info(*args)
    with pytest.raises(ParamError, match="JOB_SCAN"):
        client.job_info(1, "other")


def test_a_job_is_done_in_time(client, set_name):
    fill(client, set_name, 100)
    began = time.monotonic()
    finish(client, client.scan("test", set_name).add_ops([WRITE]).execute_background())
    assert time.monotonic() - began < 20
