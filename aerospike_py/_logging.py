"""Log lines of the core, into :mod:`logging` and to a handler of the user's."""

from __future__ import annotations

import logging
from collections.abc import Callable

TRACE = 5
logging.addLevelName(TRACE, "TRACE")

LEVELS = {-1: logging.CRITICAL + 10, 0: logging.ERROR, 1: logging.WARNING, 2: logging.INFO,
          3: logging.DEBUG, 4: TRACE}
NAMES = ("aerospike_py", "_aerospike", "aerospike_core", "aerospike")

logger = logging.getLogger("aerospike_py")
logger.addHandler(logging.NullHandler())

Handler = Callable[[int, str, str, int, str], None]
_handler: Handler | None = None


def deliver(level: int, func: str, file: str, line: int, text: str) -> None:
    """Take one line of the core."""
    if _handler is not None:
        _handler(level, func, file, line, text)
    number = LEVELS[level]
    if logger.isEnabledFor(number):
        room = file.rsplit("/", 2)[-2] if "/" in file else "core"
        child = logging.getLogger(f"aerospike_py.{room}")
        child.handle(child.makeRecord(child.name, number, file, line, text, (), None, func))


def set_handler(handler: Handler | None) -> None:
    """Hand further lines to `handler` as well, or to nobody."""
    global _handler
    _handler = handler


def set_level(level: int) -> None:
    """Set the level of the loggers and of the core."""
    from . import _aerospike

    for name in NAMES:
        logging.getLogger(name).setLevel(LEVELS[level])
    _aerospike.set_log_level(level)
