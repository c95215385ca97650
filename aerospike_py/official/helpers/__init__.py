"""The helpers with the strict face's numbers.

The files are those of :mod:`aerospike_py.helpers`, loaded once more under this package, whose
`_numbers` is another. Classes that C looks for must be the same ones: their modules are shared.
"""

from __future__ import annotations

import importlib
import sys

import aerospike_py.helpers as _main
from aerospike_py._values import HyperLogLog

__all__ = ["HyperLogLog"]

_SHARED = ("batch", "batch.records", "cdt_ctx", "expressions.resources", "metrics",
           "string_helpers")

__path__ = [*__path__, *_main.__path__]

for _name in _SHARED:
    _module = importlib.import_module(f"{_main.__name__}.{_name}")
    sys.modules[f"{__name__}.{_name}"] = _module
    if "." not in _name:
        globals()[_name] = _module
