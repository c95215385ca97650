"""Another name of :mod:`aerospike_py.bit_operations`."""

from __future__ import annotations

from .bit_operations import *  # noqa: F403
from .bit_operations import __all__ as __all__
