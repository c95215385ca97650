"""What predicates find, by every kind of index."""

from __future__ import annotations

import json

import pytest
from queries import error_of, numbers

import aerospike_py
from aerospike_py import exp, predicates
from aerospike_py.exception import (
    IndexNotFound,
    InvalidRequest,
    NamespaceNotFound,
    ParamError,
)
from aerospike_py.helpers import cdt_ctx
from aerospike_py.helpers.expressions import base as exps
from aerospike_py.official import predicates as official_predicates

LIST, KEYS, VALUES = (aerospike_py.INDEX_TYPE_LIST, aerospike_py.INDEX_TYPE_MAPKEYS,
                      aerospike_py.INDEX_TYPE_MAPVALUES)
NUMERIC, STRING, BLOB, GEO = (aerospike_py.INDEX_NUMERIC, aerospike_py.INDEX_STRING,
                              aerospike_py.INDEX_BLOB, aerospike_py.INDEX_GEO2DSPHERE)


def found(query, **options):
    return sorted(numbers(query.results(**options)))


# ---- single values ----


@pytest.fixture
def by_number(index, set_name, people):
    return index("index_single_value_create", set_name, "n", NUMERIC, name=f"{set_name}_n")


@pytest.mark.parametrize(("predicate", "wanted"), [
    (predicates.equals("n", 17), [17]),
    (predicates.equals("n", 5000), []),
    (predicates.between("n", 10, 20), list(range(10, 21))),
    (predicates.between("n", -5, 3), list(range(4))),
    (predicates.between("n", 595, 10**18), list(range(595, 600))),
    (official_predicates.equals("n", 17), [17]),
    (official_predicates.between("n", 10, 12), [10, 11, 12]),
    ((1, 1, "n", 10, 12), [10, 11, 12]),  # older tuples have another number for integers
])
def test_numbers_are_found(client, by_number, set_name, predicate, wanted):
    assert found(client.query("test", set_name).where(predicate)) == wanted


def test_every_way_reads_what_the_index_finds(client, by_number, set_name, read):
    records = read(client.query("test", set_name).where(predicates.between("n", 100, 399)))
    assert sorted(numbers(records)) == list(range(100, 400))


def test_texts_are_found(client, index, set_name, people):
    index("index_string_create", set_name, "name", name=f"{set_name}_s")
    for predicate in (predicates.equals("name", "name-5"),
                      official_predicates.equals("name", "name-5")):
        assert found(client.query("test", set_name).where(predicate)) == [5]
    assert found(client.query("test", set_name).where(predicates.equals("name", "no"))) == []


def test_blobs_are_found(client, index, set_name):
    for n in range(20):
        client.put(("test", set_name, n), {"n": n, "b": bytes([n % 5])})
    index("index_blob_create", set_name, "b", name=f"{set_name}_b")
    for value in (b"\3", bytearray(b"\3")):
        for made in (predicates, official_predicates):
            query = client.query("test", set_name).where(made.equals("b", value))
            assert found(query) == [3, 8, 13, 18]


def test_ends_of_a_range_the_wrong_way_are_refused(client, by_number, set_name):
    with pytest.raises(InvalidRequest):
        client.query("test", set_name).where(predicates.between("n", 5, 1)).results()


def test_an_index_finds_what_is_written_later(client, by_number, set_name):
    client.put(("test", set_name, 7), {"n": 70_000})
    client.remove(("test", set_name, 8))
    query = client.query("test", set_name)
    assert found(query.where(predicates.between("n", 6, 9))) == [6, 9]
    assert found(client.query("test", set_name).where(predicates.equals("n", 70_000))) == [70_000]


def test_an_index_works_with_everything_else(client, by_number, set_name):
    query = client.query("test", set_name).where(predicates.between("n", 100, 299)).select("n")
    odd = {"filter_expression": exp.eq(exp.int_bin("mod"), exp.int_val(3))}
    records = query.results(odd)
    assert sorted(numbers(records)) == list(range(103, 300, 10))
    assert all(set(r.bins) == {"n"} for r in records)
    assert len(query.results({"max_records": 7})) == 7
    assert len(query.results(options={"nobins": True})) == 200


def test_an_index_is_read_in_pages(client, by_number, set_name):
    query = client.query("test", set_name).where(predicates.between("n", 100, 299))
    pages = [numbers(page) for page in query.pages(30)]
    assert sorted(n for page in pages for n in page) == list(range(100, 300))
    query.paginate()
    seen = []
    while not query.is_done():
        page = query.results({"max_records": 45})
        seen += numbers(page)
    assert sorted(seen) == list(range(100, 300))


