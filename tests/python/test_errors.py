"""The exceptions: their tree, what they carry, and how they travel."""

from __future__ import annotations

import copy
import importlib
import json
import os
import pickle
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import pytest

import aerospike_py
from aerospike_py import _aerospike, exception as ex, official

DATA = Path(__file__).resolve().parent.parent / "data"
SURFACE = json.loads((DATA / "surface_official.json").read_text())["exceptions"]
TREES = json.loads((DATA / "constants.json").read_text())["exceptions"]
CLASSES = dict(_aerospike.exceptions)  # also those that have no public name
RENAMED = {"TimeoutError": "AerospikeTimeoutError", "IndexError": "AerospikeIndexError"}


def ours(name):
    return CLASSES[{**RENAMED, "BinIncompatibleType": "BinTypeError"}.get(name, name)]


# ---- the tree ----


@pytest.mark.parametrize("name", SURFACE)
def test_the_official_tree(name):
    want = SURFACE[name]
    cls = getattr(official.exception, name)
    assert cls.__name__ == name
    assert issubclass(cls, ours(name))
    for base in want["bases"]:
        parent = Exception if base == "Exception" else getattr(official.exception, base)
        assert issubclass(cls, parent)
        assert parent in cls.__bases__ or any(parent in b.__mro__[1:] for b in cls.__bases__)
    assert pickle.loads(pickle.dumps(cls(5, "text", None, None, False))).args[1] == "text"
    assert cls.code == want["code"]


@pytest.mark.parametrize("name", TREES["official"])
def test_official_parents_are_direct(name):
    base = TREES["official"][name]["base"]
    if base != "Exception":
        assert getattr(official.exception, base) in getattr(official.exception, name).__bases__


@pytest.mark.parametrize("name", TREES["aerospike_py"])
def test_the_tree_of_the_other_peer(name):
    entry = TREES["aerospike_py"][name]
    base = entry["base"] if isinstance(entry, dict) else entry
    cls = ours(name)
    assert issubclass(cls, Exception if base == "Exception" else getattr(ex, base))
    if name in aerospike_py.__all__:
        assert getattr(aerospike_py, name) is cls


@pytest.mark.parametrize("name", CLASSES)
def test_builtin_bases_carry_no_state(name):
    builtin = {c for c in CLASSES[name].__mro__ if c.__module__ == "builtins"}
    assert builtin <= {object, BaseException, Exception, IndexError, LookupError, TypeError,
                       ValueError, OverflowError, ArithmeticError}


def test_no_builtin_is_hidden_by_a_star():
    space = {}
    exec("from aerospike_py.exception import *", space)
    assert "TimeoutError" not in space
    assert "IndexError" not in space


@pytest.mark.parametrize("old, new", RENAMED.items())
def test_old_names_work_and_warn(old, new):
    with pytest.warns(DeprecationWarning, match=new):
        assert getattr(ex, old) is getattr(ex, new)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(aerospike_py, old) is getattr(ex, new)
        assert issubclass(getattr(official.exception, old), getattr(ex, new))


def test_old_names_can_be_imported():
    with pytest.warns(DeprecationWarning):
        exec("from aerospike_py.exception import TimeoutError as T, IndexError as I", {})


def test_the_warning_points_at_the_caller():
    with pytest.warns(DeprecationWarning) as caught:
        _ = ex.TimeoutError
    assert caught[0].filename == __file__


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match="Nothing"):
        _ = ex.Nothing
    assert "TimeoutError" in dir(ex)
    assert set(ex.__all__) <= set(dir(ex))


def test_one_class_has_two_names():
    assert ex.BinIncompatibleType is ex.BinTypeError


def test_not_connected_is_what_either_peer_would_raise():
    for parent in (ex.ClientError, ex.ClusterError, ex.ConnectionError, ex.ServerError):
        assert issubclass(ex.NotConnected, parent)
    assert ex.NotConnected.code == 11


# ---- codes ----

BY_CODE = {entry["code"]: ours(name) for name, entry in reversed(TREES["official"].items())
           if entry["code"] is not None}
# Several official classes have one code: these are raised.
BY_CODE |= {9: ex.AerospikeTimeoutError, 11: ex.ClusterError, 100: ex.UDFError}


def test_every_class_has_its_code():
    for name, entry in TREES["official"].items():
        assert ours(name).code == entry["code"], name


def test_a_code_of_the_server_becomes_its_class(server, client, key):
    for code in range(1, 256):
        server.fault("code", code=code, classes="write", times=1)
        with pytest.raises(ex.AerospikeError) as e:
            client.put(key, {"a": 1}, policy={"max_retries": 0})
        error = e.value
        wanted = ex.AerospikeError if code == 50 else BY_CODE.get(code, ex.ServerError)
        assert type(error) is wanted, code
        assert error.code == error.result_code == code
        assert error.args[0] == code
        assert str(error).startswith(f"AEROSPIKE_ERR ({code}): ")
        assert error.node == client.get_node_names()[0]
        assert error.key == key
        assert error.in_doubt is False or code == 9


# ---- what they carry ----


