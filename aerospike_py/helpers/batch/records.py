"""The rows of a batch of different operations, for ``batch_write``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aerospike_py.types import Operation

__all__ = ["Apply", "BatchRecord", "BatchRecords", "Read", "Remove", "Write"]


class _Types:
    """What is done with a record."""

    READ = 0
    WRITE = 1
    APPLY = 2
    REMOVE = 3


class BatchRecord:
    """A row: a key, and what came of it.

    Parameters
    ----------
    key : tuple
        ``(namespace, set, user_key)`` or ``(namespace, set, None, digest)``.

    Attributes
    ----------
    record : tuple or None
        ``(key, meta, bins)`` if `result` is 0.
    result : int
        The server's code for this record.
    message : str or None
        What the server or client says about a failure.
    subcode : int
        The server's finer reason.
    in_doubt : bool
        A write may have happened although its answer did not arrive.
    """

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key
        self.record: tuple[Any, ...] | None = None
        self.result = 0
        self.message: str | None = None
        self.subcode = 0
        self.in_doubt = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r}, result={self.result}, record={self.record!r})"


class Write(BatchRecord):
    """Operations that write, and may read, a record.

    Parameters
    ----------
    key : tuple
        The record's key.
    ops : list of dict
        The operations.
    meta : dict, optional
        ``gen`` and ``ttl``.
    policy : dict, optional
        Batch write policy.
    """

    def __init__(self, key: tuple[Any, ...], ops: list[Operation],
                 meta: Mapping[str, Any] | None = None,
                 policy: Mapping[str, Any] | None = None) -> None:
        super().__init__(key)
        self._type = _Types.WRITE
        self._has_write = True
        self.ops = ops
        self.meta = meta
        self.policy = policy


class Read(BatchRecord):
    """Operations that read a record.

    Parameters
    ----------
    key : tuple
        The record's key.
    ops : list of dict or None
        The operations; None reads only whether the record exists.
    read_all_bins : bool, default False
        Read all bins; then `ops` is not looked at.
    meta : dict, optional
        Not used.
    policy : dict, optional
        Batch read policy.
    """

    def __init__(self, key: tuple[Any, ...], ops: list[Operation] | None,
                 read_all_bins: bool = False, meta: Mapping[str, Any] | None = None,
                 policy: Mapping[str, Any] | None = None) -> None:
        super().__init__(key)
        self._type = _Types.READ
        self._has_write = False
        self.ops = ops
        self.read_all_bins = read_all_bins
        self.meta = meta
        self.policy = policy


class Apply(BatchRecord):
    """A function of a module, applied to a record.

    Parameters
    ----------
    key : tuple
        The record's key.
    module, function : str
        The function.
    args : list
        Its arguments after the record.
    policy : dict, optional
        Batch apply policy.
    """

    def __init__(self, key: tuple[Any, ...], module: str, function: str, args: list[Any],
                 policy: Mapping[str, Any] | None = None) -> None:
        super().__init__(key)
        self._type = _Types.APPLY
        self._has_write = True
        self.module = module
        self.function = function
        self.args = args
        self.policy = policy


class Remove(BatchRecord):
    """The deletion of a record.

    Parameters
    ----------
    key : tuple
        The record's key.
    policy : dict, optional
        Batch remove policy.
    """

    def __init__(self, key: tuple[Any, ...], policy: Mapping[str, Any] | None = None) -> None:
        super().__init__(key)
        self._type = _Types.REMOVE
        self._has_write = True
        self.policy = policy


class BatchRecords:
    """A batch: rows, and what came of the whole.

    Parameters
    ----------
    batch_records : list of BatchRecord, optional
        The rows.

    Attributes
    ----------
    result : int
        0; -16 when a row failed; else what ended the batch.
    """

    def __init__(self, batch_records: list[Any] | None = None) -> None:
        self.batch_records: list[Any] = [] if batch_records is None else batch_records
        self.result = 0

    def __repr__(self) -> str:
        return f"BatchRecords({self.batch_records!r}, result={self.result})"
