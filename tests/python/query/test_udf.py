"""Lua modules: registering them, and applying their functions to a record."""

from __future__ import annotations

from pathlib import Path

import pytest
from queries import error_of

import aerospike_py
from aerospike_py import exp
from aerospike_py.exception import (
    AerospikeError,
    ClientError,
    FilteredOut,
    LuaFileNotFound,
    NamespaceNotFound,
    NotConnected,
    ParamError,
    UDFError,
)

MODULE = """
function add(rec, bin, n)
    rec[bin] = (rec[bin] or 0) + n
    if aerospike:exists(rec) then aerospike:update(rec) else aerospike:create(rec) end
    return rec[bin]
end
function echo(rec, value) return value end
function nothing(rec) end
function count(rec, ...) return select('#', ...) end
function fail(rec) error("went wrong") end
function code(rec) error("as wished:27") end
function bins(rec) local m = map() for i, n in ipairs(record.bin_names(rec)) do m[n] = rec[n] end
    return m end
function drop(rec) aerospike:remove(rec) end
"""


@pytest.fixture
def module(client, tmp_path, set_name):
    """The name of a module, without ``.lua``."""
    path = tmp_path / f"{set_name}.lua"
    path.write_text(MODULE)
    assert client.udf_put(str(path)) == 0
    yield set_name
    client.udf_remove(set_name)


# ---- registering ----


def test_a_module_is_there_after_udf_put(client, module):
    (found,) = [m for m in client.udf_list() if m["name"] == f"{module}.lua"]
    assert found["type"] == aerospike_py.UDF_TYPE_LUA
    assert isinstance(found["hash"], bytearray) and len(found["hash"]) == 40
    assert found["content"] == bytearray()
    assert client.udf_get(f"{module}.lua") == MODULE


def test_a_module_is_gone_after_udf_remove(client, module):
    for name in (module, f"{module}.lua"):  # also what is not there
        assert client.udf_remove(name) == 0
    assert f"{module}.lua" not in [m["name"] for m in client.udf_list()]
    with pytest.raises(UDFError) as caught:
        client.udf_get(f"{module}.lua")
    assert caught.value.code == 100


def test_a_module_can_be_replaced(client, module, tmp_path, key):
    path = tmp_path / f"{module}.lua"
    for n in range(5):
        path.write_text(f"function version(rec) return {n} end")
        client.udf_put(path)  # any kind of path
        assert client.apply(key, module, "version") == n


def test_a_module_that_does_not_compile_says_where(client, tmp_path, set_name):
    path = tmp_path / f"{set_name}.lua"
    path.write_text("function f(rec)\n  return 1 +\nend\n")
    with pytest.raises(UDFError) as caught:
        client.udf_put(str(path))
    assert f"{set_name}.lua:3" in str(caught.value)
    assert "near 'end'" in str(caught.value)


def test_a_file_must_be_there_and_have_something(client, tmp_path):
    (tmp_path / "empty.lua").write_text("")
    (tmp_path / "big.lua").write_text("-" * (1 << 20))
    for name in ("none.lua", "empty.lua", "big.lua", "."):
        with pytest.raises(LuaFileNotFound) as caught:
            client.udf_put(str(tmp_path / name) + ("" if name != "." else "/.lua"))
        assert caught.value.code == 1302
        assert isinstance(caught.value, ClientError)


@pytest.mark.parametrize("name", ["", "/", "a" * 510 + ".lua", 5, None, ()])
def test_a_filename_is_checked(client, name):
    with pytest.raises(ParamError):
        client.udf_put(name)


def test_the_type_of_a_module_is_checked(client, tmp_path):
    with pytest.raises(ClientError):
        client.udf_put("x.lua", 1)
    for bad in ("0", (), None):
        with pytest.raises(TypeError):
            client.udf_put("x.lua", bad)


def test_arguments_of_udf_get_are_checked(client, module):
    with pytest.raises(ClientError):
        client.udf_get(f"{module}.lua", 85)
    for bad in ("0", None, (), [], {}):
        with pytest.raises(TypeError):
            client.udf_get(f"{module}.lua", bad)
    for bad in (None, [], {}, (), 5, bytearray(b"x")):
        with pytest.raises(ClientError):
            client.udf_get(bad)


def test_names_of_modules_are_checked(client):
    for bad in (None, False, 1, 1.5, ()):
        with pytest.raises(ParamError):
            client.udf_remove(bad)
    with pytest.raises(ParamError, match="must not contain"):
        client.udf_remove("a;b")


@pytest.mark.parametrize("policy", [False, 1000, [], (), "policy", {"timeout": 0.1}])
def test_policies_are_checked(client, policy, tmp_path):
    (tmp_path / "x.lua").write_text("-- nothing")
    for call in (lambda: client.udf_list(policy), lambda: client.udf_get("x.lua", 0, policy),
                 lambda: client.udf_put(str(tmp_path / "x.lua"), 0, policy)):
        with pytest.raises(ParamError):
            call()


def test_arguments_are_counted(client):
    for call in (lambda: client.udf_put(), lambda: client.udf_put("a", 0, {}, 1),
                 lambda: client.udf_list({}, 1), lambda: client.udf_get(),
                 lambda: client.udf_get("a", 0, {}, 1), lambda: client.udf_remove()):
        with pytest.raises(TypeError):
            call()


