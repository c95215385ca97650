"""Creating and removing indexes."""

from __future__ import annotations

import time

import pytest
from queries import error_of, fill, numbers

import aerospike_py
from aerospike_py import exp, predicates
from aerospike_py.exception import (
    AerospikeError,
    IndexFoundError,
    IndexNotFound,
    InvalidRequest,
    NamespaceNotFound,
    NotConnected,
    ParamError,
)
from aerospike_py.helpers import cdt_ctx

NUMERIC, STRING = aerospike_py.INDEX_NUMERIC, aerospike_py.INDEX_STRING


def described(client, name):
    """What the server says of an index, or None."""
    text = client.info_random_node("sindex-list:namespace=test").strip()
    for entry in text.split(";"):
        pairs = dict(pair.split("=", 1) for pair in entry.split(":") if "=" in pair)
        if pairs.get("indexname") == name:
            return pairs
    return None


@pytest.mark.parametrize(("method", "args", "kind", "where"), [
    ("index_integer_create", (), "numeric", "default"),
    ("index_string_create", (), "string", "default"),
    ("index_blob_create", (), "blob", "default"),
    ("index_geo2dsphere_create", (), "geo2dsphere", "default"),
    ("index_single_value_create", (aerospike_py.INDEX_STRING,), "string", "default"),
    ("index_single_value_create", (aerospike_py.INDEX_INTEGER,), "numeric", "default"),
    ("index_list_create", (aerospike_py.INDEX_NUMERIC,), "numeric", "list"),
    ("index_map_keys_create", (aerospike_py.INDEX_BLOB,), "blob", "mapkeys"),
    ("index_map_values_create", (aerospike_py.INDEX_GEO2DSPHERE,), "geo2dsphere", "mapvalues"),
])
def test_every_index_is_what_was_asked_for(client, index, set_name, method, args, kind, where):
    name = index(method, set_name, "b", *args, name=f"{set_name}_i")
    found = described(client, name)
    assert (found["set"], found["bin"], found["type"], found["indextype"]) == (
        set_name, "b", kind, where)
    assert found["state"] == "RW"
    assert client.index_remove("test", name) == 0
    assert described(client, name) is None


def test_an_index_is_complete_when_it_was_created(client, index, set_name):
    fill(client, set_name, 2000)
    name = index("index_integer_create", set_name, "n", name=f"{set_name}_n")
    query = client.query("test", set_name).where(predicates.between("n", 0, 10**6))
    assert sorted(numbers(query.results())) == list(range(2000))
    assert "load_pct=100" in client.info_random_node(f"sindex-stat:namespace=test;indexname={name}")


def test_an_index_may_cover_all_sets(client, index, set_name, people):
    index("index_integer_create", None, "mod", name=f"{set_name}_all")
    query = client.query("test", set_name).where(predicates.equals("mod", 4))
    assert sorted(numbers(query.results())) == list(range(4, 600, 10))


def test_an_index_of_a_set_serves_scans(client, index, set_name, people):
    name = index("index_set_create", set_name, name=f"{set_name}_set")
    assert described(client, name)["indextype"] == "set"
    assert sorted(numbers(client.scan("test", set_name).results())) == sorted(people)


def test_a_context_is_part_of_an_index(client, index, set_name):
    ctx = [cdt_ctx.cdt_ctx_list_index(0), cdt_ctx.cdt_ctx_map_key("k")]
    one = index("index_cdt_create", set_name, "b", aerospike_py.INDEX_TYPE_LIST, NUMERIC,
                name=f"{set_name}_1", ctx=ctx)
    two = index("index_list_create", set_name, "b", NUMERIC, name=f"{set_name}_2")
    assert described(client, one)["context"] != described(client, two)["context"] == "null"


def test_creating_the_same_index_again_is_fine(client, index, set_name):
    for _ in range(2):
        index("index_integer_create", set_name, "n", name=f"{set_name}_n")
    with pytest.raises(IndexFoundError) as caught:
        client.index_integer_create("test", set_name, "other", f"{set_name}_n")
    assert caught.value.code == 200


def test_removing_what_is_not_there_is_fine(client, set_name):
    assert client.index_remove("test", f"{set_name}_none") == 0
    assert client.index_remove("nope", f"{set_name}_none") == 0


def test_a_removed_index_is_used_no_more(client, index, set_name, people):
    name = index("index_integer_create", set_name, "n", name=f"{set_name}_n")
    client.index_remove("test", name)
    with pytest.raises(IndexNotFound):
        client.query("test", set_name).where(predicates.equals("n", 1)).results()


def test_official_names_of_arguments_work(client, set_name):
    name = f"{set_name}_kw"
    assert client.index_single_value_create(ns="test", set=set_name, bin="n",
                                            index_datatype=NUMERIC, name=name) == 0
    assert client.index_remove(ns="test", name=name) == 0
    with pytest.raises(TypeError):
        client.index_remove("test", namespace="test")


