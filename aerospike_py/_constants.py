"""The constants of the main face."""

from __future__ import annotations

from . import _aerospike

__all__ = sorted(name for name in _aerospike.constants if not name.startswith("_"))

globals().update({name: _aerospike.constants[name] for name in __all__})
