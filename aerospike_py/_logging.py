"""Log lines of the core, into :mod:`logging` and to a handler of the user's."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
from collections.abc import Callable

OFF, ERROR, WARN, TRACE = -1, 0, 1, 4
PYTHON_TRACE = 5
logging.addLevelName(PYTHON_TRACE, "TRACE")

LEVELS = {OFF: logging.CRITICAL + 1, ERROR: logging.ERROR, WARN: logging.WARNING,
          2: logging.INFO, 3: logging.DEBUG, TRACE: PYTHON_TRACE}
NAMES = ("aerospike_py", "_aerospike", "aerospike_core", "aerospike")

logger = logging.getLogger("aerospike_py")
logger.addHandler(logging.NullHandler())

Handler = Callable[[int, str, str, int, str], object]
_handler: Handler | None = None
_most = TRACE  # the handler gets no lines above
_counter = itertools.count(1)


def deliver(level: int, func: str, file: str, line: int, text: str) -> None:
    """Take one line of the core."""
    if _handler is not None and level <= _most:
        _handler(level, func, file, line, text)
    number = LEVELS[level]
    if logger.isEnabledFor(number):
        room = file.rsplit("/", 2)[-2] if "/" in file else "core"
        child = logging.getLogger(f"aerospike_py.{room}")
        child.handle(child.makeRecord(child.name, number, file, line, text, (), None, func))


@atexit.register
def _close() -> None:
    """Deliver what waits; later lines would find nobody."""
    from . import _aerospike

    _aerospike.flush_log()
    _aerospike.close_log()


def print_line(level: int, func: str, file: str, line: int, text: str) -> None:
    """The official client's own handler: to standard output."""
    print(f"{os.getpid()}:{next(_counter)} {text}")


def set_handler(handler: Handler | None) -> None:
    """Hand further lines to `handler` as well, or to nobody."""
    global _handler
    _handler = handler


def set_default_handler() -> None:
    """Print errors, as the official client does, until somebody wants it otherwise."""
    global _most
    if _handler is None:
        set_handler(print_line)
        _most = ERROR


def set_level(level: int) -> None:
    """Set the level of the loggers, of the handler and of the core."""
    global _most
    from . import _aerospike

    _most = min(max(level, OFF), TRACE)
    for name in NAMES:
        logging.getLogger(name).setLevel(LEVELS[_most])
    _aerospike.set_log_level(_most)
