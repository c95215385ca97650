"""What a query looks for, in the official form: ``(kind, type, bin, value ...)``.

A value of another type gives None, which ``Query.where`` refuses.
"""

from __future__ import annotations

import json
from typing import Any

from aerospike_py._config import param_type

__all__ = ["between", "contains", "equals", "geo_contains_geojson_point", "geo_contains_point",
           "geo_within_geojson_region", "geo_within_radius", "range"]

Predicate = tuple[Any, ...] | None

_EQUAL, _RANGE = 0, 1
_STRING, _GEO, _BLOB, _NUMERIC = 0, 2, 3, 4


def _type_of(val: Any) -> int | None:
    if isinstance(val, int):
        return _NUMERIC
    if isinstance(val, str):
        return _STRING
    return _BLOB if isinstance(val, (bytes, bytearray)) else None


def equals(bin: str | None, val: Any, /) -> Predicate:
    """Records whose bin has a value.

    Parameters
    ----------
    bin : str
        The bin.
    val : int, str, bytes or bytearray
        The value.

    Returns
    -------
    tuple or None
        For ``Query.where``; None for a value of another type.
    """
    kind = _type_of(val)
    return None if kind is None else (_EQUAL, kind, bin, val)


def between(bin: str | None, min: int, max: int, /) -> Predicate:
    """Records whose bin has a number of a range.

    Parameters
    ----------
    bin : str
        The bin.
    min, max : int
        The smallest and the largest number.

    Returns
    -------
    tuple or None
        For ``Query.where``; None for values of another type.
    """
    if not isinstance(min, int) or not isinstance(max, int):
        return None
    return (_RANGE, _NUMERIC, bin, min, max)


def contains(bin: str | None, index_type: int, val: Any, /) -> Predicate:
    """Records whose list or map contains a value.

    Parameters
    ----------
    bin : str
        The bin.
    index_type : int
        One of ``INDEX_TYPE_*``.
    val : int, str, bytes or bytearray
        The value.

    Returns
    -------
    tuple or None
        For ``Query.where``; None for values of another type.
    """
    kind = _type_of(val)
    if kind is None or not isinstance(index_type, int):
        return None
    return (_EQUAL, kind, bin, val, None, index_type)


def range(bin: str | None, index_type: int, min: int, max: int, /) -> Predicate:
    """Records whose list or map contains a number of a range.

    Parameters
    ----------
    bin : str
        The bin.
    index_type : int
        One of ``INDEX_TYPE_*``.
    min, max : int
        The smallest and the largest number.

    Returns
    -------
    tuple or None
        For ``Query.where``; None for values of another type.
    """
    if not all(isinstance(number, int) for number in (index_type, min, max)):
        return None
    return (_RANGE, _NUMERIC, bin, min, max, index_type)


def _geo(bin: str | None, shape: Any, index_type: int) -> Predicate:
    return (_RANGE, _GEO, bin, shape, None, index_type) if isinstance(shape, str) else None


def geo_within_geojson_region(bin: str | None, shape: str, index_type: int = 0, /) -> Predicate:
    """Records whose point lies in a region.

    Parameters
    ----------
    bin : str
        The bin with the point.
    shape : str
        GeoJSON text of the region.
    index_type : int, default 0
        One of ``INDEX_TYPE_*``.

    Returns
    -------
    tuple or None
        For ``Query.where``; None if the shape is no text.
    """
    return _geo(bin, shape, index_type)


def geo_contains_geojson_point(bin: str | None, point: str, index_type: int = 0, /) -> Predicate:
    """Records whose region contains a point.

    Parameters
    ----------
    bin : str
        The bin with the region.
    point : str
        GeoJSON text of the point.
    index_type : int, default 0
        One of ``INDEX_TYPE_*``.

    Returns
    -------
    tuple or None
        For ``Query.where``; None if the point is no text.
    """
    return _geo(bin, point, index_type)


def _check_place(bin: Any, numbers: tuple[Any, ...], what: str) -> None:
    named = bin is None or isinstance(bin, str)
    if not named or not all(isinstance(n, (int, float)) for n in numbers):
        raise param_type(f"{what} should be integer or double type, bin of string type")


def geo_within_radius(bin: str | None, long: float, lat: float, radius_meters: float,
                      index_type: int = 0, /) -> Predicate:
    """Records whose point lies in a circle.

    Parameters
    ----------
    bin : str
        The bin with the point.
    long, lat : float, degrees
        The centre, longitude first.
    radius_meters : float, metres
        The radius.
    index_type : int, default 0
        One of ``INDEX_TYPE_*``.

    Returns
    -------
    tuple
        For ``Query.where``.

    Raises
    ------
    ParamError
        Code -2: one of them is no number, or the bin neither a str nor None.
    """
    _check_place(bin, (long, lat, radius_meters), "Latitude, longitude and radius")
    shape = {"type": "AeroCircle", "coordinates": [[long, lat], radius_meters]}
    return _geo(bin, json.dumps(shape), index_type)


def geo_contains_point(bin: str | None, long: float, lat: float, index_type: int = 0,
                       /) -> Predicate:
    """Records whose region contains a point.

    Parameters
    ----------
    bin : str
        The bin with the region.
    long, lat : float, degrees
        The point, longitude first.
    index_type : int, default 0
        One of ``INDEX_TYPE_*``.

    Returns
    -------
    tuple
        For ``Query.where``.

    Raises
    ------
    ParamError
        Code -2: one of them is no number, or the bin neither a str nor None.
    """
    _check_place(bin, (long, lat), "Latitude and longitude")
    point = {"type": "Point", "coordinates": [long, lat]}
    return _geo(bin, json.dumps(point), index_type)
