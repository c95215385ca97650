"""The functions of the module: logging, serializers, configuration objects."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys

import pytest

import aerospike_py
from aerospike_py import exception as ex, official

MODULES = pytest.mark.parametrize("module", [aerospike_py, official], ids=["main", "strict"])


@pytest.fixture
def logs():
    """Levels and handlers as they were, after the test."""
    from aerospike_py import _logging

    levels = {name: logging.getLogger(name).level for name in _logging.NAMES}
    handler, most = _logging._handler, _logging._most
    yield
    aerospike_py.set_log_level(most)
    _logging._handler, _logging._most = handler, most
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


# ---- logging ----


@MODULES
def test_every_level(module, logs):
    for name in ("OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"):
        assert module.set_log_level(getattr(module, f"LOG_LEVEL_{name}")) == 0
    assert module.set_log_level(loglevel=module.LOG_LEVEL_ERROR) == 0


def test_levels_that_do_not_exist(logs):
    for bad in (-2, 5, 99, 2**70):
        with pytest.raises(ValueError, match="level"):
            aerospike_py.set_log_level(bad)
        with pytest.raises(ex.ParamError):
            aerospike_py.set_log_level(bad)
    assert official.set_log_level(99) == 0
    assert official.set_log_level(-7) == 0


@MODULES
@pytest.mark.parametrize("bad", [68786586756785785745, None, [], {}, 1.5, "x"], ids=repr)
def test_levels_that_are_none(module, logs, bad):
    with pytest.raises(ex.ParamError):
        module.set_log_level(bad)


@MODULES
def test_a_level_is_needed(module, logs):
    with pytest.raises((TypeError, ex.ParamError)):
        module.set_log_level()


def test_both_names_of_a_level(logs):
    assert aerospike_py.set_log_level(level=1) == 0
    with pytest.raises(TypeError):
        aerospike_py.set_log_level(1, loglevel=1)


def test_levels_of_the_loggers(logs):
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_DEBUG)
    for name in ("aerospike_py", "_aerospike", "aerospike_core", "aerospike"):
        assert logging.getLogger(name).level == logging.DEBUG
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_TRACE)
    assert logging.getLogger("aerospike_py").level == 5
    assert logging.getLevelName(5) == "TRACE"


def some_lines(hosts):
    """Make a client, so that something is logged."""
    with aerospike_py.client({"hosts": hosts}).connect() as client:
        client.ping()
    from aerospike_py import _aerospike

    _aerospike.flush_log()


@MODULES
def test_a_handler_gets_lines(module, hosts, logs):
    lines = []
    assert module.set_log_handler(lambda *line: lines.append(line)) == 0
    module.set_log_level(module.LOG_LEVEL_TRACE)
    some_lines(hosts)
    assert lines
    for level, func, path, line, text in lines:
        assert (type(level), type(func), type(path), type(line), type(text)) == (
            int, str, str, int, str)
    module.set_log_level(module.LOG_LEVEL_OFF)
    lines.clear()
    some_lines(hosts)
    assert lines == []
    module.set_log_level(module.LOG_LEVEL_TRACE)  # the handler was kept
    some_lines(hosts)
    assert lines
    assert module.set_log_handler(None) == 0
    lines.clear()
    some_lines(hosts)
    assert lines == []


@MODULES
def test_handlers_that_are_none(module, logs):
    assert module.set_log_handler() == 0
    assert module.set_log_handler(log_handler=None) == 0
    with pytest.raises(TypeError):
        module.set_log_handler(print, print)


def test_a_handler_that_raises_does_no_harm(hosts, logs, recwarn):
    def broken(*line):
        raise RuntimeError("the handler")

    aerospike_py.set_log_handler(broken)
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_TRACE)
    import sys

    seen, sys.unraisablehook, before = [], lambda e: seen.append(e.exc_value), sys.unraisablehook
    try:
        some_lines(hosts)
    finally:
        sys.unraisablehook = before
    assert all(str(e) == "the handler" for e in seen)


def test_lines_go_to_logging(hosts, logs, caplog):
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_TRACE)
    with caplog.at_level(1, "aerospike_py"):
        some_lines(hosts)
    assert any(r.name.startswith("aerospike_py.") for r in caplog.records)
    assert aerospike_py.dropped_log_count() == 0


AT_EXIT = """
import atexit

