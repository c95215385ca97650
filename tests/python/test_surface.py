"""The names of both peers exist here, and can be called as they are called there."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import aerospike_py
from aerospike_py import official

DATA = Path(__file__).resolve().parent.parent / "data"
OFFICIAL = json.loads((DATA / "surface_official.json").read_text())
RUST = json.loads((DATA / "surface_rust.json").read_text())
NONE = "$none"  # no default

# ---- the Rust package ----


@pytest.mark.parametrize("name", RUST["all"])
def test_public_names(name):
    assert name in aerospike_py.__all__
    assert getattr(aerospike_py, name) is not None


def takes(function, wanted):
    """The parameters `wanted` in their places, with their defaults; more may follow."""
    found = list(inspect.signature(function).parameters.values())
    for at, (name, kind, default) in enumerate(wanted):
        if kind == "KEYWORD_ONLY":
            one = inspect.signature(function).parameters[name]
        else:
            one = found[at]
        assert one.name == name, (function, found)
        assert default == NONE or one.default == default
    for one in found[len(wanted):]:
        assert one.default is not one.empty or one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)


@pytest.mark.parametrize("name", RUST["Client"])
def test_methods_of_the_client(name):
    takes(getattr(aerospike_py.Client, name), RUST["Client"][name])


@pytest.mark.parametrize("name", RUST["AsyncClient"])
def test_methods_of_the_asynchronous_client(name):
    takes(getattr(aerospike_py.AsyncClient, name), RUST["AsyncClient"][name])


def test_both_clients_have_the_same_methods():
    def public(cls):
        return {n for n in dir(cls) if not n.startswith("_")}

    assert public(aerospike_py.Client) == public(aerospike_py.AsyncClient)


@pytest.mark.parametrize("name", RUST["functions"])
def test_functions(name):
    takes(getattr(aerospike_py, name), RUST["functions"][name])


@pytest.mark.parametrize("name", RUST["tuples"])
def test_tuples(name):
    fields, defaults = RUST["tuples"][name]
    cls = getattr(aerospike_py, name, None) or getattr(aerospike_py.types, name)
    assert issubclass(cls, tuple)
    assert list(cls._fields[:len(fields)]) == fields
    for field, default in defaults.items():
        if isinstance(default, dict):
            default = tuple(default["$tuple"])
        assert cls._field_defaults[field] == default


@pytest.mark.parametrize("name", RUST["dicts"])
def test_dicts(name):
    cls = getattr(aerospike_py, name, None) or getattr(aerospike_py.types, name)
    assert typing.is_typeddict(cls)
    assert set(RUST["dicts"][name]) <= cls.__required_keys__ | cls.__optional_keys__


def test_every_key_of_the_configuration_has_a_type():
    from aerospike_py._config import TOP_KEYS

    assert set(TOP_KEYS) <= aerospike_py.ClientConfig.__optional_keys__


def test_submodules_are_attributes():
    for name in ("exception", "predicates", "list_operations", "map_operations",
                 "hll_operations", "bit_operations", "exp", "types", "numpy_batch"):
        assert getattr(aerospike_py, name) is importlib.import_module(f"aerospike_py.{name}")


def test_it_has_a_version():
    assert isinstance(aerospike_py.__version__, str)
    assert aerospike_py.__version__[0].isdigit()


# ---- private names that tests of the Rust package use ----


def test_the_native_module():
    native = importlib.import_module("aerospike_py._aerospike")
    for name in ("Client", "AsyncClient", "AerospikeError", "init_tracing", "shutdown_tracing"):
        assert hasattr(native, name)
    assert native.AerospikeError is aerospike_py.AerospikeError


def test_numbers_of_operations_have_no_gap():
    lists = sorted(v for n, v in vars(aerospike_py.list_operations).items()
                   if n.startswith("_OP_LIST_"))
    maps = sorted(v for n, v in vars(aerospike_py.map_operations).items()
                  if n.startswith("_OP_MAP_"))
    assert lists[:31] == list(range(1001, 1032))
    assert maps[:27] == list(range(2001, 2028))


def test_an_unknown_expression():
    with pytest.raises(ValueError, match="nonsense"):
        aerospike_py.exp._cmd("nonsense")
    assert aerospike_py.exp._cmd("int_bin", name="a") == aerospike_py.exp.int_bin("a")


def test_the_twin_of_the_batch_reader():
    numpy_batch = importlib.import_module("aerospike_py.numpy_batch")
    assert callable(numpy_batch._batch_records_to_numpy)
    assert hasattr(numpy_batch.NumpyBatchRecords, "_map")


def test_the_report_of_a_bug(caplog):
    report = importlib.import_module("aerospike_py._bug_report")
    try:
        raise RuntimeError("surprise")
    except RuntimeError as error:
        report.log_unexpected_error("Client.get", error)
    assert "This error may be a bug in aerospike-py" in caplog.text
    assert "gh issue create" in caplog.text
    assert "surprise" in caplog.text
    assert "Client.get" in caplog.text
    assert "KimSoungRyoul" not in caplog.text


async def test_surprises_are_reported_and_raised(caplog):
    report = importlib.import_module("aerospike_py._bug_report")

    @report.catch_unexpected("plain")
    def plain():
        raise RuntimeError("one")

    @report.catch_unexpected("asynchronous")
    async def asynchronous():
        raise RuntimeError("two")

    @report.catch_unexpected("known")
    def known():
        raise aerospike_py.ClientError("three")

    with pytest.raises(RuntimeError, match="one"):
        plain()
    with pytest.raises(RuntimeError, match="two"):
        await asynchronous()
    with pytest.raises(aerospike_py.ClientError):
        known()
    assert "plain" in caplog.text
    assert "asynchronous" in caplog.text
    assert "three" not in caplog.text


# ---- the official client ----

@pytest.mark.parametrize("name", OFFICIAL["client"])
@pytest.mark.parametrize("cls", [aerospike_py.Client, aerospike_py.AsyncClient, official.Client])
def test_methods_of_the_official_client(cls, name):
    assert callable(getattr(cls, name))


@pytest.mark.parametrize("name", [*OFFICIAL["functions"], *OFFICIAL["classes"]])
@pytest.mark.parametrize("module", [aerospike_py, official], ids=["main", "strict"])
def test_official_names(module, name):
    assert getattr(module, name) is not None


@pytest.mark.parametrize("name", OFFICIAL["client"])
@pytest.mark.parametrize("cls", [aerospike_py.Client, aerospike_py.AsyncClient, official.Client])
def test_official_methods(cls, name):
    method = getattr(cls, name)
    assert callable(method)
    assert method.__doc__


@pytest.mark.parametrize("name", OFFICIAL["predicates"])
def test_official_predicates(name):
    assert callable(getattr(official.predicates, name))
    assert callable(getattr(aerospike_py.predicates, name))
    with pytest.raises(TypeError):
        getattr(official.predicates, name)()


@pytest.mark.parametrize("name", ["Query", "Scan"])
def test_queries_are_not_made_by_hand(name):
    with pytest.raises(TypeError, match="cannot create"):
        getattr(official, name)("test", "demo")


def test_methods_of_the_strict_client_are_descriptors():
    assert official.Client.get.__objclass__ is official.Client.__mro__[1]
    inspect.signature(official.Client.operate)


def run(program):
    root = str(Path(aerospike_py.__file__).resolve().parent.parent)
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True,
                          text=True, timeout=60, env={"PYTHONPATH": root, "PATH": ""})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_neither_server_nor_numpy_nor_lua_nor_asyncio():
    out = run("import sys, aerospike_py\n"
              "print(sorted(m for m in ('numpy', 'asyncio', 'aerospike_py._server',"
              " 'aerospike_py._lua', 'aerospike_py._numpy', 'aerospike_py.official', 'ssl',"
              " 'aerospike') if m in sys.modules))")
    assert out.strip() == "[]"


def test_it_can_stand_in_for_the_official_package():
    out = run("""
