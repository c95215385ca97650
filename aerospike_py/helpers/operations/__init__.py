"""Builders of operations for ``operate`` and its like."""
