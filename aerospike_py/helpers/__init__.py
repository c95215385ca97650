"""Builders of operations, expressions, contexts and batches, laid out as ``aerospike_helpers``."""

from __future__ import annotations

from aerospike_py._values import HyperLogLog

__all__ = ["HyperLogLog"]
