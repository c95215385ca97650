"""``import aerospike`` as the strict face, in this process."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType

_HELPERS = "aerospike_helpers"
_ABSENT = object()
_before: dict[str, object] = {}


def _modules() -> dict[str, ModuleType]:
    """The official names and what they mean."""
    face = importlib.import_module("aerospike_py.official")
    helpers = importlib.import_module("aerospike_py.official.helpers")
    found = {"aerospike": face, _HELPERS: helpers}
    for part in ("exception", "predicates"):
        found[f"aerospike.{part}"] = getattr(face, part)
    prefix = f"{helpers.__name__}."
    for entry in pkgutil.walk_packages(helpers.__path__, prefix):
        name = f"{_HELPERS}.{entry.name.removeprefix(prefix)}"
        found[name] = importlib.import_module(entry.name)
    return found


def install() -> None:
    """Make ``aerospike`` and ``aerospike_helpers`` mean the strict face, in this process.

    Notes
    -----
    For programs that are not to be changed: call it before they are imported. Doing it twice is
    the same as once.
    """
    for name, module in _modules().items():
        if sys.modules.get(name) is not module:
            _before.setdefault(name, sys.modules.get(name, _ABSENT))
            sys.modules[name] = module


def uninstall() -> None:
    """Undo ``install()``; what was imported meanwhile stays as it is."""
    while _before:
        name, module = _before.popitem()
        if isinstance(module, ModuleType):
            sys.modules[name] = module
        else:
            sys.modules.pop(name, None)
