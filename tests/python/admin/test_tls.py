"""TLS: every key of the configuration, names and errors, on both clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority, Issued
from wires import Tap, wait_for, works

import aerospike_py
from aerospike_py import _aerospike, exception as e
from aerospike_py.server import LocalServer, TLSFiles, User

pytestmark = pytest.mark.local_only
KEY = ("test", "tls", 1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="session")
def ca(folder: Path) -> Authority:
    return Authority(folder, "good")


@pytest.fixture(scope="session")
def other_ca(folder: Path) -> Authority:
    return Authority(folder, "other")


@pytest.fixture(scope="session")
def node_cert(ca: Authority) -> Issued:
    return ca.issue("nodes", ("node.test", "127.0.0.1", "*.wild.test"))


@pytest.fixture(scope="session")
def secure(node_cert: Issued) -> Iterator[LocalServer]:
    """Two nodes with TLS, which are called node.test."""
    with LocalServer(nodes=2, edition="enterprise", tls=TLSFiles(
            node_cert.certfile, node_cert.keyfile, name="node.test")) as server:
        yield server


@pytest.fixture
def hosts(secure: LocalServer) -> list[tuple[str, int]]:
    return secure.hosts


def config_of(server: LocalServer, name: str | None = "node.test") -> list[Any]:
    host, port, _ = server.tls_hosts[0]
    return [(host, port, name) if name is not None else (host, port)]


@contextmanager
def connected(make_client: Callable[..., Any], server: LocalServer, name: str | None = "node.test",
              more: dict[str, Any] | None = None, **tls: Any) -> Iterator[Any]:
    one = make_client(config_of(server, name), tls={"enable": True, **tls}, **(more or {}))
    yield one
    one.close()


def test_records_travel_over_tls(make_client: Callable[..., Any], secure: LocalServer,
                                 ca: Authority) -> None:
    with connected(make_client, secure, cafile=ca.cafile) as one:
        assert len(one.get_node_names()) == 2
        for i in range(20):
            one.put(("test", "tls", i), {"a": i, "big": "x" * 50_000})
        assert [one.get(("test", "tls", i)).bins["a"] for i in range(20)] == list(range(20))
        assert {port for _, port in one.get_nodes()} == set(secure.tls_ports)


def test_the_strict_face_takes_the_same(make_strict: Callable[..., Any], secure: LocalServer,
                                        ca: Authority) -> None:
    one = make_strict(config_of(secure), tls={"enable": True, "cafile": ca.cafile})
    assert one.put(KEY, {"a": 1}) == 0
    assert one.get(KEY)[2]["a"] == 1


def test_many_at_once_over_tls(secure: LocalServer, ca: Authority) -> None:
    async def run() -> None:
        one = aerospike_py.AsyncClient({"hosts": config_of(secure), "max_conns_per_node": 8,
                                        "tls": {"enable": True, "cafile": ca.cafile}})
        await one.connect()
        keys = [("test", "tls", i) for i in range(300)]
        policy = {"total_timeout": 20_000}
        await asyncio.gather(*[one.put(k, {"n": k[2], "s": "y" * 3000}, policy=policy)
                               for k in keys])
        found = await asyncio.gather(*[one.get(k, policy) for k in keys])
        assert [r.bins["n"] for r in found] == list(range(300))
        await one.close()
    asyncio.run(run())


def test_a_certificate_of_another_authority_is_refused(
        make_client: Callable[..., Any], secure: LocalServer, other_ca: Authority) -> None:
    with pytest.raises(e.AerospikeError, match=r"unable to get local issuer|self.signed|verify"):
        make_client(config_of(secure), tls={"enable": True, "cafile": other_ca.cafile})


def test_without_a_cafile_the_systems_are_taken(make_client: Callable[..., Any],
                                                secure: LocalServer) -> None:
    with pytest.raises(e.AerospikeError, match="TLS handshake"):
        make_client(config_of(secure), tls={"enable": True})


@pytest.mark.parametrize(("name", "fine"), [
    ("node.test", True), ("NODE.TEST", True), (None, True), ("a.wild.test", True),
    ("a.b.wild.test", False), ("other.test", False), ("nodes", False)])
def test_the_name_must_be_in_the_certificate(make_client: Callable[..., Any], ca: Authority,
                                             node_cert: Issued, name: str | None,
                                             fine: bool) -> None:
    with LocalServer(edition="enterprise", tls=TLSFiles(
            node_cert.certfile, node_cert.keyfile, name=name or "127.0.0.1")) as server:
        if fine:
            with connected(make_client, server, name, cafile=ca.cafile) as one:
                assert one.is_connected()
            return
        with pytest.raises(e.AerospikeError, match="mismatch"):
            make_client(config_of(server, name), tls={"enable": True, "cafile": ca.cafile})


def test_capath_is_a_folder_of_hashed_names(make_client: Callable[..., Any], secure: LocalServer,
                                            ca: Authority, tmp_path: Path) -> None:
    ssl = pytest.importorskip("_ssl")
    assert ssl
    import subprocess
    from shutil import which

    if which("openssl") is None:
        pytest.skip("the openssl command makes the names")
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", ca.cafile], check=True,
                          capture_output=True, text=True).stdout.strip()
    (tmp_path / f"{name}.0").write_bytes(Path(ca.cafile).read_bytes())
    with connected(make_client, secure, capath=str(tmp_path)) as one:
        assert one.is_connected()


def test_an_expired_certificate_is_refused(make_client: Callable[..., Any],
                                           ca: Authority) -> None:
    old = ca.issue("old", ("node.test",), valid=False)
    with LocalServer(edition="enterprise", tls=TLSFiles(
            old.certfile, old.keyfile, name="node.test")) as server, \
            pytest.raises(e.AerospikeError, match="expired"):
        make_client(config_of(server), tls={"enable": True, "cafile": ca.cafile})


# ---- what the client shows ----


@pytest.fixture(scope="session")
def mutual(node_cert: Issued, ca: Authority) -> Iterator[LocalServer]:
    """It lets in who shows a certificate, and knows ``ada`` by hers."""
    with LocalServer(edition="enterprise", security=True, tls=TLSFiles(
            node_cert.certfile, node_cert.keyfile, ca.cafile, "node.test"),
            users=[User("root", "root", ["user-admin"]),
                   User("ada", "", ["read-write"])]) as server:
        yield server


def test_the_server_asks_for_a_certificate(make_client: Callable[..., Any], mutual: LocalServer,
                                           ca: Authority, other_ca: Authority) -> None:
    mine = ca.issue("somebody")
    theirs = other_ca.issue("somebody")
    more = {"user": "root", "password": "root"}
    with connected(make_client, mutual, cafile=ca.cafile, certfile=mine.certfile,
                   keyfile=mine.keyfile, more=more) as one:
        assert one.is_connected()
    for files in ({}, {"certfile": theirs.certfile, "keyfile": theirs.keyfile}):
        with pytest.raises(e.AerospikeError):
            make_client(config_of(mutual), tls={"enable": True, "cafile": ca.cafile, **files},
                        **more)


def test_a_key_with_a_password(make_client: Callable[..., Any], mutual: LocalServer,
                               ca: Authority) -> None:
    mine = ca.issue("somebody", password="open sesame")
    tls = {"cafile": ca.cafile, "certfile": mine.certfile, "keyfile": mine.keyfile}
    more = {"user": "root", "password": "root"}
    with connected(make_client, mutual, **tls, keyfile_pw="open sesame", more=more) as one:
        assert one.is_connected()
    for wrong in ({"keyfile_pw": "sesame"}, {}):
        with pytest.raises(e.TLSError, match="cannot use private key"):
            make_client(config_of(mutual), tls={"enable": True, **tls, **wrong}, **more)


def test_the_key_must_be_the_certificates(make_client: Callable[..., Any], mutual: LocalServer,
                                          ca: Authority) -> None:
    mine, another = ca.issue("somebody"), ca.issue("another")
    with pytest.raises(e.TLSError, match="cannot use private key"):
        make_client(config_of(mutual), tls={
            "enable": True, "cafile": ca.cafile, "certfile": mine.certfile,
            "keyfile": another.keyfile})


def test_certfile_may_hold_the_key(make_client: Callable[..., Any], mutual: LocalServer,
                                   ca: Authority, tmp_path: Path) -> None:
    mine = ca.issue("somebody")
    both = tmp_path / "both.pem"
    both.write_bytes(Path(mine.certfile).read_bytes() + Path(mine.keyfile).read_bytes())
    with connected(make_client, mutual, cafile=ca.cafile, certfile=str(both),
                   more={"user": "root", "password": "root"}) as one:
        assert one.is_connected()


def test_a_certificate_is_a_login(make_client: Callable[..., Any], mutual: LocalServer,
                                  ca: Authority) -> None:
    for name, fine in (("ada", True), ("nobody", False)):
        cert = ca.issue(name)
        tls = {"enable": True, "cafile": ca.cafile, "certfile": cert.certfile,
               "keyfile": cert.keyfile}
        more = {"auth_mode": aerospike_py.AUTH_PKI}
        if not fine:
            with pytest.raises(e.InvalidUser):
                make_client(config_of(mutual), tls=tls, **more)
            continue
        one = make_client(config_of(mutual), tls=tls, **more)
        assert one.put(KEY, {"a": 1}) == 0
        with pytest.raises(e.RoleViolation):
            one.admin_drop_user("root")


# ---- what is allowed ----


def test_protocols_are_chosen(make_client: Callable[..., Any], secure: LocalServer,
                              ca: Authority) -> None:
    for text in ("TLSv1.2", "TLSv1.3", "all", "-TLSv1.3", "+TLSv1.2 +TLSv1.3", "all -TLSv1.2"):
        with connected(make_client, secure, cafile=ca.cafile, protocols=text) as one:
            assert one.is_connected()
    with pytest.raises(e.TLSError, match="unknown TLS protocol 'SSLv9'"):
        make_client(config_of(secure), tls={"enable": True, "protocols": "SSLv9"})


def test_ciphers_are_chosen(make_client: Callable[..., Any], secure: LocalServer,
                            ca: Authority) -> None:
    with connected(make_client, secure, cafile=ca.cafile, protocols="TLSv1.2",
                   cipher_suite="ECDHE-ECDSA-AES256-GCM-SHA384") as one:
        assert one.is_connected()
    with pytest.raises(e.AerospikeError):  # one for keys that the server has not
        make_client(config_of(secure), tls={
            "enable": True, "cafile": ca.cafile, "protocols": "TLSv1.2",
            "cipher_suite": "ECDHE-RSA-AES256-GCM-SHA384"})
    with pytest.raises(e.TLSError, match="no usable cipher in 'ROT13'"):
        make_client(config_of(secure), tls={"enable": True, "cipher_suite": "ROT13"})


def test_a_blacklist_names_serial_numbers(make_client: Callable[..., Any], secure: LocalServer,
                                          ca: Authority, node_cert: Issued,
                                          tmp_path: Path) -> None:
    listed = tmp_path / "blacklist"
    for text, fine in ((f"{node_cert.serial}\n", False), (f"00{node_cert.serial.lower()}\n", False),
                       (f"{node_cert.serial} /CN=good\n", False),
                       (f"{node_cert.serial} /CN=other\n", True), ("1234\n", True), ("", True)):
        listed.write_text(text)
        tls = {"cafile": ca.cafile, "cert_blacklist": str(listed)}
        if fine:
            with connected(make_client, secure, **tls) as one:
                assert one.is_connected()
            continue
        with pytest.raises(e.AerospikeError, match="revoked"):
            make_client(config_of(secure), tls={"enable": True, **tls})


def test_revoked_certificates_are_looked_up(make_client: Callable[..., Any],
                                            secure: LocalServer, ca: Authority,
                                            node_cert: Issued) -> None:
    nobody, listed = ca.revoke(), ca.revoke(node_cert)
    for check in ("crl_check", "crl_check_all"):
        with connected(make_client, secure, cafile=nobody, **{check: True}) as one:
            assert one.is_connected()
        with pytest.raises(e.AerospikeError, match="revoked"):
            make_client(config_of(secure), tls={"enable": True, "cafile": listed, check: True})
    with pytest.raises(e.AerospikeError, match="CRL"):  # there is no list
        make_client(config_of(secure), tls={"enable": True, "cafile": ca.cafile,
                                            "crl_check": True})
    with connected(make_client, secure, cafile=listed) as one:  # nobody looks
        assert one.is_connected()


def test_sessions_are_logged_when_asked_for(make_client: Callable[..., Any], secure: LocalServer,
                                            ca: Authority,
                                            caplog: pytest.LogCaptureFixture) -> None:
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_INFO)
    try:
        for wanted in (False, True):
            with connected(make_client, secure, cafile=ca.cafile, protocols="TLSv1.2",
                           log_session_info=wanted) as one:
                one.put(KEY, {"a": 1})
            _aerospike.flush_log()
            assert ("connected over TLSv1.2 with ECDHE" in caplog.text) == wanted
    finally:
        aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_ERROR)


@pytest.mark.parametrize("name", ["cafile", "certfile", "keyfile", "cert_blacklist"])
def test_a_file_that_is_not_there_is_named(make_client: Callable[..., Any], secure: LocalServer,
                                           name: str) -> None:
    with pytest.raises(e.TLSError, match="no-such-file") as raised:
        make_client(config_of(secure), tls={"enable": True, name: "no-such-file"})
    assert raised.value.code == -9


def test_tls_that_is_not_enabled_is_not_used(make_client: Callable[..., Any],
                                             secure: LocalServer) -> None:
    one = make_client([("127.0.0.1", secure.ports[0])], tls={"cafile": "no-such-file"})
    assert one.put(KEY, {"a": 1}) == 0


def test_a_clear_port_is_no_tls(make_client: Callable[..., Any], secure: LocalServer,
                                ca: Authority) -> None:
    with pytest.raises(e.AerospikeError):
        make_client([("127.0.0.1", secure.ports[0], "node.test")], connect_timeout=500,
                    tls={"enable": True, "cafile": ca.cafile})


def test_who_must_be_trusted_needs_tls(make_client: Callable[..., Any],
                                       secure: LocalServer) -> None:
    clear = [("127.0.0.1", secure.ports[0])]
    with pytest.raises(e.ParamError, match="AUTH_PKI needs 'tls'"):
        make_client(clear, auth_mode=aerospike_py.AUTH_PKI)
    with pytest.raises(e.ParamError, match="AUTH_EXTERNAL needs 'tls'"):
        make_client(clear, auth_mode=aerospike_py.AUTH_EXTERNAL, user="a", password="b")


# ---- only to log in ----


@pytest.fixture(scope="session")
def guarded(node_cert: Issued) -> Iterator[LocalServer]:
    """Two nodes with users and TLS; a login lasts two minutes of the server's clock."""
    with LocalServer(nodes=2, edition="enterprise", security=True, session_ttl=120,
                     tls=TLSFiles(node_cert.certfile, node_cert.keyfile, name="node.test"),
                     users=[User("root", "root", ["read-write", "user-admin"])]) as server:
        yield server


