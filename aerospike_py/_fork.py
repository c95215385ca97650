"""Clients in the child of a fork: sockets and threads are the parent's.

The child drops them, and opens its own at the next use.
"""

from __future__ import annotations

import os
import warnings
from typing import Any
from weakref import WeakSet

_clients: WeakSet[Any] = WeakSet()


def track(client: Any) -> None:
    """Remember a client for as long as it lives."""
    _clients.add(client)


def _in_child() -> None:
    in_use = [client._after_fork() for client in list(_clients)]
    if any(in_use):
        warnings.warn("the process was forked while Aerospike clients were connected: "
                      "here they connect again at their next use", RuntimeWarning, stacklevel=2)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
