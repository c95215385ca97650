"""What nodes are told of the client."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

import aerospike_py
from aerospike_py.server import LocalServer

pytestmark = pytest.mark.local_only


def agents(client: Any) -> list[list[str]]:
    """Node by node."""
    found = []
    for _, _, text in client.info_all("user-agents"):
        items = [item.split(":") for item in text.split(";") if item]
        found.append([b64decode(item[0].removeprefix("user-agent=")).decode() for item in items])
    return found


def test_every_node_is_told_once(make_client: Callable[..., Any]) -> None:
    with LocalServer(nodes=2) as server:
        client = make_client(server.hosts, app_id="shop")
        for n in range(20):
            client.put(("test", "agents", n), {"a": 1})
        assert agents(client) == [[f"1,aerospike_py-{aerospike_py.__version__},shop"]] * 2


def test_an_application_needs_no_name(make_client: Callable[..., Any]) -> None:
    with LocalServer() as server:
        client = make_client(server.hosts)
        assert agents(client) == [[f"1,aerospike_py-{aerospike_py.__version__},not-set"]]


def test_long_names_are_cut(make_client: Callable[..., Any]) -> None:
    with LocalServer() as server:
        client = make_client(server.hosts, app_id="x" * 200)
        ((text,),) = agents(client)
        assert len(text) == 63
        assert text.endswith("xxx")


def test_a_node_that_comes_back_is_told_again(make_client: Callable[..., Any]) -> None:
    from wires import wait_for

    with LocalServer() as server:
        client = make_client(server.hosts, tend_interval=250, app_id="again")
        server.node_restart(0)
        wait_for(lambda: client.is_connected() and client.ping() and agents(client) != [[]])
        assert agents(client)[0][0].endswith(",again")
