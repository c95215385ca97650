"""Results of batches as NumPy arrays.

``batch_read(...).to_numpy(dtype)`` fills them in C; what is here takes records that exist as
Python objects.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NumpyBatchRecords"]

_KINDS = "iufbSV"


class NumpyBatchRecords:
    """The records of a batch, one row each.

    Parameters
    ----------
    batch_records : ndarray, shape (n,), structured
        The bins; a row is zero where the record, or the bin, is missing.
    meta : ndarray, shape (n,), fields gen and ttl
        Generations, and times to live in seconds.
    result_codes : ndarray of int32, shape (n,)
        The server's code for each record, 0 if it was found; 12 where a value did not fit and
        ``on_error="code"`` was given.
    missing : ndarray of bool, shape (n, number of fields), or None
        Where the record has no such bin; None for records that were put together by hand.
    """

    __slots__ = ("_known", "batch_records", "meta", "missing", "result_codes")

    def __init__(self, batch_records: np.ndarray[Any, Any], meta: np.ndarray[Any, Any],
                 result_codes: np.ndarray[Any, Any], _map: dict[Any, int] | tuple[Any, ...],
                 missing: np.ndarray[Any, Any] | None = None) -> None:
        self.batch_records = batch_records
        self.meta = meta
        self.result_codes = result_codes
        self.missing = missing
        self._known = _map

    @property
    def _map(self) -> dict[Any, int]:
        """Rows by user key, made when first asked for."""
        if isinstance(self._known, tuple):
            self._known = {_found_by(key, i): i for i, key in enumerate(self._known)}
        return self._known

    def get(self, user_key: Any) -> np.void:
        """The row of a key.

        Parameters
        ----------
        user_key : str, int or bytes
            The key; of several equal ones the last.

        Returns
        -------
        numpy.void
            The row.

        Raises
        ------
        KeyError
            The key was not asked for.
        """
        try:
            row: np.void = self.batch_records[self._map[user_key]]
        except KeyError:
            raise KeyError(f"key {user_key!r} not found in NumpyBatchRecords, which knows "
                           f"{len(self._map)} keys") from None
        return row

    def __len__(self) -> int:
        return len(self.batch_records)

    def __iter__(self) -> Iterator[np.void]:
        return iter(self.batch_records)

    def __contains__(self, user_key: object) -> bool:
        return user_key in self._map

    def __repr__(self) -> str:
        names = list(self.batch_records.dtype.names or ())
        found = int((self.result_codes == 0).sum())
        return f"NumpyBatchRecords(count={len(self)}, ok={found}, fields={names})"


def _found_by(key: tuple[Any, ...], place: int) -> Any:
    """What a row of C is found by."""
    user_key = key[2] if len(key) > 2 else None
    if user_key is None:
        return f"__no_user_key_{place}__"
    return bytes(user_key) if isinstance(user_key, bytearray) else user_key


def _check_dtype(dtype: np.dtype[Any]) -> None:
    """Refuse fields that a bin cannot be put into."""
    if dtype.names is None or dtype.fields is None:
        raise TypeError(f"a structured dtype is needed, not {dtype}")
    for name in dtype.names:
        field = dtype.fields[name][0].base
        if (field.kind not in _KINDS or field.names is not None or not field.isnative
                or (field.kind == "f" and field.itemsize > 8)):
            raise TypeError(
                f"dtype field {name!r} must be a number (int, float) or bytes of a fixed "
                f"length, not {field} (kind={field.kind!r})")


def _read_fields(dtype: np.dtype[Any]) -> tuple[tuple[Any, ...], ...]:
    """Where each field is: name, offset, size of an element, elements, kind, is it an array."""
    _check_dtype(dtype)
    assert dtype.names is not None and dtype.fields is not None
    rows = []
    for name in dtype.names:
        field, offset = dtype.fields[name][:2]
        rows.append((name.encode(), offset, field.base.itemsize, math.prod(field.shape),
                     ord(field.base.kind), field.shape != ()))
    return tuple(rows)


_fields = lru_cache(maxsize=64)(_read_fields)


def _read_about() -> np.dtype[Any]:
    """Of the array of metadata."""
    import numpy as np

    return np.dtype([("gen", np.uint32), ("ttl", np.uint32)])


_about = cache(_read_about)


def _prepare(dtype: Any, out: Any, count: int) -> tuple[Any, ...]:
    """What C fills for `count` rows: fields, array, meta, codes, and what is missing."""
    import numpy as np

    if out is None:
        array = np.zeros(count, dtype=np.dtype(dtype))
    elif not isinstance(out, np.ndarray) or out.ndim != 1 or len(out) != count:
        shape = getattr(out, "shape", None)
        raise ValueError(f"out must be an array of shape ({count},), not "
                         f"{type(out).__name__} of shape {shape}")
    elif dtype is not None and np.dtype(dtype) != out.dtype:
        raise TypeError(f"out has dtype {out.dtype}, but {np.dtype(dtype)} is asked for")
    elif not out.flags.writeable:
        raise ValueError("out is read-only")
    else:
        array = out
    fields = _fields(array.dtype)
    if out is not None:
        out[...] = np.zeros((), dtype=out.dtype)
    return (fields, array, np.zeros(count, dtype=_about()), np.zeros(count, dtype=np.int32),
            np.ones((count, len(fields)), dtype=np.bool_))


def _columns(data: Any, dtype: Any, key_field: str) -> tuple[Any, ...]:
    """The rows of an array to be written: fields, array, count, place of the key."""
    import numpy as np

    if not isinstance(data, np.ndarray) or data.ndim != 1 or data.dtype.names is None:
        raise ValueError("data must be a one-dimensional structured array")
    if dtype is not None and np.dtype(dtype) != data.dtype:
        raise ValueError(f"data has dtype {data.dtype}, but {np.dtype(dtype)} was said")
    if key_field not in data.dtype.names:
        raise ValueError(f"data has no field {key_field!r} for the keys")
    key = data.dtype.fields[key_field][0] if data.dtype.fields else data.dtype
    if key.kind not in "iuS" or key.shape:
        raise ValueError(f"key field {key_field!r} must be of integers or bytes (S), not {key}")
    return (_fields(data.dtype), data, len(data), data.dtype.names.index(key_field))


def _user_key(record: Any, place: int, known: dict[Any, int]) -> Any:
    """What a row is found by."""
    key = record.key
    if key is None or len(key) < 3:
        warnings.warn(f"batch record at index {place} has a missing or malformed key ({key!r}): "
                      f"it is found by its number", stacklevel=4)
        return place
    user_key = key[2]
    if user_key is None and len(key) > 3:
        user_key = f"__no_user_key_{place}__"
    if user_key in known:
        warnings.warn(f"batch record at index {place}: key {user_key!r} collides with that of "
                      f"index {known[user_key]}, which is not found by it any more",
                      stacklevel=4)
    return user_key


def _fill(row: Any, bins: dict[str, Any], dtype: np.dtype[Any], where: str) -> None:
    """Put bins into a row."""
    for name in dtype.names or ():
        value = bins.get(name)
        if value is None:
            continue
        try:
            row[name] = value
        except (TypeError, ValueError, OverflowError) as error:
            kinds = (OverflowError, TypeError, ValueError)
            kind = next(k for k in kinds if isinstance(error, k))
            raise kind(f"Failed to assign {value!r} to field {name!r} (dtype={dtype[name]}) of "
                       f"{where}: {error}") from error


def _warn_strict(bins: dict[str, Any], dtype: np.dtype[Any], place: int) -> None:
    """Say where a record and the dtype differ."""
    fields = set(dtype.names or ())
    zero, left = sorted(fields - bins.keys()), sorted(bins.keys() - fields)
    where = f"batch record at index {place}"
    if zero:
        warnings.warn(f"{where}: fields {zero} are not found in bins and stay zero", stacklevel=3)
    if left:
        warnings.warn(f"{where}: bins {left} are not in dtype and left out", stacklevel=3)


def _batch_records_to_numpy(batch_records_obj: Any, dtype: np.dtype[Any], keys: Sequence[Any], *,
                            strict: bool = False) -> NumpyBatchRecords:
    """Arrays from records that exist as Python objects.

    Parameters
    ----------
    batch_records_obj : object
        Its ``batch_records`` have ``key``, ``result`` and ``record``.
    dtype : numpy.dtype
        A field for each bin that is wanted.
    keys : sequence
        The keys that were asked for.
    strict : bool
        Warn where a record and the dtype differ.

    Returns
    -------
    NumpyBatchRecords
    """
    import numpy as np

    dtype = np.dtype(dtype)
    _check_dtype(dtype)
    records = batch_records_obj.batch_records
    rows = np.zeros(len(records), dtype=dtype)
    meta = np.zeros(len(records), dtype=_about())
    codes = np.zeros(len(records), dtype=np.int32)
    known: dict[Any, int] = {}
    for i, record in enumerate(records):
        codes[i] = record.result
        user_key = _user_key(record, i, known)
        known[user_key] = i
        if record.result != 0 or record.record is None:
            continue
        _, about, bins = record.record
        if about is not None:
            meta[i] = (about.get("gen", 0), about.get("ttl", 0))
        if strict:
            _warn_strict(bins or {}, dtype, i)
        _fill(rows[i], bins or {}, dtype, f"record at index {i} (key={user_key!r})")
    return NumpyBatchRecords(rows, meta, codes, known)
