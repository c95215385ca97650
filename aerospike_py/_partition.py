"""Which partitions a query reads."""

from __future__ import annotations

import operator
from typing import Any

PARTITIONS = 4096


class PartitionFilter:
    """Some partitions, for ``policy["partition_filter"]`` of a query.

    Made by ``partition_filter_all()``, ``partition_filter_by_id()`` and
    ``partition_filter_by_range()``.

    Attributes
    ----------
    begin : int
        The first partition.
    count : int
        How many.
    """

    __slots__ = ("_begin", "_count")

    _begin: int
    _count: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("cannot create 'aerospike_py.PartitionFilter' instances")

    @property
    def begin(self) -> int:
        """The first partition."""
        return self._begin

    @property
    def count(self) -> int:
        """How many."""
        return self._count

    def __repr__(self) -> str:
        return f"PartitionFilter(begin={self._begin}, count={self._count})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionFilter):
            return NotImplemented
        return (self._begin, self._count) == (other._begin, other._count)

    def __hash__(self) -> int:
        return hash((self._begin, self._count))

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self._begin, self._count)


def _make(begin: int, count: int) -> PartitionFilter:
    made = object.__new__(PartitionFilter)
    made._begin = begin
    made._count = count
    return made


def _unsigned(number: Any) -> int:
    found = operator.index(number)
    if found < 0:
        raise OverflowError("can't convert negative int to unsigned")
    return found


def partition_filter_all() -> PartitionFilter:
    """All partitions.

    Returns
    -------
    PartitionFilter
        For ``policy["partition_filter"]`` of a query.
    """
    return _make(0, PARTITIONS)


def partition_filter_by_id(partition_id: int) -> PartitionFilter:
    """One partition.

    Parameters
    ----------
    partition_id : int
        0 to 4095.

    Returns
    -------
    PartitionFilter
        For ``policy["partition_filter"]`` of a query.

    Raises
    ------
    ValueError
        There is no such partition.
    """
    begin = _unsigned(partition_id)
    if begin >= PARTITIONS:
        raise ValueError(f"partition_id must be below {PARTITIONS}, not {begin}")
    return _make(begin, 1)


def partition_filter_by_range(begin: int, count: int) -> PartitionFilter:
    """Some partitions in a row.

    Parameters
    ----------
    begin : int
        The first one, 0 to 4095.
    count : int
        How many.

    Returns
    -------
    PartitionFilter
        For ``policy["partition_filter"]`` of a query.

    Raises
    ------
    ValueError
        There are not so many.
    """
    first, many = _unsigned(begin), _unsigned(count)
    if first >= PARTITIONS:
        raise ValueError(f"begin must be below {PARTITIONS}, not {first}")
    if first + many > PARTITIONS:
        raise ValueError(f"begin + count must be at most {PARTITIONS}, not {first} + {many}")
    return _make(first, many)
