"""Aggregations: functions on the stream of records, finished by the client."""

from __future__ import annotations

import asyncio
import time

import pytest
from queries import error_of

import aerospike_py
from aerospike_py import predicates
from aerospike_py.exception import (
    AerospikeError,
    ClientError,
    IndexNotFound,
    ParamError,
    UDFError,
)
from aerospike_py.official import predicates as official_predicates

MODULE = """
local helper = require("%(name)s_more")
local function number(rec) return rec.n end
local function add(a, b) return a + b end
function sum(stream) return stream : map(number) : reduce(add) end
function biggest(stream, most)
    local function small(rec) return rec.n <= most end
    local function max(a, b) return a > b and a or b end
    return stream : filter(small) : map(number) : reduce(max)
end
function count(stream)
    local function one(rec) return 1 end
    return stream : map(one) : reduce(add)
end
function by_mod(stream)
    local function put(m, rec) m[rec.mod] = (m[rec.mod] or 0) + 1 return m end
    local function merge(a, b) return map.merge(a, b, add) end
    return stream : aggregate(map(), put) : reduce(merge)
end
function doubled(stream) return stream : map(number) : reduce(add) : map(helper.double) end
function names(stream)
    local function name(rec) return rec.name end
    return stream : map(name)
end
function bad(stream)
    local function fail(rec) error("on the server") end
    return stream : map(fail)
end
function bad_here(stream)
    local function fail(a) error("on the client") end
    return stream : map(number) : reduce(add) : map(fail)
end
function no_stream(stream) return 5 end
function echo(stream, a, b)
    local function give(rec) return list{a, b} end
    return stream : map(give)
end
"""
MORE = "return {double = function(n) return 2 * n end}\n"


@pytest.fixture(params=["cluster", "folder"])
def lua(request, make_client, tmp_path, set_name, people, client):
    """A client whose module is in the cluster alone, or in a folder as well."""
    folder = {"user_path": str(tmp_path / "user")} if request.param == "folder" else {}
    (tmp_path / "user").mkdir()
    own = make_client(lua=folder)
    for name, text in ((f"{set_name}_more", MORE), (set_name, MODULE % {"name": set_name})):
        (tmp_path / f"{name}.lua").write_text(text)
        own.udf_put(str(tmp_path / f"{name}.lua"))
    yield own
    for name in (set_name, f"{set_name}_more"):
        own.udf_remove(name)


@pytest.fixture
def by_number(index, set_name):
    return index("index_integer_create", set_name, "n", name=f"{set_name}_n")


def test_a_sum_is_one_value(lua, set_name):
    query = lua.query("test", set_name).apply(set_name, "sum")
    assert query.results() == [sum(range(600))]


@pytest.mark.parametrize("made", [predicates, official_predicates])
def test_an_index_chooses_what_is_summed(lua, by_number, set_name, made):
    query = lua.query("test", set_name).where(made.between("n", 10, 19))
    assert query.apply(set_name, "sum").results() == [sum(range(10, 20))]


def test_arguments_reach_the_function(lua, set_name):
    query = lua.query("test", set_name).apply(set_name, "biggest", [123])
    assert query.results() == [123]
    query = lua.query("test", set_name).apply(set_name, "echo", ["a", [1, {"k": b"x"}]])
    assert query.results()[0] == ["a", [1, {"k": b"x"}]]


def test_maps_are_merged(lua, set_name):
    query = lua.query("test", set_name).apply(set_name, "by_mod")
    assert query.results() == [dict.fromkeys(range(10), 60)]


def test_what_follows_the_reduce_is_done_here(lua, set_name):
    query = lua.query("test", set_name).apply(set_name, "doubled")
    assert query.results() == [2 * sum(range(600))]


def test_values_without_a_reduce_all_arrive(lua, people, set_name):
    query = lua.query("test", set_name).apply(set_name, "names")
    assert sorted(query.results()) == sorted(bins["name"] for bins in people.values())


def test_every_way_gives_the_values(lua, set_name):
    wanted = [sum(range(600))]
    query = lua.query("test", set_name).apply(set_name, "sum")
    seen = []
    query.foreach(seen.append)
    assert seen == wanted
    assert list(query) == wanted
    with query.stream({"total_timeout": 0}) as stream:
        assert list(stream) == wanted
        assert list(stream) == []
    names = lua.query("test", set_name).apply(set_name, "names")
    seen = []
    names.foreach(lambda name: (seen.append(name), len(seen) < 5)[1])
    assert len(seen) == 5


