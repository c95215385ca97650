"""Batches of different operations."""
