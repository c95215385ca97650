"""What a query looks for: plain tuples for ``Query.where``, which checks them."""

from __future__ import annotations

from typing import Any

__all__ = ["between", "contains", "equals", "geo_contains_geojson_point", "geo_contains_point",
           "geo_within_geojson_region", "geo_within_radius", "range"]

Predicate = tuple[Any, ...]
_MISSING: Any = type("missing", (), {"__repr__": lambda self: "..."})()


def equals(bin_name: str, val: int | str | bytes | bytearray) -> Predicate:
    """Records whose bin has a value.

    Parameters
    ----------
    bin_name : str
        The bin.
    val : int, str or bytes
        The value.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return ("equals", bin_name, val)


def between(bin_name: str, min_val: int, max_val: int) -> Predicate:
    """Records whose bin has a number of a range.

    Parameters
    ----------
    bin_name : str
        The bin.
    min_val, max_val : int
        The smallest and the largest number.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return ("between", bin_name, min_val, max_val)


def contains(bin_name: str, index_type: int, val: int | str | bytes | bytearray) -> Predicate:
    """Records whose list or map contains a value.

    Parameters
    ----------
    bin_name : str
        The bin.
    index_type : int
        ``INDEX_TYPE_LIST``, ``INDEX_TYPE_MAPKEYS`` or ``INDEX_TYPE_MAPVALUES``.
    val : int, str or bytes
        The value.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return ("contains", bin_name, index_type, val)


def range(bin_name: str, index_type: int, min_val: int, max_val: int) -> Predicate:
    """Records whose list or map contains a number of a range.

    Parameters
    ----------
    bin_name : str
        The bin.
    index_type : int
        ``INDEX_TYPE_LIST``, ``INDEX_TYPE_MAPKEYS`` or ``INDEX_TYPE_MAPVALUES``.
    min_val, max_val : int
        The smallest and the largest number.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return ("range", bin_name, index_type, min_val, max_val)


def geo_within_geojson_region(bin_name: str, geojson: str,
                              index_type: int | None = None) -> Predicate:
    """Records whose point lies in a region.

    Parameters
    ----------
    bin_name : str
        The bin with the point.
    geojson : str
        GeoJSON text of the region.
    index_type : int, optional
        ``INDEX_TYPE_*``, for points in lists and maps.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return _with_index(("geo_within_geojson_region", bin_name, geojson), index_type)


def geo_contains_geojson_point(bin_name: str, geojson: str,
                               index_type: int | None = None) -> Predicate:
    """Records whose region contains a point.

    Parameters
    ----------
    bin_name : str
        The bin with the region.
    geojson : str
        GeoJSON text of the point.
    index_type : int, optional
        ``INDEX_TYPE_*``, for regions in lists and maps.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return _with_index(("geo_contains_geojson_point", bin_name, geojson), index_type)


def geo_within_radius(bin_name: str, long: float = _MISSING, lat: float = _MISSING,
                      radius: float = _MISSING, index_type: int | None = None, *,
                      lng: float = _MISSING) -> Predicate:
    """Records whose point lies in a circle.

    Parameters
    ----------
    bin_name : str
        The bin with the point.
    long, lat : float, degrees
        The centre: **longitude first**. ``lng`` is another name of ``long``.
    radius : float, metres
        The radius.
    index_type : int, optional
        ``INDEX_TYPE_*``, for points in lists and maps.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    if long is not _MISSING and lng is not _MISSING:
        raise TypeError("geo_within_radius() got both 'long' and 'lng'")
    longitude = lng if long is _MISSING else long
    for name, value in (("long", longitude), ("lat", lat), ("radius", radius)):
        if value is _MISSING:
            raise TypeError(f"geo_within_radius() missing required argument {name!r}")
    return _with_index(("geo_within_radius", bin_name, longitude, lat, radius), index_type)


def geo_contains_point(bin_name: str, long: float, lat: float,
                       index_type: int | None = None) -> Predicate:
    """Records whose region contains a point.

    Parameters
    ----------
    bin_name : str
        The bin with the region.
    long, lat : float, degrees
        The point, longitude first.
    index_type : int, optional
        ``INDEX_TYPE_*``, for regions in lists and maps.

    Returns
    -------
    tuple
        For ``Query.where``.
    """
    return _with_index(("geo_contains_point", bin_name, long, lat), index_type)


def _with_index(predicate: Predicate, index_type: int | None) -> Predicate:
    """The type of the index stands last, where it is given."""
    return predicate if index_type is None else (*predicate, index_type)
