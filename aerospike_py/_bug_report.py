"""What is written to the log when something fails that should not."""

from __future__ import annotations

import functools
import inspect
import logging
import platform
import shlex
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from ._errors import AerospikeError

logger = logging.getLogger("aerospike_py")
_Function = TypeVar("_Function", bound=Callable[..., Any])


def log_unexpected_error(context: str, exc: BaseException) -> None:
    """Write an error to the log, with what a report of it needs.

    Parameters
    ----------
    context : str
        Where it happened.
    exc : BaseException
        The error.
    """
    from aerospike_py import __version__

    what = f"{type(exc).__name__}: {exc}"
    trace = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    body = "\n".join([
        f"aerospike-py {__version__}", f"Python {sys.version.splitlines()[0]}",
        platform.platform(), f"in {context}", "", "```", trace.rstrip(), "```"])
    logger.error(
        "Unexpected error in %s: %s\nThis error may be a bug in aerospike-py. To report it, in a "
        "copy of its repository:\ngh issue create --title %s --body %s",
        context, what, shlex.quote(f"Unexpected error: {what.splitlines()[0]}"),
        shlex.quote(body))


def _look(context: str, exc: Exception) -> None:
    if not isinstance(exc, AerospikeError):
        log_unexpected_error(context, exc)


def catch_unexpected(method_name: str) -> Callable[[_Function], _Function]:
    """Decorate a function, plain or ``async``: errors that are not ours are logged.

    Parameters
    ----------
    method_name : str
        What the log says it is.

    Returns
    -------
    callable
        The decorator.
    """
    def decorate(function: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                try:
                    return await function(*args, **kwargs)
                except Exception as exc:
                    _look(method_name, exc)
                    raise
            return run_async

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as exc:
                _look(method_name, exc)
                raise
        return run
    return decorate