def test_a_status_of_an_index_resumes(client, by_number, set_name):
    query = client.query("test", set_name).where(predicates.between("n", 0, 499))
    first = numbers(query.results({"max_records": 123, "partition_filter": {}}))
    status = query.get_partitions_status()
    again = client.query("test", set_name).where(predicates.between("n", 0, 499))
    rest = numbers(again.results({"partition_filter": {"partition_status": status}}))
    assert sorted(first + rest) == list(range(500))


# ---- lists and maps ----


@pytest.fixture
def nested(client, set_name):
    for n in range(30):
        client.put(("test", set_name, n), {
            "n": n, "l": [n, n + 1, f"t{n % 3}", bytes([n % 4])],
            "m": {f"k{n % 5}": n, "same": 1, bytes([n % 4]): f"v{n % 3}"},
            "deep": {"in": [n % 7, {"x": n % 6}]}})


@pytest.mark.parametrize(("method", "type_", "datatype", "bin_", "predicate", "wanted"), [
    ("index_list_create", LIST, NUMERIC, "l", ("contains", 5), [4, 5]),
    ("index_list_create", LIST, NUMERIC, "l", ("range", 5, 7), [4, 5, 6, 7]),
    ("index_list_create", LIST, STRING, "l", ("contains", "t1"), list(range(1, 30, 3))),
    ("index_list_create", LIST, BLOB, "l", ("contains", b"\2"), list(range(2, 30, 4))),
    ("index_map_keys_create", KEYS, STRING, "m", ("contains", "k2"), list(range(2, 30, 5))),
    ("index_map_keys_create", KEYS, BLOB, "m", ("contains", b"\1"), list(range(1, 30, 4))),
    ("index_map_values_create", VALUES, NUMERIC, "m", ("range", 20, 22), [20, 21, 22]),
    ("index_map_values_create", VALUES, STRING, "m", ("contains", "v0"), list(range(0, 30, 3))),
])
def test_values_inside_are_found(client, index, nested, set_name, method, type_, datatype, bin_,
                                 predicate, wanted):
    index(method, set_name, bin_, datatype, name=f"{set_name}_c")
    kind, *values = predicate
    for made in (predicates, official_predicates):
        query = client.query("test", set_name).where(getattr(made, kind)(bin_, type_, *values))
        assert found(query) == wanted


def test_a_context_leads_inside(client, index, nested, set_name):
    ctx = [cdt_ctx.cdt_ctx_map_key("in"), cdt_ctx.cdt_ctx_list_index(0)]
    index("index_single_value_create", set_name, "deep", NUMERIC, name=f"{set_name}_x", ctx=ctx)
    query = client.query("test", set_name)
    assert found(query.where(predicates.equals("deep", 3), ctx)) == list(range(3, 30, 7))
    with pytest.raises(IndexNotFound):
        client.query("test", set_name).where(predicates.equals("deep", 3)).results()


@pytest.mark.parametrize("steps", [
    ["cdt_ctx_map_key:in", "cdt_ctx_list_index:1"], ["cdt_ctx_map_rank:0", "cdt_ctx_list_rank:-1"],
    ["cdt_ctx_map_index:0", "cdt_ctx_list_index:-1"]])
def test_every_context_is_indexed(client, index, nested, set_name, steps):
    ctx = []
    for step in steps:
        name, _, value = step.partition(":")
        ctx.append(getattr(cdt_ctx, name)(value if value == "in" else int(value)))
    assert index("index_cdt_create", set_name, "deep", VALUES, NUMERIC, name=f"{set_name}_y",
                 ctx=ctx)
    query = client.query("test", set_name)
    query.where(predicates.contains("deep", VALUES, 4), ctx)
    assert found(query) == list(range(4, 30, 6))


# ---- shapes ----


@pytest.fixture
def places(client, index, set_name):
    for n in range(20):
        client.put(("test", set_name, n), {
            "n": n, "point": aerospike_py.GeoJSON({"type": "Point", "coordinates": [n * 1.0, 0.0]}),
            "area": aerospike_py.GeoJSON({"type": "AeroCircle",
                                          "coordinates": [[n * 1.0, 0.0], 60_000.0]})})
    index("index_geo2dsphere_create", set_name, "point", name=f"{set_name}_p")
    index("index_geo2dsphere_create", set_name, "area", name=f"{set_name}_a")


SQUARE = {"type": "Polygon",
          "coordinates": [[[2.5, -1.0], [5.5, -1.0], [5.5, 1.0], [2.5, 1.0], [2.5, -1.0]]]}


@pytest.mark.parametrize("made", [predicates, official_predicates])
def test_points_are_found_within_shapes(client, places, set_name, made):
    query = client.query("test", set_name)
    assert found(query.where(made.geo_within_geojson_region("point", json.dumps(SQUARE)))) == [
        3, 4, 5]
    query = client.query("test", set_name)
    assert found(query.where(made.geo_within_radius("point", 7.0, 0.0, 112_000.0))) == [6, 7, 8]


