"""Queries and scans of the strict face: shapes and errors are the official client's."""

from __future__ import annotations

import pytest
from queries import error_of, fill, numbers

from aerospike_py import official
from aerospike_py.helpers.expressions import Eq, IntBin
from aerospike_py.official import exception, predicates


@pytest.fixture
def some(strict, set_name):
    return fill(strict, set_name, 100)


@pytest.fixture(params=["query", "scan"])
def make(request, strict):
    return getattr(strict, request.param)


def test_records_are_plain_tuples(some, set_name, make):
    for key, meta, bins in make("test", set_name).results():
        assert type(key) is tuple
        assert key[:3] == ("test", set_name, None)
        assert isinstance(key[3], bytearray)
        assert len(key[3]) == 20
        assert list(meta) == ["ttl", "gen"] or set(meta) == {"ttl", "gen"}
        assert bins == some[bins["n"]]


def test_the_types_are_the_official_ones(strict, set_name):
    assert isinstance(strict.query("test", set_name), official.Query)
    assert isinstance(strict.scan("test", set_name), official.Scan)
    for kind in (official.Query, official.Scan):
        with pytest.raises(TypeError):
            kind("test", "demo")


def test_bad_arguments_have_the_official_texts(strict):
    for call, text in ((lambda: strict.query(), "query() expects atleast 1 parameter"),
                       (lambda: strict.query("a", "b", "c"), "query() expects atleast 1 parameter"),
                       (lambda: strict.query(1, "demo"), "Namespace should be a string"),
                       (lambda: strict.query("test", 1), "Set should be string, unicode or None"),
                       (lambda: strict.scan(), "Parameters are incorrect")):
        error = error_of(call)
        assert isinstance(error, exception.ParamError)
        assert error.msg == text


def test_select_may_be_called_once(strict, some, set_name):
    query = strict.query("test", set_name).select("n")
    assert all(list(bins) == ["n"] for _, _, bins in query.results())
    with pytest.raises(exception.ClientError):
        query.select("name")


def test_failures_of_callbacks_are_client_errors(some, set_name, make):
    for callback in (lambda record: 1 / 0, lambda: None, 5):
        error = error_of(lambda callback=callback: make("test", set_name).foreach(callback))
        assert type(error) is exception.ClientError
        assert error.code == -1
        assert error.msg == "Callback function contains an error"
        assert isinstance(error.__context__, (TypeError, ZeroDivisionError))


def test_callbacks_get_partitions_with_a_filter(some, set_name, make):
    seen = {}
    make("test", set_name).foreach(
        lambda part, record: seen.setdefault(part, []).append(record[2]["n"]),
        {"partition_filter": {"begin": 0, "count": 4096}})
    assert sorted(n for found in seen.values() for n in found) == sorted(some)
    strict = make("test", set_name)
    for part, found in seen.items():
        policy = {"partition_filter": {"begin": part, "count": 1}}
        assert sorted(numbers(strict.results(policy))) == sorted(found)
    with pytest.raises(exception.ClientError):
        make("test", set_name).foreach(lambda record: None, {"partition_filter": {}})


def test_a_closed_client_has_no_connection(make_strict, set_name):
    own = make_strict()
    query, scan = own.query("test", set_name), own.scan("test", set_name)
    own.close()
    for call in (lambda: own.query("test"), lambda: own.scan("test"), query.results, scan.results,
                 lambda: own.truncate("test", "x", 0), lambda: own.udf_list()):
        assert error_of(call).msg == "No connection to aerospike cluster"
    for call in (lambda: query.add_ops([]), lambda: query.apply("m", "f"), query.paginate,
                 lambda: scan.add_ops([]), lambda: scan.apply("m", "f"), scan.paginate):
        error = error_of(call)
        assert error.msg == "No connection to aerospike cluster."
        assert error.code == 11


@pytest.mark.parametrize("bad", ["", None, [], "bin", (), (1,), ("age", 1), (1, None, "bin"),
                                 (1, 1, "bin"), (2, 3, "bin", b"x"), (0, 4, 5, 1), (0, 4, "a", "b"),
                                 (1, 4, "a", 1), (0, 2, "a", "b"), (0, 4, "a", None)])
def test_malformed_predicates_are_refused(strict, set_name, bad):
    error = error_of(lambda: strict.query("test", set_name).where(bad))
    assert isinstance(error, exception.ParamError)


def test_where_may_be_called_once(strict, set_name):
    query = strict.query("test", set_name).where(predicates.equals("n", 1))
    with pytest.raises(exception.ParamError, match="Failed to add predicate"):
        query.where(predicates.equals("n", 2))


def test_old_arguments_of_where_are_refused(strict, set_name):
    with pytest.raises(TypeError):
        strict.query("test", set_name).where("n", "equals", 1)


def test_predicates_may_leave_the_bin_to_the_index():
    for name, *values in (("geo_within_radius", 3.0, 0, 1000.0), ("geo_contains_point", 1.0, 2.0),
                          ("geo_within_geojson_region", "{}"), ("equals", 5), ("between", 1, 2),
                          ("geo_contains_geojson_point", "{}")):
        assert getattr(predicates, name)(None, *values)[2] is None
    for bad in (5, b"bin", True, []):
        for name, *values in (("geo_within_radius", 3.0, 0, 1.0), ("geo_contains_point", 1.0, 2)):
            with pytest.raises(exception.ParamError, match="should be integer or double type"):
                getattr(predicates, name)(bad, *values)


def test_options_have_the_official_texts(some, set_name, make):
    for options, text in (([], "query options must be a dictionary"),
                          ({"nobins": "False"}, "nobins value must be a bool")):
        error = error_of(lambda options=options: make("test", set_name).foreach(
            print, {}, options))
        assert isinstance(error, exception.ParamError)
        assert text == error.msg
    seen = []
    make("test", set_name).foreach(seen.append, {}, {"nobins": True})
    assert [bins for _, _, bins in seen] == [{}] * len(some)
    with pytest.raises(TypeError, match="'callback'"):
        make("test", set_name).foreach()


def test_apply_on_many_checks_expressions(strict, some, set_name):
    bad = Eq(IntBin("n"), 1)  # not compiled
    with pytest.raises(exception.ParamError, match="compiled"):
        strict.query_apply("test", set_name, predicates.equals("n", 1), "m", "f", [],
                           {"expressions": bad})
    with pytest.raises(exception.ParamError, match="compiled"):
        strict.scan_apply("test", set_name, "m", "f", [], {"expressions": bad})
    refused = {"expressions": Eq(IntBin("n"), "text").compile()}
    with pytest.raises(exception.InvalidRequest):
        strict.scan_apply("test", set_name, "m", "f", [], refused)
    with pytest.raises(exception.NamespaceNotFound):
        strict.query_apply("nope", set_name, predicates.equals("n", 1), "m", "f")
    with pytest.raises(TypeError, match="at most 7 arguments"):
        strict.query_apply("test", set_name, predicates.equals("n", 1), "m", "f", [], {}, 1)


def test_predicates_need_arguments():
    for name in predicates.__all__:
        with pytest.raises(TypeError):
            getattr(predicates, name)()