def test_only_the_login_goes_over_tls(make_client: Callable[..., Any], guarded: LocalServer,
                                      ca: Authority) -> None:
    one = make_client(config_of(guarded), user="root", password="root",
                      tls={"enable": True, "cafile": ca.cafile, "for_login_only": True})
    assert {port for _, port in one.get_nodes()} == set(guarded.ports)  # the clear ones
    for i in range(20):
        one.put(("test", "tls", i), {"a": i})
    assert one.admin_query_user_info("root")["roles"] == ["read-write", "user-admin"]


def test_no_password_is_sent_in_clear(make_client: Callable[..., Any], guarded: LocalServer,
                                      ca: Authority) -> None:
    tap = Tap(guarded.ports[0])
    host, port = tap.address
    try:
        with pytest.raises(e.AerospikeError):  # a clear port takes no TLS
            make_client([(host, port, "node.test")], user="root", password="root",
                        connect_timeout=500,
                        tls={"enable": True, "cafile": ca.cafile, "for_login_only": True})
        assert b"$2a$10$" not in tap.seen
    finally:
        tap.close()


def test_a_login_that_ends_is_renewed_over_tls(make_client: Callable[..., Any],
                                               guarded: LocalServer, ca: Authority) -> None:
    one = make_client(config_of(guarded), user="root", password="root", tend_interval=250,
                      tls={"enable": True, "cafile": ca.cafile, "for_login_only": True})
    one.put(KEY, {"a": 1})
    guarded.advance(200)  # the tokens are worth nothing now
    for node in range(2):
        guarded.node_restart(node)  # and all connections are gone
    wait_for(lambda: works(lambda: one.put(KEY, {"a": 2})))