@pytest.mark.parametrize("made", [predicates, official_predicates])
def test_shapes_are_found_around_points(client, places, set_name, made):
    query = client.query("test", set_name)
    assert found(query.where(made.geo_contains_point("area", 4.5, 0.0))) == [4, 5]
    query = client.query("test", set_name)
    point = json.dumps({"type": "Point", "coordinates": [9.0, 0.1]})
    assert found(query.where(made.geo_contains_geojson_point("area", point))) == [9]


def test_a_geojson_object_is_a_shape(client, places, set_name):
    shape = aerospike_py.GeoJSON(SQUARE)
    query = client.query("test", set_name)
    assert found(query.where(predicates.geo_within_geojson_region("point", shape))) == [3, 4, 5]


def test_points_in_lists_are_found(client, index, set_name):
    for n in range(10):
        client.put(("test", set_name, n), {"n": n, "l": [aerospike_py.GeoJSON(
            {"type": "Point", "coordinates": [float(x), 1.0]}) for x in (n, n + 50)]})
    index("index_list_create", set_name, "l", GEO, name=f"{set_name}_g")
    for made in (predicates, official_predicates):
        query = client.query("test", set_name)
        query.where(made.geo_within_radius("l", 53.0, 1.0, 50_000.0, LIST))
        assert found(query) == [3]


# ---- indexes by name and by expression ----


def test_an_index_is_used_by_its_name(client, by_number, set_name):
    for predicate in (predicates.between(None, 5, 7), official_predicates.between(None, 5, 7),
                      predicates.between("other", 5, 7)):
        query = client.query("test", set_name).where_with_index_name(by_number, predicate)
        assert found(query) == [5, 6, 7]
    with pytest.raises(IndexNotFound):
        client.query("test", set_name).where_with_index_name(
            "nope", predicates.equals(None, 5)).results()


def test_an_expression_is_an_index(client, index, set_name, people):
    compiled = exps.IntBin("mod").compile()
    index("index_expr_create", set_name, aerospike_py.INDEX_TYPE_DEFAULT, NUMERIC, compiled,
          name=f"{set_name}_e")
    text = client.get_expression_base64(compiled)
    for spelling in (compiled, exp.int_bin("mod"), text):
        query = client.query("test", set_name)
        query.where_with_expr(spelling, predicates.equals(None, 4))
        assert found(query) == list(range(4, 600, 10))


def test_texts_of_expressions_are_found(client, index, set_name, people):
    index("index_expr_create", set_name, aerospike_py.INDEX_TYPE_DEFAULT, STRING,
          exp.string_bin("name"), name=f"{set_name}_f")
    query = client.query("test", set_name)
    query.where_with_expr(exp.string_bin("name"), predicates.equals(None, "name-9"))
    assert found(query) == [9]


@pytest.mark.parametrize("made", [predicates, official_predicates])
@pytest.mark.parametrize(("expression", "where", "datatype", "predicate", "wanted"), [
    (exps.BlobBin("b"), aerospike_py.INDEX_TYPE_DEFAULT, BLOB, ("equals", b"\3"), [3, 8]),
    (exps.GeoBin("g"), aerospike_py.INDEX_TYPE_DEFAULT, GEO,
     ("geo_within_radius", 4.0, 0.0, 1000.0), [4]),
    (exps.ListBin("l"), LIST, NUMERIC, ("contains", LIST, 5), [4, 5]),
    (exps.ListBin("l"), LIST, NUMERIC, ("range", LIST, 2, 3), [1, 2, 3]),
    (exps.MapBin("m"), KEYS, STRING, ("contains", KEYS, "k1"), [1, 4, 7]),
    (exps.MapBin("m"), VALUES, NUMERIC, ("contains", VALUES, 6), [6]),
    (exps.MapBin("mb"), VALUES, BLOB, ("contains", VALUES, bytearray(b"\1")), [1, 5, 9]),
])
def test_expressions_of_every_kind_are_indexes(client, index, set_name, made, expression, where,
                                               datatype, predicate, wanted):
    for n in range(10):
        client.put(("test", set_name, n), {
            "n": n, "b": bytes([n % 5]), "l": [n, n + 1], "m": {f"k{n % 3}": n},
            "mb": {"x": bytes([n % 4])},
            "g": aerospike_py.GeoJSON({"type": "Point", "coordinates": [float(n), 0.0]})})
    name = index("index_expr_create", set_name, where, datatype, expression.compile(),
                 name=f"{set_name}_k")
    kind, *values = predicate
    chosen = getattr(made, kind)(None, *values)
    query = client.query("test", set_name).where_with_expr(expression.compile(), chosen)
    assert found(query) == wanted
    query = client.query("test", set_name).where_with_index_name(name, chosen)
    assert found(query) == wanted