@pytest.mark.parametrize("name", CLASSES)
def test_a_bare_one(name):
    cls = CLASSES[name]
    error = cls()
    assert error.code == cls.code
    assert error.args == ()
    for attribute in ("msg", "file", "line", "in_doubt", "node"):
        assert getattr(error, attribute) is None
    assert error.subcode == 0
    assert error.result_code == {"ParamServerError": 4, "ParamBinTypeError": 12}.get(name, -1)
    if issubclass(cls, ex.RecordError):
        assert (error.key, error.bin) == (None, None)
    if issubclass(cls, ex.AerospikeIndexError):
        assert error.name is None
    if issubclass(cls, ex.UDFError):
        assert (error.module, error.func) == (None, None)
    assert str(error) == ""
    assert isinstance(repr(error), str)


@pytest.mark.parametrize("name", CLASSES)
def test_one_with_a_text(name):
    error = CLASSES[name]("what happened")
    assert error.args == ("what happened",)
    assert str(error) == "what happened"


@pytest.mark.parametrize("name", CLASSES)
def test_one_with_five_arguments(name):
    args = (5, "text", "file.c", 7, True)
    error = CLASSES[name](*args)
    code, msg, file, line, in_doubt = error.args
    assert (code, msg, file, line, in_doubt) == args


def test_the_attributes_of_an_error_of_the_server(face, key):
    with pytest.raises(ex.RecordNotFound) as e:
        face.get(key)
    error = e.value
    code, msg, file, line, in_doubt = error.args
    assert code == error.code == error.result_code == 2
    assert msg == error.msg == "AEROSPIKE_ERR_RECORD_NOT_FOUND"
    assert in_doubt is error.in_doubt is False
    assert (file, line) == (error.file, error.line)
    assert error.key == key
    assert error.bin is None
    assert error.node in [str(n["node_name"]) for n in face.get_node_names()]
    assert "AEROSPIKE_ERR (2): " in str(error)


def test_the_bin_of_an_error(face, key):
    face.put(key, {"n": 1})
    with pytest.raises(ex.BinIncompatibleType) as e:
        face.append(key, "n", "x")
    assert e.value.bin == "n"
    assert e.value.key == key
    with pytest.raises(ex.RecordGenerationError) as e:
        face.put(key, {"n": 2}, {"gen": 9}, {"gen": 1})
    assert e.value.bin == {"n": 2}


def test_attributes_are_of_the_error_not_of_its_class(client, key):
    with pytest.raises(ex.RecordNotFound):
        client.get(key)
    assert ex.RecordNotFound.msg is None
    assert ex.RecordNotFound.key is None
    assert ex.RecordNotFound.code == 2


def test_what_the_client_finds_itself_has_no_result_code(make_client, client, key):
    for code, run in ((11, make_client(connect=False, hosts=[("127.0.0.1", 1)]).get),
                      (21, lambda key: client.select(key, ["x" * 16])),
                      (1302, lambda _: client.udf_put("no-such-file.lua"))):
        with pytest.raises(ex.AerospikeError) as e:
            run(key)
        assert (e.value.code, e.value.result_code) == (code, -1)


def test_errors_of_the_client_have_their_own_code_and_result_code_minus_1(client):
    with pytest.raises(ex.ParamError) as e:
        client.get("no key")
    assert e.value.code == -2
    assert e.value.result_code == -1
    assert e.value.args == (-2, "key is invalid", None, None, False)


def test_the_error_does_not_keep_the_client_alive():
    import gc
    import weakref

    client = aerospike_py.client({"hosts": [("127.0.0.1", 1)]})
    gone = weakref.ref(client)
    try:
        client.get("bad")
    except ex.ParamError as e:
        kept = e.with_traceback(None)
    del client
    gc.collect()
    assert gone() is None
    assert kept.code == -2


# ---- travel ----


def travelled(error, how):
    if how == "copy":
        return copy.copy(error)
    if how == "deepcopy":
        return copy.deepcopy(error)
    return pickle.loads(pickle.dumps(error, how))


WAYS = ["copy", "deepcopy", *range(pickle.HIGHEST_PROTOCOL + 1)]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", CLASSES)
def test_every_class_can_be_pickled_and_copied(name, how):
    cls = CLASSES[name]
    for args in ((), ("text",), (5, "text", "file.c", 7, True)):
        error = cls(*args)
        error.code, error.msg, error.node = 5, "text", "BB9"
        error.key, error.bin, error.in_doubt = ("test", "s", 1), "b", True
        error._text = "all of it"
        again = travelled(error, how)
        assert type(again) is cls
        assert again.args == error.args
        assert again.__dict__ == error.__dict__
        assert str(again) == str(error) == "all of it"
    assert str(travelled(cls("x"), how)) == "x"


@pytest.mark.parametrize("how", WAYS)
def test_one_that_was_raised_travels_whole(client, key, how):
    for call in (lambda: client.get(key), lambda: client.get("bad"),
                 lambda: client.append(key, "b", 5), lambda: client.operate(key, []),
                 lambda: client.put(key, {"a": 2**70})):
        with pytest.raises(ex.AerospikeError) as e:
            call()
        again = travelled(e.value, how)
        assert type(again) is type(e.value)
        assert (again.code, again.msg, again.args, again.key, again.node, again.in_doubt) == (
            e.value.code, e.value.msg, e.value.args, e.value.key, e.value.node, e.value.in_doubt)
        assert str(again) == str(e.value)
        assert repr(again) == repr(e.value)


