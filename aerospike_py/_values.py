"""Values with a meaning of their own: GeoJSON, ordered maps, sketches, markers."""

from __future__ import annotations

import json
from typing import Any, final


def _param(text: str) -> Exception:
    from ._aerospike import exceptions

    made: Exception = exceptions["ParamTypeError"](-2, text, None, None, False)
    made.__dict__.update(code=-2, msg=text, in_doubt=False, _text=text)
    return made


def _bad_text(text: str) -> Exception:
    from ._aerospike import exceptions

    made: Exception = exceptions["ClientError"](-1, text, None, None, False)
    made.__dict__.update(code=-1, msg=text, in_doubt=False, _text=text)
    return made


def _load(text: str) -> Any:
    try:
        loaded = json.loads(text)
    except ValueError as error:
        raise _bad_text(f"String is not GeoJSON serializable: {error}") from error
    if not isinstance(loaded, dict):
        raise _param("Geospatial data should be a GeoJSON object")
    return loaded


class _Geo:
    """What the two GeoJSON types share."""

    geo_data: Any

    def wrap(self, geodata: dict[str, Any]) -> int:
        """Take another geometry."""
        if not isinstance(geodata, dict):
            raise _param("Geospatial data should be a dictionary or raw GeoJSON string")
        self.geo_data = geodata
        return 0

    def unwrap(self) -> Any:
        """The geometry as a dict."""
        return self.geo_data

    def loads(self, geodata: str) -> int:
        """Take another geometry from a GeoJSON text."""
        if not isinstance(geodata, str):
            raise _param("Geospatial data should be a string")
        self.geo_data = _load(geodata)
        return 0

    def dumps(self) -> str:
        """The geometry as a GeoJSON text."""
        return json.dumps(self.geo_data)


class GeoJSON(_Geo, str):
    """A geometry: the GeoJSON text, and the dict that it says.

    Parameters
    ----------
    geo_data : dict or str
        A GeoJSON object, or its text, which is kept as it is written.

    Notes
    -----
    A str, so it compares, hashes and pickles as its text does. The dict can be changed
    through ``wrap``, ``loads`` and ``geo_data``; ``str()``, ``dumps()`` and writing follow it.
    """

    _data: Any = None
    _changed = False

    def __new__(cls, geo_data: Any = None) -> GeoJSON:
        if isinstance(geo_data, dict):
            text, loaded = json.dumps(geo_data), geo_data
        elif isinstance(geo_data, str):
            text, loaded = str(geo_data), _load(str(geo_data))
        else:
            raise _param("Geospatial data should be a dictionary or raw GeoJSON string")
        made = super().__new__(cls, text)
        made._data = loaded
        return made

    @classmethod
    def _read(cls, text: str) -> GeoJSON:
        """What a server sent: it is looked into when somebody asks."""
        return super().__new__(cls, text)

    @property
    def geo_data(self) -> Any:
        """The geometry as a dict."""
        if self._data is None:
            self._data = _load(str.__str__(self))
        return self._data

    @geo_data.setter
    def geo_data(self, geo_data: Any) -> None:
        self._data = geo_data
        self._changed = True

    def __str__(self) -> str:
        return json.dumps(self._data) if self._changed else str.__str__(self)

    def dumps(self) -> str:
        """The geometry as a GeoJSON text."""
        return str(self)

    def __repr__(self) -> str:
        return f"GeoJSON({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self),)


class Geospatial(_Geo):
    """The strict face's GeoJSON: a plain object around a dict.

    Parameters
    ----------
    geo_data : dict or str
        A GeoJSON object, or its text.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) + len(kwargs) != 1 or kwargs.keys() - {"geo_data"}:
            raise _param("GeoJSON() expects exactly 1 parameter")
        geo_data = kwargs["geo_data"] if kwargs else args[0]
        if isinstance(geo_data, str):
            geo_data = _load(geo_data)
        elif not isinstance(geo_data, dict):
            raise _param("Geospatial data should be a dictionary or raw GeoJSON string")
        self.geo_data = geo_data

    @classmethod
    def _read(cls, text: str) -> Geospatial:
        """What a server sent."""
        return cls(text)

    def __str__(self) -> str:
        return self.dumps()

    def __repr__(self) -> str:
        return f"'{self.dumps()}'"


Geospatial.__module__ = "aerospike"


class KeyOrderedDict(dict[Any, Any]):
    """A dict that is stored as a map in the order of its keys."""


class HyperLogLog(bytes):
    """The bytes of a HyperLogLog sketch."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"HyperLogLog({bytes.__repr__(self)})"

    __str__ = __repr__


class null:  # noqa: N801 - the official name
    """Written to a bin, it removes the bin."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


class _Marker:
    """Not to be derived from further than by the two below."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __init_subclass__(cls) -> None:
        if cls.__mro__[1] is not _Marker:
            raise TypeError(f"type '{cls.__mro__[1].__name__}' is not an acceptable base type")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@final
class CDTWildcard(_Marker):
    """In comparisons of lists and maps: equal to anything."""


@final
class CDTInfinite(_Marker):
    """In comparisons of lists and maps: above everything."""


def _check_u32(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError(f"an integer is required, not {type(number).__name__}")
    if number < 0:
        raise OverflowError("can't convert negative value to unsigned int")
    if number > 0xFFFFFFFF:
        raise ValueError("value does not fit 32 bits")
    return number


def geodata(geo_data: dict[str, Any]) -> GeoJSON:
    """Wrap a dict that is a GeoJSON object."""
    if not isinstance(geo_data, dict):
        raise _param("The geospatial data should be a dictionary")
    return GeoJSON(geo_data)


def geojson(geojson_str: str) -> GeoJSON:
    """Wrap a GeoJSON text."""
    if not isinstance(geojson_str, str):
        raise _param("The geospatial data should be a string")
    _load(geojson_str)
    return GeoJSON(geojson_str)


@final
class ConfigProvider:
    """A file with settings that outrank those of the program.

    Parameters
    ----------
    path : str
        The file.
    interval : int, milliseconds
        How often it is looked at.
    """

    __slots__ = ("_interval", "_path")

    def __init__(self, path: str, interval: int = 5000) -> None:
        if not isinstance(path, str):
            raise TypeError(f"path must be a str, not {type(path).__name__}")
        self._path = path
        self._interval = _check_u32(interval)

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'aerospike.ConfigProvider' is not an acceptable base type")

    @property
    def path(self) -> str:
        """The file."""
        return self._path

    @property
    def interval(self) -> int:
        """How often it is looked at, milliseconds."""
        return self._interval

    def __repr__(self) -> str:
        return f"ConfigProvider({self._path!r}, interval={self._interval})"
