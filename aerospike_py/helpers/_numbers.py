"""The numbers that these helpers put into dicts: those that every face understands."""

from __future__ import annotations

from types import SimpleNamespace

from aerospike_py import _aerospike

_SHIFT = 100000  # an official number above it means the same on both faces

numbers = SimpleNamespace(**_aerospike.constants)
for _name, _number in _aerospike.official_constants.items():
    if _name.startswith("OPERATOR_"):
        setattr(numbers, _name, _number + _SHIFT)