def test_no_record_gives_no_value(lua, by_number, set_name):
    query = lua.query("test", set_name).where(predicates.equals("n", 10**6))
    assert query.apply(set_name, "sum").results() == []


def test_an_index_that_is_not_there_is_not_found(lua, set_name):
    query = lua.query("test", set_name).where(predicates.equals("n", 5))
    with pytest.raises(IndexNotFound):
        query.apply(set_name, "sum").results()


def test_a_failure_on_a_node_says_what_lua_says(lua, set_name):
    error = error_of(lua.query("test", set_name).apply(set_name, "bad").results)
    assert isinstance(error, UDFError)
    assert error.code == 100
    assert "on the server" in str(error)
    assert f"{set_name}.lua:" in str(error)


def test_a_failure_here_says_what_lua_says(lua, set_name):
    error = error_of(lua.query("test", set_name).apply(set_name, "bad_here").results)
    assert isinstance(error, UDFError)
    assert "on the client" in str(error)
    assert "traceback" in str(error)


@pytest.mark.parametrize("function", ["no_stream", "unknown"])
def test_what_is_no_stream_function_is_refused(lua, set_name, function):
    with pytest.raises(AerospikeError):
        lua.query("test", set_name).apply(set_name, function).results()


def test_an_unknown_module_is_refused(lua, set_name):
    with pytest.raises(AerospikeError):
        lua.query("test", set_name).apply("unknown", "sum").results()


def test_aggregations_have_no_pages(lua, set_name):
    query = lua.query("test", set_name).apply(set_name, "sum")
    with pytest.raises(ParamError):
        list(query.pages(5))
    with pytest.raises(ParamError):
        query.results(options="")
    with pytest.raises(TypeError):
        lua.query("test", set_name).apply(set_name, "sum", policy={})
    with pytest.raises(ClientError):
        lua.query("test", set_name).apply(set_name, "sum", "args")


def test_several_nodes_are_reduced_once_more(cluster, make_client, tmp_path):
    own = make_client(hosts=cluster.hosts)
    for n in range(300):
        own.put(("test", "sums", n), {"n": n, "mod": n % 10, "name": str(n)})
    for name, text in (("sums_more", MORE), ("sums", MODULE % {"name": "sums"})):
        (tmp_path / f"{name}.lua").write_text(text)
        own.udf_put(str(tmp_path / f"{name}.lua"))
    assert own.query("test", "sums").apply("sums", "sum").results() == [sum(range(300))]
    assert own.query("test", "sums").apply("sums", "by_mod").results() == [
        dict.fromkeys(range(10), 30)]


def test_the_strict_face_does_the_same(make_strict, people, set_name, tmp_path):
    own = make_strict(lua={"user_path": str(tmp_path)})
    for name, text in ((f"{set_name}_more", MORE), (set_name, MODULE % {"name": set_name})):
        (tmp_path / f"{name}.lua").write_text(text)
        assert own.udf_put(str(tmp_path / f"{name}.lua")) == 0
    query = own.query("test", set_name)
    query.apply(set_name, "sum")
    assert query.results() == [sum(range(600))]
    seen = []
    query.foreach(seen.append)
    assert seen == [sum(range(600))]
    own.udf_remove(f"{set_name}.lua")
    own.udf_remove(f"{set_name}_more.lua")


async def test_the_loop_goes_on_while_lua_works(aclient, set_name, tmp_path):
    path = tmp_path / f"{set_name}.lua"
    path.write_text("""
        function slow(stream)
            local function wait(a, b) for i = 1, 3000000 do end return a + b end
            local function n(rec) return rec.n end
            return stream : map(n) : reduce(function(a, b) return a + b end) : map(
                function(a) for i = 1, 100000000 do end return a end)
        end""")
    for n in range(50):
        await aclient.put(("test", set_name, n), {"n": n})
    await aclient.udf_put(str(path))
    task = asyncio.create_task(
        aclient.query("test", set_name).apply(set_name, "slow").results())
    late = 0.0
    start = time.monotonic()
    while not task.done():
        began = time.monotonic()
        await asyncio.sleep(0.01)
        late = max(late, time.monotonic() - began)
    assert await task == [sum(range(50))]
    assert late < (time.monotonic() - start) / 4
    await aclient.udf_remove(set_name)


def test_nothing_of_lua_is_loaded_before_it_is_used():
    import subprocess
    import sys

    code = "import sys, aerospike_py; print('aerospike_py._lua' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert aerospike_py.UDF_TYPE_LUA == 0
