"""A local server, in memory: for a first try, for tests, for CI.

It answers as an Aerospike server 8.1.2 (Community edition) does, over the
same protocol, so any client connects to it.  In this process::

    from aerospike_py.server import LocalServer

    with LocalServer() as server:
        client = aerospike_py.client(server.config).connect()

or as a process of its own::

    python -m aerospike_py.server --port 3000

Nothing is written to disk: records are gone when the server stops.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from aerospike_py import _server

__all__ = ["LocalServer", "ServerError", "TLSFiles", "User", "main"]

if TYPE_CHECKING:
    _FaultKind = Literal[
        "drop", "drop-after", "delay", "code", "cut", "stall", "garbage", "refuse",
        "map-stale", "map-wrong", "map-empty",
    ]
    _RequestClass = Literal["read", "write", "batch", "query", "info", "admin", "any"]

#: The salt with which clients hash passwords before they send them.
_SALT = b"$2a$10$7EqJtq98hPqEX7fNZaFWoO"


class ServerError(ValueError):
    """A control line that the server cannot do; the text says why."""


class User(NamedTuple):
    """Somebody who may log in to a server with security.

    Attributes
    ----------
    name : str
    password : str
        In clear, or as the 60 characters that clients send.
    roles : sequence of str
        Names of predefined roles, for example ``"read-write"``.
    """

    name: str
    password: str
    roles: Sequence[str] = ()


class TLSFiles(NamedTuple):
    """Certificates of a server with TLS listeners.

    Attributes
    ----------
    certfile : str
        PEM file with the server's certificate chain.
    keyfile : str, optional
        PEM file with its key; by default it is in `certfile`.
    cafile : str, optional
        Clients must show a certificate signed by one of these.
    name : str
        The TLS name of every node, ``"localhost"`` by default.
    """

    certfile: str
    keyfile: str | None = None
    cafile: str | None = None
    name: str = "localhost"


class _Config(TypedDict, total=False):
    hosts: list[tuple[str, int]] | list[tuple[str, int, str]]


def _hashed(password: str) -> str:
    """The hash that clients send, where the C library cannot make it."""
    if sys.platform != "darwin" or password.startswith("$2"):
        return password
    import bcrypt  # macOS has no crypt for it

    return bcrypt.hashpw(password.encode(), _SALT).decode()


def _lua_library() -> str | None:
    """Where the extension with Lua is; the server loads it when it needs it."""
    spec = importlib.util.find_spec("aerospike_py._lua")
    return spec.origin if spec is not None else None


class LocalServer:
    """One to eight nodes of one cluster, served by a thread of this process.

    Parameters
    ----------
    nodes : int
        How many nodes, 1 to 8.
    namespaces : iterable of str
        Their names.
    port : int
        Of the first node; the others follow.  0: any free ports.
    host : str
        A literal address to listen on.
    access_host : str, optional
        What clients are told instead of `host`.
    replication_factor : int, optional
        Copies of each partition: 2, or 1 with one node.
    default_ttl : int, seconds
        Life of records that are written without one; 0: for ever.
    cluster_name : str
        What the nodes call their cluster.
    edition : {"community", "enterprise"}
        The Enterprise edition also serves what the other options below need,
        compressed requests, and durable deletes.
    security : bool
        Users must log in.
    users : iterable of User, optional
        Who may; by default ``admin`` with the password ``admin`` and the role
        ``user-admin``.
    session_ttl : int, seconds
        Life of a login; 0: one day.
    tls : TLSFiles, optional
        Certificates; each node then has a second port.
    tls_port : int
        Of the first node, the others follow.  0: any free ports.
    racks : iterable of int, optional
        The rack of each node.
    strong_consistency : iterable of str, optional
        The namespaces that are strongly consistent: with transactions, and
        without deletes that are not durable.
    control : bool
        Also take control lines over the wire, as info commands ``local:...``.
    verbose : bool
        Print a line on stderr for each connection and for the first request
        of each class on it.

    Raises
    ------
    ValueError
        The options do not fit together.
    OSError
        A port is taken, or a certificate cannot be read.

    Notes
    -----
    The server does not survive ``os.fork``: a child sees it as stopped.
    """

    def __init__(
        self,
        nodes: int = 1,
        namespaces: Iterable[str] = ("test", "bar"),
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        access_host: str | None = None,
        replication_factor: int | None = None,
        default_ttl: int = 0,
        cluster_name: str = "local",
        edition: Literal["community", "enterprise"] = "community",
        security: bool = False,
        users: Iterable[User | tuple[str, str, Sequence[str]]] = (),
        session_ttl: int = 0,
        tls: TLSFiles | None = None,
        tls_port: int = 0,
        racks: Iterable[int] = (),
        strong_consistency: Iterable[str] = (),
        control: bool = True,
        verbose: bool = False,
    ) -> None:
        if edition not in ("community", "enterprise"):
            raise ValueError(f"edition is community or enterprise, not {edition!r}")
        if not 1 <= nodes <= 8:
            raise ValueError("a cluster has 1 to 8 nodes")
        self._tls = tls
        self._host = host
        self._access_host = access_host
        self._options: dict[str, Any] = {
            "host": host,
            "access_host": access_host,
            "port": port,
            "tls_port": tls_port,
            "nodes": nodes,
            "namespaces": tuple(namespaces),
            "default_ttl": default_ttl,
            "replication_factor": replication_factor or 0,
            "cluster_name": cluster_name,
            "enterprise": edition == "enterprise",
            "security": security,
            "control": control,
            "verbose": verbose,
            "users": tuple((name, _hashed(password), tuple(roles))
                           for name, password, roles in users),
            "session_ttl": session_ttl,
            "tls_certfile": tls.certfile if tls else None,
            "tls_keyfile": tls.keyfile if tls else None,
            "tls_cafile": tls.cafile if tls else None,
            "tls_name": tls.name if tls else None,
            "racks": tuple(racks),
            "lua_library": _lua_library(),
            "consistent": tuple(strong_consistency),
        }
        if self._options["racks"] and len(self._options["racks"]) != nodes:
            raise ValueError("racks names one rack for each node")
        self._lock = threading.Lock()
        self._server: _server.Server | None = None
        self._pid = 0

    # ---- life ----

    def start(self) -> LocalServer:
        """Listen and serve; does nothing if it does so already.

        Returns
        -------
        LocalServer
            Itself, so that ``server = LocalServer().start()`` reads well.
        """
        with self._lock:
            self._forget_parent()
            if self._server is None:
                self._server = _server.start(**self._options)
                self._pid = os.getpid()
        return self

    def stop(self) -> None:
        """Close all connections and forget all records; may be repeated."""
        with self._lock:
            self._forget_parent()
            server, self._server = self._server, None
            if server is not None:
                server.stop()

    def _forget_parent(self) -> None:
        if self._server is not None and self._pid != os.getpid():
            self._server.abandon()
            self._server = None

    def __enter__(self) -> LocalServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = ("stopped" if self._server is None
                 else ", ".join(f"{host}:{port}" for host, port in self.hosts))
        return f"<LocalServer {where}>"

    @property
    def _running(self) -> _server.Server:
        if self._server is None or self._pid != os.getpid():
            raise RuntimeError("the server is stopped")
        return self._server

    # ---- where it is ----

    @property
    def ports(self) -> tuple[int, ...]:
        """The port of each node."""
        return self._running.ports()

    @property
    def port(self) -> int:
        """The port of the first node."""
        return self.ports[0]

    @property
    def tls_ports(self) -> tuple[int, ...]:
        """The TLS port of each node; 0 without TLS."""
        return self._running.tls_ports()

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """Address and port of each node, as a client's ``hosts``."""
        host = self._access_host or self._host
        return [(host, port) for port in self.ports]

    @property
    def tls_hosts(self) -> list[tuple[str, int, str]]:
        """Address, TLS port and TLS name of each node."""
        if self._tls is None:
            raise RuntimeError("the server has no TLS")
        host = self._access_host or self._host
        return [(host, port, self._tls.name) for port in self.tls_ports]

    @property
    def config(self) -> _Config:
        """A configuration for ``client()``."""
        return {"hosts": self.hosts}

    # ---- control ----

    def control(self, line: str) -> str:
        """Run one line of the control language.

        Parameters
        ----------
        line : str
            A verb and its ``key=value`` words, for example
            ``"fault kind=delay ms=200 times=1"``.

        Returns
        -------
        str
            What the verb answers, often nothing.

        Raises
        ------
        ServerError
            The line cannot be done.
        """
        with self._lock:
            try:
                return self._running.control(line)
            except ValueError as error:
                raise ServerError(str(error)) from None

    def fault(
        self,
        kind: _FaultKind,
        *,
        node: int | None = None,
        classes: Iterable[_RequestClass] | _RequestClass | None = None,
        namespace: str | None = None,
        times: int | None = None,
        ms: int | None = None,
        bytes: int | None = None,
        code: int | None = None,
    ) -> int:
        """Let something go wrong from now on.

        Parameters
        ----------
        kind : str
            ``"drop"`` closes the connection instead of running the request,
            ``"drop-after"`` runs it and closes instead of answering,
            ``"delay"`` waits `ms` before running it, ``"code"`` answers
            result code `code` without running it, ``"cut"`` sends `bytes` of
            the answer and closes, ``"stall"`` the same and keeps silent,
            ``"garbage"`` answers `bytes` that mean nothing, ``"refuse"``
            closes each new connection at once; ``"map-stale"``,
            ``"map-wrong"`` and ``"map-empty"`` tell a partition map as it is
            now for ever, shifted to the next node, or empty.
        node : int, optional
            Only this node, from 0.
        classes : iterable of str, optional
            Only these requests: ``"read"``, ``"write"``, ``"batch"``,
            ``"query"``, ``"info"``, ``"admin"``, or ``"any"``; by default the
            first four.
        namespace : str, optional
            Only requests that name this namespace.
        times : int, optional
            So often; by default until it is cleared.
        ms, bytes, code : int, optional
            See `kind`.

        Returns
        -------
        int
            Its number, for `clear_faults`.
        """
        words = [f"fault kind={kind}"]
        if isinstance(classes, str):
            classes = (classes,)
        if classes is not None:
            words.append("class=" + ",".join(classes))
        for key, value in (("node", node), ("ns", namespace), ("times", times),
                           ("ms", ms), ("bytes", bytes), ("code", code)):
            if value is not None:
                words.append(f"{key}={value}")
        return int(self.control(" ".join(words)).removeprefix("id="))

    def clear_faults(self, id: int | None = None) -> None:
        """Forget one fault, or all."""
        self.control("clear" if id is None else f"clear id={id}")

    def node_down(self, node: int) -> None:
        """A node leaves the cluster: its port refuses, the others take over.

        The last node that is up cannot leave.
        """
        self.control(f"down node={node}")

    def node_up(self, node: int) -> None:
        """The node comes back, at the same port."""
        self.control(f"up node={node}")

    def node_restart(self, node: int) -> None:
        """The node goes and comes back at once, its generations anew."""
        self.control(f"restart node={node}")

    def flush(self, namespace: str | None = None, set: str | None = None) -> None:
        """Drop all records, or those of a namespace or set."""
        words = ["flush"]
        if namespace is not None:
            words.append(f"ns={namespace}")
        if set is not None:
            words.append(f"set={set}")
        self.control(" ".join(words))

    def advance(self, seconds: int) -> None:
        """Put the server's clock ahead, so that lives and logins end."""
        self.control(f"advance seconds={seconds}")

    def counts(self, node: int | None = None) -> Mapping[str, int]:
        """How many requests of each class there were, and open connections.

        Returns
        -------
        mapping of str to int
            Of one node or of all together.
        """
        line = "counts" if node is None else f"counts node={node}"
        words = (word.split("=") for word in self.control(line).split())
        return {name: int(number) for name, number in words}