class Mine(ex.ServerError):
    pass


def test_a_subclass_travels_too():
    error = Mine("text")
    error.extra = 1
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is Mine
    assert again.extra == 1
    assert again.args == ("text",)


def test_an_error_from_another_process(hosts, tmp_path):
    program = (
        "import concurrent.futures as cf, multiprocessing as mp\n"
        "import aerospike_py\n"
        "def ask(hosts):\n"
        "    with aerospike_py.client({'hosts': hosts}) as c:\n"
        "        c.get(('test', 'keys', 'nobody has this'))\n"
        "if __name__ == '__main__':\n"
        "    with cf.ProcessPoolExecutor(1, mp.get_context('spawn')) as pool:\n"
        f"        error = pool.submit(ask, {hosts!r}).exception()\n"
        "    print(type(error).__name__, error.code, error)\n")
    file = tmp_path / "ask.py"  # spawn imports the main module again
    file.write_text(program)
    root = str(Path(aerospike_py.__file__).resolve().parent.parent)
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True,
                          timeout=40, env={**os.environ, "PYTHONPATH": root})
    assert done.stdout.startswith("RecordNotFound 2 AEROSPIKE_ERR (2): "), done.stderr


def test_a_traceback_shows_the_public_name(client):
    try:
        client.get("bad")
    except ex.ParamError:
        text = traceback.format_exc()
    assert "aerospike_py.exception.ParamError: " in text


def test_hidden_classes_show_the_public_name():
    for name in set(CLASSES) - set(ex.__all__):
        cls = CLASSES[name]
        assert cls.__name__ in ex.__all__
        assert issubclass(cls, getattr(ex, cls.__name__))
        assert cls.__module__ == "aerospike_py.exception"


def test_public_classes_are_found_by_their_names():
    for name in ex.__all__:
        cls = getattr(ex, name)
        module = importlib.import_module(cls.__module__)
        assert getattr(module, cls.__qualname__) is cls


@pytest.mark.parametrize("name, value", [
    ("total_timeout", -1), ("total_timeout", 2**40), ("max_retries", -1), ("socket_timeout", -1),
])
def test_numbers_of_a_policy_that_overflow(client, key, name, value):
    for kind in (OverflowError, ValueError, ex.ParamError):
        with pytest.raises(kind, match=name):
            client.get(key, {name: value})


def test_numbers_of_meta_that_overflow(client, key):
    for meta in ({"gen": -1}, {"gen": 2**32}, {"ttl": -4}, {"ttl": 2**32}):
        for kind in (OverflowError, ValueError, ex.InvalidArgError):
            with pytest.raises(kind):
                client.put(key, {"a": 1}, meta)
    with pytest.raises(OverflowError):
        client.touch(key, -9)


def test_a_name_of_a_function_that_is_no_text(client, key):
    for args in ((1, "add"), ("module", 1)):
        with pytest.raises(TypeError) as caught:
            client.apply(key, *args, [1])
        assert isinstance(caught.value, ex.ClientError) and caught.value.code == -1


def test_a_digest_that_is_no_bytes(client):
    with pytest.raises(TypeError, match="digest"):
        client.get(("test", "demo", None, "x" * 20))


def test_a_value_that_cannot_be_appended_is_of_the_wrong_type(client, key):
    with pytest.raises(ex.BinTypeError) as caught:
        client.append(key, "a", 1)
    assert caught.value.result_code == 12


@pytest.mark.parametrize("code, name", [
    (3, "GenerationError"), (13, "RecordTooBig"), (14, "KeyBusy"), (29, r"Unknown\(29\)"),
])
def test_the_text_has_the_short_name_and_says_what_it_means(server, client, key, code, name):
    server.fault("code", code=code, classes="write", times=1)
    with pytest.raises(ex.AerospikeError, match=(
            rf"^AEROSPIKE_ERR \({code}\): Server error: {name}, In Doubt: \w+, "
            r"Node: \w+ \(.+\)$")):
        client.put(key, {"a": 1}, policy={"max_retries": 0})


def test_a_record_that_is_not_there_is_a_key_that_was_not_found(client, key):
    with pytest.raises(ex.RecordNotFound, match="KeyNotFoundError.*record not found"):
        client.get(key)


@pytest.mark.parametrize("port", [-1, 0, 65536, 99999])
def test_a_port_that_is_out_of_range_overflows(port):
    for kind in (OverflowError, ValueError):
        with pytest.raises(kind, match="port"):
            aerospike_py.client({"hosts": [("127.0.0.1", port)]}).connect()


@pytest.mark.parametrize("name", ["user", "password", "cluster_name"])
def test_a_name_in_the_configuration_that_is_no_text(make_client, name):
    client = make_client(connect=False, **{name: 5})
    with pytest.raises(TypeError, match=f"{name} must be a str"):
        client.connect()
    make_client(**{name: None})
