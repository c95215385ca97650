"""The fixtures for users' tests, in a run of pytest of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

FILE = '''
import asyncio
import pytest
from aerospike_py import RecordNotFound

KEY = ("test", "demo", 1)

@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_it_empty(aerospike_client, turn):
    assert aerospike_client.exists(KEY).meta is None
    aerospike_client.put(KEY, {"turn": turn})

def test_faults_do_not_outlive_a_test(aerospike_server, aerospike_client):
    aerospike_server.fault("code", code=18)

def test_without_faults(aerospike_client):
    with pytest.raises(RecordNotFound):
        aerospike_client.get(KEY)

def test_async(aerospike_async_client):
    async def go():
        await aerospike_async_client.put(KEY, {"a": 1})
        return (await aerospike_async_client.get(KEY)).bins
    assert asyncio.run(go()) == {"a": 1}

@pytest.mark.asyncio
async def test_async_on_the_loop_of_a_plugin(aerospike_async_client):
    await aerospike_async_client.put(KEY, {"a": 2})
    assert (await aerospike_async_client.get(KEY)).bins == {"a": 2}

def test_settings(aerospike_server, aerospike_config):
    assert len(aerospike_server.ports) == NODES
    assert aerospike_config["hosts"] == list(aerospike_server.hosts)
'''


def run(folder, nodes: int, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_theirs.py").write_text(FILE.replace("NODES", str(nodes)))
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           *options], cwd=folder, capture_output=True, text=True, check=False,
                          timeout=60)


@pytest.fixture
def loaded() -> tuple[str, ...]:
    """How to load the plugin where the package is on the path but not installed."""
    from importlib import metadata

    known = any(point.value == "aerospike_py.pytest_plugin"
                for dist in metadata.distributions() for point in dist.entry_points)
    return () if known else ("-p", "aerospike_py.pytest_plugin")


def test_users_have_servers_and_clients(tmp_path, loaded):
    done = run(tmp_path, 1, *loaded)
    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_the_server_is_as_their_file_says(tmp_path, loaded):
    (tmp_path / "pytest.ini").write_text("[pytest]\naerospike_nodes = 3\n")
    done = run(tmp_path, 3, *loaded)
    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_nothing_is_imported_until_it_is_asked_for(tmp_path, loaded):
    (tmp_path / "test_none.py").write_text(
        "import sys\ndef test():\n    assert 'aerospike_py._server' not in sys.modules\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           *loaded], cwd=tmp_path, capture_output=True, text=True, check=False,
                          timeout=60)
    assert "1 passed" in done.stdout, done.stdout
