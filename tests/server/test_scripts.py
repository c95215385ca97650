"""Scripts on the local server, as a client sees them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py.server import LocalServer

MODULE = """
function double(rec, bin, by)
    rec[bin] = rec[bin] * by
    aerospike:update(rec)
    return map{value = rec[bin], names = list{bin}}
end
function spin() while true do end end
function deaf() string.rep('', 1 << 31) end
function echo(rec, value) return value end
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(nodes=2) as running:
        yield running


@pytest.fixture
def client(server: LocalServer, tmp_path: Any) -> Iterator[Any]:
    path = tmp_path / "local_scripts.lua"
    path.write_text(MODULE)
    client = aerospike_py.client(server.config).connect()
    client.udf_put(str(path))
    yield client
    client.close()


def test_a_function_runs_on_its_record(client: Any) -> None:
    key = ("test", "scripts", 1)
    client.put(key, {"n": 21})
    result = client.apply(key, "local_scripts", "double", ["n", 2])
    assert result == {"value": 42, "names": ["n"]}
    assert client.get(key)[2] == {"n": 42}


@pytest.mark.parametrize("value", [1, -(2**63), 1.5, "text", True, None, b"\0\1", [1, [2]],
                                   {"a": {"b": [1]}}, aerospike_py.GeoJSON(
                                       {"type": "Point", "coordinates": [1, 2]})])
def test_values_pass_through_a_script(client: Any, value: Any) -> None:
    result = client.apply(("test", "scripts", 2), "local_scripts", "echo", [value])
    assert str(result) == str(value)


def test_a_script_without_end_is_ended_and_the_server_lives(client: Any) -> None:
    with pytest.raises(aerospike_py.exception.UDFError) as error:
        client.apply(("test", "scripts", 3), "local_scripts", "spin", [],
                     {"total_timeout": 10_000, "socket_timeout": 10_000})
    assert "ran too long" in str(error.value)
    client.put(("test", "scripts", 3), {"n": 1})


def test_importing_client_and_server_loads_no_lua() -> None:
    code = """
        import sys
        import aerospike_py
        from aerospike_py.server import LocalServer
        with LocalServer() as server:
            client = aerospike_py.client(server.config).connect()
            client.put(("test", "s", 1), {"a": 1})
            client.close()
        assert "aerospike_py._lua" not in sys.modules
        maps = open("/proc/self/maps").read() if sys.platform == "linux" else ""
        assert "lua" not in maps
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_a_script_that_cannot_be_ended_is_left_behind(tmp_path: Any) -> None:
    """In a process of its own: the thread that is left would disturb others."""
    path = tmp_path / "left.lua"
    path.write_text(MODULE)
    code = f"""
        import os, time
        import aerospike_py
        from aerospike_py.server import LocalServer
        with LocalServer() as server:
            client = aerospike_py.client(server.config).connect()
            client.udf_put({str(path)!r})
            patient = {{"total_timeout": 20_000, "socket_timeout": 20_000}}
            try:
                client.apply(("test", "s", 1), "left", "deaf", [], dict(patient))
            except aerospike_py.exception.UDFError:
                pass
            assert client.apply(("test", "s", 1), "left", "echo", [7]) == 7
            client.close()
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)
