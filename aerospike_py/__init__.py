"""Aerospike from Python."""

from __future__ import annotations

from . import types
from . import _aerospike
from . import exception
from ._aerospike import Client
from ._async import AsyncClient, async_client
from ._values import (CDTInfinite, CDTWildcard, GeoJSON, HyperLogLog, KeyOrderedDict, Transaction,
                      geodata, geojson, null)

globals().update({k: v for k, v in _aerospike.constants.items() if not k.startswith("_")})
globals().update({k: getattr(exception, k) for k in exception.__all__})


def client(config: dict) -> Client:
    return Client(config)
