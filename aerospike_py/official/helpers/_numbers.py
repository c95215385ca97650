"""The numbers of the strict face."""

from __future__ import annotations

from types import SimpleNamespace

from aerospike_py import _aerospike

numbers = SimpleNamespace(**_aerospike.official_constants)
