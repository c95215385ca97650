"""The synchronous client; its methods are in C."""

from __future__ import annotations

from typing import Any

from . import _aerospike, _fork
from .types import ClientConfig


def origin_of(config: Any) -> tuple[str, int, str | None]:
    """Host and port of the first seed and the cluster's name, for traces."""
    host, port, name = "", 3000, None
    if isinstance(config, dict):
        hosts = config.get("hosts")
        if isinstance(hosts, (list, tuple)) and hosts:
            first = hosts[0]
            if isinstance(first, str):
                host, _, text = first.rpartition(":") if first.count(":") == 1 else (first, "", "")
                port = int(text) if text.isdecimal() else port
            elif isinstance(first, tuple) and first:
                host = str(first[0])
                port = first[1] if len(first) > 1 and isinstance(first[1], int) else port
        name = config.get("cluster_name")
    return host, port, name if isinstance(name, str) else None


class Client(_aerospike.Client):
    """A client of a cluster.

    It connects with ``connect()``, or at its first use. It may be shared by threads, and closes
    at the end of a ``with`` statement.

    Parameters
    ----------
    config : dict
        ``hosts`` and more; see ``ClientConfig``.

    Raises
    ------
    ParamError
        Code -2: the configuration is wrong; it is a TypeError, ValueError or OverflowError as
        well.
    """

    def __new__(cls, config: ClientConfig) -> Client:
        made = super().__new__(cls, config)
        made._origin = origin_of(config)
        _fork.track(made)
        return made

    _origin: tuple[str, int, str | None]


def client(config: ClientConfig) -> Client:
    """Make a client; it does not connect.

    Parameters
    ----------
    config : dict
        As for ``Client``.

    Returns
    -------
    Client
        It connects with ``connect()``, or at its first use.
    """
    return Client(config)
