"""The numbers of the face these helpers belong to."""

from __future__ import annotations

from types import SimpleNamespace

from aerospike_py import _aerospike

numbers = SimpleNamespace(**_aerospike.constants)