@pytest.mark.parametrize("made", [predicates, official_predicates])
def test_blobs_in_maps_are_found(client, index, set_name, made):
    for n in range(12):
        client.put(("test", set_name, n), {"n": n, "m": {bytes([n % 3]): bytes([n % 4])}})
    index("index_map_values_create", set_name, "m", BLOB, name=f"{set_name}_v")
    index("index_map_keys_create", set_name, "m", BLOB, name=f"{set_name}_k")
    query = client.query("test", set_name).where(made.contains("m", VALUES, b"\2"))
    assert found(query) == [2, 6, 10]
    query = client.query("test", set_name).where(made.contains("m", KEYS, bytearray(b"\2")))
    assert found(query) == [2, 5, 8, 11]


# ---- what is refused ----


def test_an_unknown_namespace_has_no_index(client, set_name):
    with pytest.raises(NamespaceNotFound):
        client.query("nope", set_name).where(predicates.equals("n", 1)).results()


def test_without_an_index_nothing_is_found(client, people, set_name, read):
    with pytest.raises(IndexNotFound) as caught:
        read(client.query("test", set_name).where(predicates.equals("n", 5)))
    assert caught.value.code == 201


@pytest.mark.parametrize(("bad", "text"), [
    ("n", "predicate must be a tuple"), (None, "predicate must be a tuple"),
    (["equals", "n", 1], "predicate must be a tuple"), ((), "predicate is invalid"),
    (("equals", "n"), "predicate is invalid"), (("equals", "n", 1, 2), "takes 3 elements"),
    (("like", "n", "x"), "unknown predicate 'like'"), (("between", "n", 1), "takes 4 elements"),
    (("between", "n", 1, "9"), "ends of a range"), (("between", "n", 1.0, 2), "ends of a range"),
    (("equals", "n", 1.5), "int, str or bytes"), (("equals", "n", True), "int, str or bytes"),
    (("equals", "n", None), "int, str or bytes"), (("equals", "n", [1]), "int, str or bytes"),
    (("equals", None, 1), "bin name"), (("equals", 5, 1), "bin name"),
    (("equals", "a" * 16, 1), "1 to 15 bytes"), (("equals", "n", 2**63), "int"),
    (("equals", "n", "x" * 3000), "too long"), (("contains", "n", 9, 1), "INDEX_TYPE"),
    (("contains", "n", "list", 1), "INDEX_TYPE"),
    (("geo_within_radius", "n", "1", 2.0, 3.0), "must be numbers"),
    (("geo_within_geojson_region", "n", 5), "GeoJSON"),
    ((0, 4, "n", "text"), "do not fit"), ((1, 4, "n", 5), "upper end"), ((7, 4, "n", 5), "fit")])
def test_malformed_predicates_are_refused(client, set_name, bad, text):
    error = error_of(lambda: client.query("test", set_name).where(bad))
    assert isinstance(error, ParamError)
    assert text in str(error)


def test_a_second_predicate_is_refused(client, set_name):
    query = client.query("test", set_name).where(predicates.equals("n", 1))
    for call in (lambda: query.where(predicates.equals("n", 2)),
                 lambda: query.where_with_index_name("i", predicates.equals("n", 2)),
                 lambda: query.where_with_expr(exp.int_bin("n"), predicates.equals("n", 2))):
        with pytest.raises(ParamError, match="predicate already"):
            call()


@pytest.mark.parametrize("ctx", [5, "ctx", {}, [], [1], ["ctx"]])
def test_a_context_is_checked(client, set_name, ctx):
    with pytest.raises(ParamError):
        client.query("test", set_name).where(predicates.equals("n", 1), ctx)


def test_names_and_expressions_are_checked(client, set_name):
    query = client.query("test", set_name)
    for call in (lambda: query.where_with_index_name(5, predicates.equals("n", 1)),
                 lambda: query.where_with_expr(4, predicates.equals("n", 1)),
                 lambda: query.where_with_expr("no base64!", predicates.equals("n", 1)),
                 lambda: query.where_with_expr("", predicates.equals("n", 1))):
        with pytest.raises(ParamError):
            call()
    assert query.where(predicates.equals("n", 1)) is not None  # nothing was kept of them


def test_a_scan_has_no_predicates(client):
    assert not hasattr(getattr(client.scan("test"), "inner", client.scan("test")), "where")


def test_parts_of_a_predicate_that_are_of_the_wrong_type(client):
    query = client.query("test", "demo")
    for bad in (("equals", 1, 1), ("contains", "l", "x", 1)):
        with pytest.raises(TypeError):
            query.where(bad)
