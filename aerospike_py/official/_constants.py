"""The constants of the strict face."""

from __future__ import annotations

from aerospike_py import _aerospike

__all__ = sorted(name for name in _aerospike.official_constants if not name.startswith("_"))

globals().update({name: _aerospike.official_constants[name] for name in __all__})
