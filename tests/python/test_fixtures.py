"""The fixtures themselves: both clients reach the server under test, and leave nothing behind."""

from __future__ import annotations

import pytest

import aerospike_py
from aerospike_py import official


def test_one_text_reaches_both_clients(client, kind, key):
    inner = getattr(client, "inner", client)
    expected = aerospike_py.Client if kind == "sync" else aerospike_py.AsyncClient
    assert isinstance(inner, expected)
    assert client.put(key, {"a": 1}) == 0
    assert client.get(key).bins == {"a": 1}


def test_every_face_reaches_the_same_server(face, key, strict):
    face.put(key, {"a": 1})
    assert strict.get(key)[2] == {"a": 1}


def test_the_strict_face_is_the_official_one(strict):
    assert isinstance(strict, official.Client)


async def test_an_async_test_has_the_client_itself(aclient, key):
    await aclient.put(key, {"a": 1})
    assert (await aclient.get(key)).bins == {"a": 1}


def test_a_client_of_its_own_is_closed_later(make_client, kind):
    one = make_client(connect=False)
    assert not one.is_connected()
    one.connect()
    assert one.is_connected()


def test_a_set_is_empty_at_first(client, set_name, namespace):
    key = (namespace, set_name, 1)
    assert client.exists(key).meta is None
    client.put(key, {"a": 1})


@pytest.mark.needs_enterprise
def test_the_server_may_be_asked_to_be_of_the_enterprise_edition(client):
    assert "Enterprise" in client.info_random_node("edition")


def test_faults_strike_until_the_test_ends(server, client, key):
    server.fault("code", code=18, classes="write", times=1)
    with pytest.raises(aerospike_py.exception.DeviceOverload):
        client.put(key, {"a": 1})
    client.put(key, {"a": 1})


def test_the_cluster_has_three_nodes(cluster, make_client):
    assert len(make_client(hosts=cluster.hosts).get_node_names()) == 3