# ---- python -m aerospike_py.server ----

def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aerospike_py.server",
        description="Serve a cluster in memory, as an Aerospike server 8.1.2 does. "
                    "For tries and tests: nothing is written to disk.")
    add = parser.add_argument
    add("--port", type=int, default=3000,
        help="of the first node, the others follow; 0: any free (%(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--access-host", help="address that clients are told instead")
    add("--nodes", type=int, default=1, help="1 to 8 (%(default)s)")
    add("--namespace", action="append", metavar="NAME",
        help="may be repeated (test, bar)")
    add("--replication-factor", type=int, metavar="N")
    add("--default-ttl", type=int, default=0, metavar="SECONDS")
    add("--cluster-name", default="local", metavar="NAME")
    add("--edition", choices=("community", "enterprise"), default="community")
    add("--security", action="store_true", help="users must log in")
    add("--user", action="append", default=[], metavar="NAME:PASSWORD:ROLE,ROLE",
        help="may be repeated (admin:admin:user-admin)")
    add("--tls-certfile", metavar="FILE", help="serve TLS, too")
    add("--tls-keyfile", metavar="FILE")
    add("--tls-cafile", metavar="FILE")
    add("--tls-name", default="localhost", metavar="NAME")
    add("--tls-port", type=int, default=0)
    add("--strong-consistency", action="append", default=[], metavar="NAMESPACE",
        help="has transactions; needs enterprise; may be repeated")
    add("--no-control", action="store_true",
        help='do not serve info commands "local:..."')
    add("--verbose", action="store_true",
        help="a line for each connection and class of requests")
    return parser


