"""Functions of the module: digests, serializers, the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from . import _aerospike, _logging
from ._config import fault, param

PARTITIONS = 4096
_Value = TypeVar("_Value")


def _parts(ns: Any, set: Any, key: Any, strict: bool) -> None:
    """Types are refused by plain TypeErrors here."""
    if not isinstance(ns, str):
        raise TypeError("Namespace should be a string")
    if not isinstance(set, str) and (strict or set is not None):
        raise TypeError("Set should be a string or unicode")
    kinds = (str, int, bytearray) if strict else (str, int, bytes, bytearray)
    if not isinstance(key, kinds):
        raise TypeError("Key is invalid")


def calc_digest(ns: str, set: str | None, key: str | int | bytes | bytearray) -> bytearray:
    """The digest a record is found by.

    Parameters
    ----------
    ns, set : str
        Only the set takes part in the digest.
    key : str, int, bytes or bytearray
        The user key; bytes count as a string, a bytearray as a blob.

    Returns
    -------
    bytearray
        20 bytes.

    Raises
    ------
    TypeError
        A type is wrong.
    ParamError
        Code -2: an int beyond 64 bits, or an empty bytearray.
    """
    _parts(ns, set, key, False)
    return _aerospike.digest(ns, set, key, False)


def get_partition_id(digest: bytes | bytearray | str, /) -> int:
    """The partition of a digest.

    Parameters
    ----------
    digest : bytes, bytearray or str
        The 20 bytes of ``calc_digest()``; in a str, as characters 0 to 255.

    Returns
    -------
    int
        0 to 4095.

    Raises
    ------
    TypeError
        It is neither bytes nor text.
    ParamError
        Code -2: it has not 20 bytes.
    """
    if isinstance(digest, str):
        digest = digest.encode("latin-1", "replace")
    if not isinstance(digest, (bytes, bytearray)):
        raise TypeError(f"a digest is bytes or text, not {type(digest).__name__}")
    if len(digest) != 20:
        raise param("a digest has 20 bytes")
    return int.from_bytes(digest[:2], "little") % PARTITIONS


def _callable(function: Any) -> Any:
    if not callable(function):
        raise fault("ParamTypeError", "Parameter must be a callable")
    return function


def set_serializer(function: Callable[[Any], str]) -> int:
    """Set the function that turns values of other types into text, for all clients.

    Parameters
    ----------
    function : callable
        Takes the value and gives a str, which is stored as a blob.

    Returns
    -------
    int
        0.

    Notes
    -----
    Used by ``put(..., serializer=SERIALIZER_USER)``; a client's own (``serialization`` of its
    configuration) comes first.
    """
    _aerospike.set_serializers(_callable(function), ...)
    return 0


def set_deserializer(function: Callable[[str], Any]) -> int:
    """Set the function that reads the blobs of the serializer, for all clients.

    Parameters
    ----------
    function : callable
        Takes the text and gives the value; the bytes stay as they are if it fails.

    Returns
    -------
    int
        0.
    """
    _aerospike.set_serializers(..., _callable(function))
    return 0


def unset_serializers() -> int:
    """Forget the serializer and the deserializer.

    Returns
    -------
    int
        0.
    """
    _aerospike.set_serializers(None, None)
    return 0


def set_log_level(level: int | None = None, *, loglevel: int | None = None) -> int:
    """Set how much is logged.

    Parameters
    ----------
    level : int
        One of ``LOG_LEVEL_*``.
    loglevel : int
        Its other name.

    Returns
    -------
    int
        0.

    Raises
    ------
    ParamError
        Code -2, also a ValueError: there is no such level.
    """
    if loglevel is not None:
        if level is not None:
            raise TypeError("set_log_level() takes either level or loglevel")
        level = loglevel
    if not isinstance(level, int) or not -1 <= level <= 4:
        raise param(f"Invalid log level: {level!r} is none of LOG_LEVEL_*, -1 to 4")
    _logging.set_level(level)
    return 0


def set_log_handler(log_handler: _logging.Handler | None = _logging.print_line) -> int:
    """Set who gets the log's lines beside :mod:`logging`.

    Parameters
    ----------
    log_handler : callable, optional
        Called with level, function, file, line and text. None: nobody; left out: lines are
        printed.

    Returns
    -------
    int
        0.
    """
    if log_handler is None or callable(log_handler):
        _logging.set_handler(log_handler)
    return 0


def dropped_log_count() -> int:
    """How many lines of the log found no room on their way to Python.

    Returns
    -------
    int
        Their number.
    """
    return _aerospike.dropped_log_count()