@pytest.mark.parametrize(("args", "kind"), [
    (("test", "s" * 64, "b", "i"), InvalidRequest), (("test", "s", "b" * 256, "i"), AerospikeError),
    (("test", "s", "b", "i" * 256), InvalidRequest), (("nope", "s", "b", "i"), NamespaceNotFound),
    (("n" * 100, "s", "b", "i"), AerospikeError), (("test", "s", "b", ""), InvalidRequest)])
def test_what_the_server_refuses_comes_out(client, args, kind):
    with pytest.raises(kind):
        client.index_integer_create(*args)


@pytest.mark.parametrize(("args", "text"), [
    ((None, "s", "b", "i"), "Namespace should be a string"),
    ((1, "s", "b", "i"), "Namespace should be a string"),
    (("test", 1, "b", "i"), "Set should be string, unicode or None"),
    (("test", "s", None, "i"), "Bin should be a string"),
    (("test", "s", "b", None), "Index name should be string or unicode"),
    (("test", "s", "b", "a;b"), "must not contain"), (("te\nst", "s", "b", "i"), "not contain")])
def test_names_are_checked(client, args, text):
    error = error_of(lambda: client.index_integer_create(*args))
    assert isinstance(error, ParamError)
    assert text in str(error)


@pytest.mark.parametrize("datatype", [None, "numeric", (1,), 1.5, -1, 99])
def test_the_type_is_checked(client, set_name, datatype):
    with pytest.raises(ParamError, match="Index type"):
        client.index_single_value_create("test", set_name, "b", datatype, "i")


@pytest.mark.parametrize("policy", ["", 5, [], {"timeout": "1"}, {"timeout": 0.5}])
def test_policies_are_checked(client, set_name, policy):
    for call in (lambda: client.index_integer_create("test", set_name, "b", "i", policy),
                 lambda: client.index_remove("test", "i", policy)):
        with pytest.raises(ParamError):
            call()


@pytest.mark.parametrize("ctx", [None, {"ctx": 1}, [], ["x"]])
def test_contexts_are_checked(client, set_name, ctx):
    with pytest.raises(ParamError):
        client.index_cdt_create("test", set_name, "b", 1, NUMERIC, "i", ctx)


@pytest.mark.parametrize("expression", [5, "no base64!", [], {}, exp.int_val])
def test_expressions_are_checked(client, set_name, expression):
    with pytest.raises(ParamError):
        client.index_expr_create("test", set_name, 0, NUMERIC, expression, "i")


def test_arguments_are_counted(client):
    for call in (lambda: client.index_remove(), lambda: client.index_remove("test"),
                 lambda: client.index_remove("test", "a", {}, 1),
                 lambda: client.index_expr_create("test", "s", 0, 0, exp.int_bin("b")),
                 lambda: client.index_integer_create("test", "s", "b")):
        with pytest.raises(TypeError):
            call()
    for name in (5, None, b"i"):
        with pytest.raises(ParamError):
            client.index_remove("test", name)


def test_old_creators_warn_on_the_strict_face_only(strict, set_name):
    name = f"{set_name}_w"
    for call in (lambda: strict.index_integer_create("test", set_name, "n", name),
                 lambda: strict.index_cdt_create("test", set_name, "n", 0, NUMERIC, name,
                                                 [cdt_ctx.cdt_ctx_list_index(0)])):
        with pytest.warns(DeprecationWarning):
            call()
        assert strict.index_remove("test", name) == 0


def test_a_closed_client_creates_nothing(make_client, set_name):
    own = make_client()
    own.close()
    with pytest.raises(NotConnected):
        own.index_integer_create("test", set_name, "n", "i")


def test_waiting_does_not_take_long(client, set_name):
    began = time.monotonic()
    client.index_integer_create("test", set_name, "n", f"{set_name}_t")
    client.index_remove("test", f"{set_name}_t")
    assert time.monotonic() - began < 10


# ---- base64 ----


def test_expressions_as_base64(face):
    from aerospike_py.helpers.expressions import base

    compiled = base.Eq(base.IntBin("bin1"), 6).compile()
    assert face.get_expression_base64(compiled) == "kwGTUQKkYmluMQY="
    for bad in ("bad", ["hi"], [], 5, None):
        with pytest.raises(ParamError):
            face.get_expression_base64(bad)


def test_contexts_as_base64(face):
    ctx = [cdt_ctx.cdt_ctx_list_index(0), cdt_ctx.cdt_ctx_map_key("k")]
    assert face.get_cdtctx_base64(ctx) == "lBAAIqIDaw=="
    for bad, text in (({}, "parameter is not list type"), ([], "cdt ctx list entries are empty")):
        with pytest.raises(ParamError, match=text):
            face.get_cdtctx_base64(bad)
    with pytest.raises(ParamError):
        face.get_cdtctx_base64(["x"])
