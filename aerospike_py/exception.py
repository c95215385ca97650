"""The exceptions of both peers, as one tree.

``TimeoutError`` and ``IndexError`` are the former names of ``AerospikeTimeoutError`` and
``AerospikeIndexError``: taking them from here warns.
"""

from __future__ import annotations

import warnings
from typing import Any

from ._aerospike import exceptions as _classes

_HIDDEN = {name for name, cls in _classes.items() if name != cls.__name__}
_RENAMED = {"TimeoutError": "AerospikeTimeoutError", "IndexError": "AerospikeIndexError"}

globals().update({name: cls for name, cls in _classes.items() if name not in _HIDDEN})
# Refused without asking: the server would have answered so.
_classes["ParamServerError"].result_code = 4
_classes["ParamBinTypeError"].result_code = 12

BinIncompatibleType = _classes["BinTypeError"]

__all__ = sorted([*(set(_classes) - _HIDDEN), "BinIncompatibleType"])


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        warnings.warn(f"{name} is now called {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        return _classes[_RENAMED[name]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_RENAMED]
