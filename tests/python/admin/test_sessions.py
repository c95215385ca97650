"""Logging in, and staying so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wires import Tap, wait_for, works

import aerospike_py
from aerospike_py import exception as e, official
from aerospike_py.server import LocalServer, User

pytestmark = pytest.mark.local_only
KEY = ("test", "sessions", 1)
ROOT = {"user": "root", "password": "root"}


def test_who_is_not_known_does_not_come_in(make_client: Callable[..., Any]) -> None:
    for more, code in (({"user": "nobody", "password": "root"}, 60),
                       ({"user": "root", "password": "wrong"}, 65), ({}, 80)):
        with pytest.raises(e.AdminError) as raised:
            make_client(**more)
        assert raised.value.code == code


def test_the_strict_face_says_the_same(secured: LocalServer) -> None:
    with pytest.raises(official.exception.AdminError) as raised:
        official.client({"hosts": secured.hosts, "user": "root", "password": "wrong"})
    assert raised.value.code == 65


def test_connect_takes_a_user(make_client: Callable[..., Any]) -> None:
    one = make_client(connect=False, user="nobody", password="none")
    one.connect("root", "root")
    assert one.put(KEY, {"a": 1}) == 0
    one.close()
    one.connect(username="root", password="root")
    assert one.put(KEY, {"a": 1}) == 0


def test_a_user_needs_a_password(make_client: Callable[..., Any]) -> None:
    with pytest.raises(e.ClientError, match="password must be a string"):
        make_client(user="root")
    with pytest.raises(e.ClientError, match="longer than 63 bytes"):
        make_client(user="root", password="p" * 64)


def test_a_server_without_users_takes_anybody_who_may_be_ignored(
        make_client: Callable[..., Any]) -> None:
    with LocalServer(edition="enterprise") as plain:
        one = make_client(plain.hosts, **ROOT)
        assert one.put(KEY, {"a": 1}) == 0
    with LocalServer() as community, pytest.raises(e.SecurityNotSupported):
        make_client(community.hosts, **ROOT)


@pytest.fixture
def short_lived() -> Iterator[LocalServer]:
    """A login lasts two minutes of the server's clock."""
    with LocalServer(edition="enterprise", security=True, nodes=2, session_ttl=120,
                     users=[User("root", "root", ["read-write"])]) as server:
        yield server


def test_a_session_that_has_ended_is_renewed(make_client: Callable[..., Any],
                                             short_lived: LocalServer) -> None:
    one = make_client(short_lived.hosts, tend_interval=250, **ROOT)
    one.put(KEY, {"a": 1})
    short_lived.advance(200)  # the tokens are worth nothing now
    for node in range(2):
        short_lived.node_restart(node)  # and all connections are gone
    wait_for(lambda: works(lambda: one.put(KEY, {"a": 2})))
    assert one.get(KEY).bins == {"a": 2}


def test_a_session_is_renewed_before_it_ends(make_client: Callable[..., Any]) -> None:
    with LocalServer(edition="enterprise", security=True, session_ttl=2,
                     users=[User("root", "root", ["read-write"])]) as server:
        one = make_client(server.hosts, tend_interval=250, max_retries=0, **ROOT)
        until = time.monotonic() + 5
        while time.monotonic() < until:  # two lives of a session
            one.put(KEY, {"a": 1})
            server.node_restart(0)  # the next command comes on a new connection
            wait_for(lambda: works(lambda: one.get(KEY)))


def test_every_connection_is_authenticated_with_the_token(make_client: Callable[..., Any],
                                                          secured: LocalServer) -> None:
    tap = Tap(secured.ports[0])
    try:
        one = make_client([tap.address], **ROOT)
        assert b"root" in tap.seen
        assert tap.seen.count(b"$2a$10$7EqJtq98hPqEX7fNZaFWo") == 1  # one login
        one.put(KEY, {"a": 1})
    finally:
        tap.close()


@pytest.mark.parametrize("mode", ["AUTH_INTERNAL", "AUTH_EXTERNAL_INSECURE"])
@pytest.mark.parametrize("place", ["top", "policies"])
def test_only_external_modes_send_the_password(make_client: Callable[..., Any], mode: str,
                                               place: str) -> None:
    number = getattr(aerospike_py, mode)
    more = {"auth_mode": number} if place == "top" else {"policies": {"auth_mode": number}}
    with LocalServer(edition="enterprise", security=True,
                     users=[User("eve", "open-sesame", ["read-write"])]) as server:
        tap = Tap(server.ports[0])
        one = make_client([tap.address], user="eve", password="open-sesame", **more)
        assert one.is_connected()
        # The field: its size with its number, 4, and the text.
        sent = b"\x00\x00\x00\x0c\x04open-sesame" in tap.seen
        assert sent == (mode == "AUTH_EXTERNAL_INSECURE")
        tap.close()


@pytest.mark.parametrize("mode", [4, -1, 99])
def test_modes_that_do_not_exist(make_client: Callable[..., Any], mode: int) -> None:
    with pytest.raises(e.ParamError, match="Specify valid auth_mode"):
        make_client(connect=False, auth_mode=mode)