def connect():
    client = aerospike_py.client({"hosts": %r}).connect()
    client.close()
    aerospike_py._aerospike.flush_log()

@atexit.register
def look():  # runs after what the package has registered later
    before = len(lines)
    connect()
    print(before > 0, len(lines) - before)

import aerospike_py
lines = []
aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_TRACE)
aerospike_py.set_log_handler(lambda *line: lines.append(line))
connect()
"""


def test_no_line_comes_while_the_interpreter_ends(hosts):
    done = subprocess.run([sys.executable, "-c", AT_EXIT % hosts], capture_output=True, text=True,
                          check=False)
    assert (done.stdout, done.stderr) == ("True 0\n", "")


# ---- serializers ----


@pytest.fixture
def serializers():
    yield
    aerospike_py.unset_serializers()


def as_text(value):
    return json.dumps(sorted(value))


def from_text(text):
    return set(json.loads(text))


@MODULES
def test_serializers_are_callable(module, serializers):
    for bad in (None, 5, "x"):
        for call in (module.set_serializer, module.set_deserializer):
            with pytest.raises(ex.ParamError) as e:
                call(bad)
            assert e.value.msg == "Parameter must be a callable"
    assert module.set_serializer(as_text) == 0
    assert module.set_deserializer(from_text) == 0
    assert module.unset_serializers() == 0
    with pytest.raises(TypeError):
        module.unset_serializers(1)


def both(client, strict):
    return ((client, aerospike_py.SERIALIZER_USER, aerospike_py.SERIALIZER_NONE),
            (strict, official.SERIALIZER_USER, official.SERIALIZER_NONE))


def test_the_serializer_of_the_process(client, strict, key, serializers):
    aerospike_py.set_serializer(as_text)
    for one, user, none in both(client, strict):
        for wrong in ({}, {"serializer": none}, {"serializer": "5"}):
            with pytest.raises(ex.ClientError):
                one.put(key, {"v": {1, 2}}, **wrong)
        assert one.put(key, {"v": {1, 2}, "n": 1.5, "l": [1]}, serializer=user) == 0
        assert one.get(key)[2] == {"v": b"[1, 2]", "n": 1.5, "l": [1]}
        with pytest.raises(ex.ClientError):  # it was for that call
            one.put(key, {"v": {1, 2}})
        with pytest.raises(ex.ClientError):
            one.operate(key, [{"op": official.OPERATOR_WRITE if one is strict
                               else aerospike_py.OPERATOR_WRITE, "bin": "v", "val": {1}}])


def test_the_deserializer_of_the_process(client, key, serializers):
    aerospike_py.set_serializer(as_text)
    aerospike_py.set_deserializer(from_text)
    client.put(key, {"v": {1, 2}}, serializer=aerospike_py.SERIALIZER_USER)
    assert client.get(key).bins == {"v": {1, 2}}
    client.put(key, {"w": b"no json"})
    assert client.get(key).bins == {"v": {1, 2}, "w": b"no json"}


def test_no_serializer_is_registered(client, strict, key, serializers):
    for one, user, _ in both(client, strict):
        with pytest.raises(ex.ClientError) as e:
            one.put(key, {"v": {1}}, serializer=user)
        assert e.value.code == -1
        with pytest.raises(ex.ClientError):
            one.put(key, {"v": {1}}, serializer=99)


def test_the_serializer_of_a_client(make_client, make_strict, key, serializers):
    config = {"serialization": (as_text, from_text)}
    for one, _, none in both(make_client(**config), make_strict(**config)):
        one.put(key, {"v": {3, 1}})
        assert one.get(key)[2] == {"v": {1, 3}}
        one.operate(key, [{"op": official.OPERATOR_WRITE if one.get(key)[0][2] is None
                           else aerospike_py.OPERATOR_WRITE, "bin": "o", "val": {2}}])
        assert one.get(key)[2]["o"] == {2}
        with pytest.raises(ex.ClientError):
            one.put(key, {"v": {1}}, serializer=none)
        one.remove(key)
    make_client(serialization=(None, None)).put(key, {"a": 1})


def test_the_clients_serializer_comes_first(make_client, key, serializers):
    aerospike_py.set_serializer(lambda value: "of the process")
    client = make_client(serialization=(lambda value: "of the client", None))
    client.put(key, {"v": {1}}, serializer=aerospike_py.SERIALIZER_USER)
    assert client.get(key).bins == {"v": b"of the client"}


@pytest.mark.parametrize("bad", [lambda: "x", lambda a, b: "x", lambda v: 1 / 0, lambda v: 5],
                         ids=["none", "two", "raises", "int"])
def test_a_serializer_that_fails(make_client, key, bad):
    client = make_client(serialization=(bad, None))
    with pytest.raises(ex.ClientError) as e:
        client.put(key, {"v": {1}})
    assert e.value.code == -1
    assert client.exists(key).meta is None


def test_what_a_serializer_raised_is_the_context(make_client, key):
    client = make_client(serialization=(lambda v: 1 / 0, None))
    with pytest.raises(ex.ClientError) as e:
        client.put(key, {"v": {1}})
    assert isinstance(e.value.__context__, ZeroDivisionError)


def test_a_deserializer_that_fails(make_client, key):
    client = make_client(serialization=(as_text, lambda text: 1 / 0))
    client.put(key, {"v": {1}, "n": 5})
    assert client.get(key).bins == {"v": b"[1]", "n": 5}


# ---- objects of the configuration ----


@MODULES
def test_a_config_provider(module):
    provider = module.ConfigProvider("file.yaml", interval=1000)
    assert (provider.path, provider.interval) == ("file.yaml", 1000)
    assert module.ConfigProvider("file.yaml").interval == 5000
    for name in ("path", "interval"):
        with pytest.raises(AttributeError):
            setattr(provider, name, 1)
    with pytest.raises((ValueError, OverflowError)):
        module.ConfigProvider("file.yaml", 2**32)
    with pytest.raises(OverflowError):
        module.ConfigProvider("file.yaml", -1)
    with pytest.raises(TypeError):
        module.ConfigProvider(5)
    with pytest.raises(TypeError):
        module.ConfigProvider()


@MODULES
def test_the_null_of_the_official_client(module):
    assert isinstance(module.null(1, a=2), module.null)


@MODULES
def test_values_that_only_compare_take_anything(module):
    module.CDTInfinite(1, 2)
    module.CDTWildcard(a=1)
    for cls in (module.CDTInfinite, module.CDTWildcard):
        with pytest.raises(TypeError):
            type("Mine", (cls,), {})


def test_results_can_be_pickled_and_copied(client, key):
    import copy

    client.put(key, {"a": [1], "g": aerospike_py.GeoJSON({"type": "Point", "coordinates": [0, 1]}),
                     "k": aerospike_py.KeyOrderedDict(b=1)})
    record = client.get(key)
    for again in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert again == record
        assert type(again) is aerospike_py.Record
        assert type(again.meta) is aerospike_py.RecordMetadata
        assert type(again.key) is aerospike_py.AerospikeKey
        assert type(again.bins["g"]) is aerospike_py.GeoJSON
        assert type(again.bins["k"]) is aerospike_py.KeyOrderedDict
    info = client.info_all("build")
    assert pickle.loads(pickle.dumps(info)) == info
    nodes = client.get_node_names()
    assert pickle.loads(pickle.dumps(nodes)) == nodes
