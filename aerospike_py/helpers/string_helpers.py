"""Flags and policies of operations on strings (servers after 8.1)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["NumericType", "RegexFlags", "StringPolicy", "WriteFlags"]


class RegexFlags(IntFlag):
    """How a regular expression is understood."""

    DEFAULT = 0
    CASE_INSENSITIVE = 1
    MULTILINE = 2
    DOTALL = 4
    UNIX_LINES = 8
    GLOBAL = 16


class WriteFlags(IntFlag):
    """What must be there before a write."""

    DEFAULT = 0
    CREATE_ONLY = 1
    UPDATE_ONLY = 2
    NO_FAIL = 4


class NumericType(IntEnum):
    """Which numbers are meant."""

    ANY = 0
    INT = 1
    FLOAT = 2


class StringPolicy:
    """How an operation on a string writes.

    Parameters
    ----------
    write_flags : WriteFlags
        What must be there before.
    """

    def __init__(self, write_flags: WriteFlags = WriteFlags.DEFAULT) -> None:
        self.write_flags = write_flags

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StringPolicy):
            return NotImplemented
        return self.write_flags == other.write_flags

    def __hash__(self) -> int:
        return hash(self.write_flags)

    def __repr__(self) -> str:
        return f"StringPolicy({self.write_flags!r})"