def test_the_strict_face_keeps_a_copy(make_strict, tmp_path, set_name):
    folder = tmp_path / "user"
    folder.mkdir()
    path = tmp_path / f"{set_name}.lua"
    path.write_text(MODULE)
    own = make_strict(lua={"user_path": str(folder)})
    assert own.udf_put(str(path)) == 0
    assert (folder / f"{set_name}.lua").read_text() == MODULE
    assert own.udf_put(str(folder / f"{set_name}.lua")) == 0  # from where it is kept
    assert own.udf_remove(f"{set_name}.lua") == 0


def test_a_configured_folder_gets_a_copy(make_client, tmp_path, set_name):
    path = tmp_path / f"{set_name}.lua"
    path.write_text(MODULE)
    plain = make_client()
    plain.udf_put(str(path))
    assert not Path(f"{set_name}.lua").exists()
    missing = make_client(lua={"user_path": str(tmp_path / "missing")})
    with pytest.raises(LuaFileNotFound):
        missing.udf_put(str(path))
    plain.udf_remove(set_name)


# ---- applying ----


@pytest.mark.parametrize("value", [0, -(2**63), 1.5, True, False, "text", "ü", [1, "two", [3]],
                                   {"a": 1, "b": {"c": [2]}}, [], {}])
def test_values_go_there_and_back(client, module, key, value):
    found = client.apply(key, module, "echo", [value])
    assert found == value
    assert type(found) is type(value)


def test_blobs_go_there_and_back(client, module, key):
    assert client.apply(key, module, "echo", [b"\0\xff"]) == b"\0\xff"


def test_nothing_is_none(client, module, key):
    assert client.apply(key, module, "nothing") is None
    assert client.apply(key, module, "nothing", []) is None
    assert client.apply(key, module, "nothing", None) is None


def test_a_function_changes_the_record(client, module, key):
    assert client.apply(key, module, "add", ["n", 5]) == 5
    assert client.apply(key, module, "add", ["n", 7]) == 12
    assert client.get(key).bins == {"n": 12}
    assert client.apply(key, module, "bins") == {"n": 12}
    client.apply(key, module, "drop")
    assert client.exists(key).meta is None


def test_arguments_are_as_many_as_given(client, module, key):
    for count in (0, 1, 5, 40):
        assert client.apply(key, module, "count", list(range(count))) == count


def test_a_failure_says_what_lua_says(client, module, key):
    with pytest.raises(UDFError) as caught:
        client.apply(key, module, "fail")
    error = caught.value
    assert error.code == 100
    assert "went wrong" in str(error)
    assert f"{module}.lua:" in str(error)
    assert (error.module, error.func) == (module, "fail")
    assert error.key == key


def test_a_failure_may_name_its_code(client, module, key):
    with pytest.raises(AerospikeError) as caught:
        client.apply(key, module, "code")
    assert caught.value.code == 27


@pytest.mark.parametrize(("package", "function"), [("nope", "add"), ("", "add")])
def test_an_unknown_module_is_an_error_of_udfs(client, module, key, package, function):
    with pytest.raises(UDFError):
        client.apply(key, package, function)


def test_an_unknown_function_is_an_error_of_udfs(client, module, key):
    for function in ("nope", ""):
        with pytest.raises(UDFError):
            client.apply(key, module, function)


def test_a_filter_decides(client, module, key):
    client.put(key, {"n": 1})
    policy = {"filter_expression": exp.eq(exp.int_bin("n"), exp.int_val(2))}
    with pytest.raises(FilteredOut):
        client.apply(key, module, "add", ["n", 1], policy)
    assert client.get(key).bins == {"n": 1}


@pytest.mark.needs_ttl
def test_a_time_to_live_is_set(client, module, key):
    client.apply(key, module, "add", ["n", 1], {"ttl": 1000})
    assert 990 < client.get(key).meta.ttl <= 1000


def test_what_is_applied_is_checked(client, key):
    for args in ((), "args", {}, 5):
        with pytest.raises(TypeError, match="'list'"):
            client.apply(key, "m", "f", args)
    for package, function in ((5, "f"), (None, "f"), ("m", 5), ("m", None)):
        with pytest.raises(ClientError):
            client.apply(key, package, function, [])
    for bad in (None, "", ("test", "s", None), ("test",)):
        with pytest.raises(ParamError):
            client.apply(bad, "m", "f", [])
    with pytest.raises(NamespaceNotFound):
        client.apply(("nope", "s", 1), "m", "f", [])
    with pytest.raises(AerospikeError):
        client.apply(key, "m", "f", [object()])


def test_arguments_of_apply_are_counted(client, key, strict):
    with pytest.raises(TypeError, match="at most 5 arguments"):
        client.apply(key, "m", "f", [], {}, 1)
    with pytest.raises(TypeError, match="'args'"):
        strict.apply(key, "m", "f")


def test_a_closed_client_does_nothing(make_client, key):
    own = make_client()
    own.close()
    for call in (lambda: own.udf_list(), lambda: own.apply(key, "m", "f", []),
                 lambda: own.udf_get("x.lua"), lambda: own.udf_remove("x.lua")):
        with pytest.raises(NotConnected):
            call()
    assert error_of(lambda: own.udf_list()).code == 11
