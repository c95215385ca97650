"""Methods look like functions of Python, so that what stands in for a client fits."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
import types
from pathlib import Path
from unittest import mock

import pytest

import aerospike_py
from aerospike_py import _aerospike

PLAIN = {"is_connected", "get_node_names", "query", "scan"}  # answered without asking
NOWHERE = {"hosts": [("127.0.0.1", 1)]}
CLIENTS = [aerospike_py.Client, aerospike_py.AsyncClient]


def public(cls):
    return [n for n in dir(cls) if not n.startswith("_") and callable(getattr(cls, n))]


@pytest.mark.parametrize("name", ["put", "get", "batch_read", "ping", "close", "admin_query_roles"])
def test_what_is_a_coroutine_function(name):
    function = getattr(aerospike_py.AsyncClient, name)
    assert inspect.iscoroutinefunction(function)
    assert asyncio.iscoroutinefunction(function)
    assert inspect.iscoroutinefunction(getattr(aerospike_py.AsyncClient(NOWHERE), name))
    assert not inspect.iscoroutinefunction(getattr(aerospike_py.Client, name))


@pytest.mark.parametrize("name", ["results", "foreach", "execute_background"])
def test_methods_of_an_asynchronous_query_too(name):
    assert inspect.iscoroutinefunction(getattr(aerospike_py.AsyncQuery, name))
    assert not inspect.iscoroutinefunction(getattr(aerospike_py.Query, name))


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_what_is_no_coroutine_function(name):
    assert not inspect.iscoroutinefunction(getattr(aerospike_py.AsyncClient, name))


@pytest.mark.parametrize("cls", CLIENTS)
def test_every_method_is_a_function_to_inspect(cls):
    for name in public(cls):
        function = getattr(cls, name)
        assert inspect.isfunction(function), name
        assert isinstance(function, types.FunctionType)
        assert inspect.ismethod(getattr(cls(NOWHERE), name))
        assert function.__name__ == name
        assert function.__qualname__ == f"{cls.__name__}.{name}"
        assert function.__doc__.strip() and "$self" not in function.__doc__
        assert next(iter(inspect.signature(function).parameters)) == "self"
        assert "self" not in inspect.signature(getattr(cls(NOWHERE), name)).parameters


@pytest.mark.parametrize("cls", CLIENTS)
def test_a_method_travels_in_a_pickle(cls):
    assert pickle.loads(pickle.dumps(cls.get)) is cls.get


@pytest.mark.parametrize("cls", CLIENTS)
def test_a_method_wants_its_own_kind_of_client(cls):
    with pytest.raises(TypeError, match="needs an argument"):
        cls.get()
    with pytest.raises(TypeError, match=r"'get' is for '\w+' objects, not for 'int'"):
        cls.get(1, ("test", "demo", 1))


@pytest.mark.parametrize("make", [
    lambda: mock.MagicMock(spec=aerospike_py.AsyncClient),
    lambda: mock.AsyncMock(spec=aerospike_py.AsyncClient),
    lambda: mock.create_autospec(aerospike_py.AsyncClient, instance=True),
], ids=["MagicMock", "AsyncMock", "create_autospec"])
async def test_a_mock_of_the_asynchronous_client(make):
    client = make()
    client.get.return_value = "record"
    assert await client.get(("test", "demo", 1)) == "record"
    client.get.assert_awaited_once_with(("test", "demo", 1))
    client.is_connected.return_value = True
    assert client.is_connected() is True
    assert isinstance(client, aerospike_py.AsyncClient)
    with pytest.raises(AttributeError):
        client.no_such_method  # noqa: B018


@pytest.mark.parametrize("cls", [aerospike_py.Query, aerospike_py.AsyncQuery, aerospike_py.Scan])
def test_a_mock_of_a_query(cls):
    query = mock.create_autospec(cls, instance=True)
    with pytest.raises(TypeError, match="'callback'"):
        query.foreach()
    assert inspect.isfunction(cls.results) and inspect.isfunction(cls.pages)
    assert pickle.loads(pickle.dumps(cls.foreach)) is cls.foreach


@pytest.mark.parametrize("cls", CLIENTS)
def test_a_mock_by_the_signature(cls):
    client = mock.create_autospec(cls, instance=True)
    with pytest.raises(TypeError, match="'key'"):
        client.get()
    with pytest.raises(TypeError, match="no_such"):
        client.put(("test", "demo", 1), {}, no_such=1)


async def test_patching_a_method_of_the_class():
    client = aerospike_py.AsyncClient(NOWHERE)
    with mock.patch.object(aerospike_py.AsyncClient, "get", autospec=True) as get:
        get.return_value = 3
        assert await client.get("key") == 3
        get.assert_awaited_once_with(client, "key")
    with mock.patch.object(aerospike_py.AsyncClient, "get") as get:
        get.return_value = 4
        assert await client.get("key") == 4
    with mock.patch("aerospike_py.AsyncClient", autospec=True) as cls:
        made = aerospike_py.AsyncClient(NOWHERE)
        made.put.return_value = None
        assert await made.put("key", {}) is None
        cls.assert_called_once_with(NOWHERE)
    assert inspect.signature(aerospike_py.AsyncClient.get).parameters.keys() == {
        "self", "key", "policy"}


def test_patching_a_method_of_the_synchronous_class(monkeypatch):
    client = aerospike_py.client(NOWHERE)
    with mock.patch.object(aerospike_py.Client, "get", autospec=True) as get:
        get.return_value = 3
        assert client.get("key") == 3
        get.assert_called_once_with(client, "key")
    monkeypatch.setattr(client, "get", lambda key: key)
    assert client.get(1) == 1


def test_public_names_in_the_native_module():
    for name in ("AsyncClient", "AerospikeError", "RecordNotFound", "POLICY_KEY_SEND",
                 "init_tracing", "shutdown_tracing", "PartitionFilter", "BatchRecord"):
        assert getattr(_aerospike, name) is getattr(aerospike_py, name)
    assert _aerospike.get_metrics_text() == aerospike_py.get_metrics()
    with pytest.raises(AttributeError, match="no_such"):
        _aerospike.no_such  # noqa: B018


async def test_a_call_is_a_coroutine_to_inspect(aclient, key):
    call = aclient.put(key, {"a": 1})
    assert inspect.iscoroutine(call) and isinstance(call, types.CoroutineType)
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0)
    if not task.done():
        assert inspect.getcoroutinestate(call) in ("CORO_SUSPENDED", "CORO_RUNNING")
    await task
    assert inspect.getcoroutinestate(call) == "CORO_CLOSED"


async def test_a_task_group_of_anyio_runs_and_cancels_calls(aclient, server, key):
    anyio = pytest.importorskip("anyio")
    client = aclient
    async with anyio.create_task_group() as group:
        group.start_soon(client.put, key, {"a": 1})
    assert (await client.get(key)).bins == {"a": 1}
    server.fault("delay", ms=20_000, classes="read")
    with anyio.move_on_after(0.05) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(client.get, key, {"total_timeout": 50_000, "socket_timeout": 50_000})
    assert scope.cancelled_caught


ENDS = """
import asyncio
import aerospike_py

async def main():
    client = aerospike_py.AsyncClient({"hosts": %r})
    await client.connect()
    call = client.ping()
    await call
    raise RuntimeError("the client is open, and the trace holds it")

asyncio.run(main())
"""


def test_a_process_ends_with_a_client_left_open(hosts):
    root = str(Path(aerospike_py.__file__).resolve().parent.parent)
    done = subprocess.run([sys.executable, "-c", ENDS % hosts], capture_output=True, text=True,
                          timeout=60, env={"PYTHONPATH": root, "PATH": ""})
    assert done.returncode == 1, done.stderr
    assert "the trace holds it" in done.stderr