import aerospike_py
aerospike_py.install_as_aerospike()
import aerospike, aerospike.exception, aerospike.predicates
from aerospike import exception as ex, predicates as p
from aerospike_helpers import cdt_ctx, metrics
from aerospike_helpers.operations import (operations, list_operations, map_operations,
    bitwise_operations, hll_operations, expression_operations)
from aerospike_helpers.expressions import base, Eq, IntBin
from aerospike_helpers.batch.records import BatchRecords, Write
from aerospike_helpers import HyperLogLog
import aerospike_helpers
assert aerospike is aerospike_py.official
assert issubclass(ex.RecordNotFound, ex.RecordError)
assert aerospike.OPERATOR_READ == 0
assert operations.read("a") == {"op": 0, "bin": "a"}, operations.read("a")
assert list_operations.list_append("b", 1)["op"] == 1001
assert p.equals("a", 1) == (0, 4, "a", 1)
try:
    aerospike.client({"hosts": [("127.0.0.1", 1)]})
except ex.AerospikeError as e:
    assert e.code == -10, e
else:
    raise SystemExit("connected?")
aerospike_py.official.uninstall()
import sys
assert "aerospike" not in sys.modules and "aerospike_helpers" not in sys.modules
print("fine")
""")
    assert out == "fine\n"