def _user(text: str) -> User:
    name, password, roles = text.split(":", 2)
    return User(name, password, tuple(filter(None, roles.split(","))))


def _from_options(options: argparse.Namespace) -> LocalServer:
    tls = None
    if options.tls_certfile:
        tls = TLSFiles(options.tls_certfile, options.tls_keyfile,
                       options.tls_cafile, options.tls_name)
    return LocalServer(
        options.nodes, options.namespace or ("test", "bar"), options.port,
        options.host, access_host=options.access_host,
        replication_factor=options.replication_factor,
        default_ttl=options.default_ttl, cluster_name=options.cluster_name,
        strong_consistency=options.strong_consistency,
        edition=options.edition, security=options.security,
        users=[_user(text) for text in options.user], tls=tls,
        tls_port=options.tls_port, control=not options.no_control,
        verbose=options.verbose)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; the options are in ``--help``."""
    stops = {signal.SIGINT, signal.SIGTERM}
    options = _parser().parse_args(argv)
    try:
        server = _from_options(options)
        signal.pthread_sigmask(signal.SIG_BLOCK, stops)
        server.start()
    except (OSError, ValueError) as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 1
    with server:
        print(f"serving on {', '.join(f'{h}:{p}' for h, p in server.hosts)}",
              flush=True)
        print(f"connect with aerospike_py.client({server.config!r}).connect(); "
              "Ctrl-C stops", flush=True)
        signal.sigwait(stops)
    return 0


if __name__ == "__main__":
    sys.exit(main())
