"""The root of the exceptions; the others are made from a table in C."""

from __future__ import annotations

from typing import Any


class AerospikeError(Exception):
    """Anything that this package reports.

    Attributes
    ----------
    code : int or None
        The server's result code, or a negative one of the client.
    msg : str or None
        The message alone.
    in_doubt : bool or None
        A write may have happened although its answer did not arrive.
    result_code : int
        The server's code, -1 for errors of the client.
    node : str or None
        The node that was asked.
    attempts : int
        Requests that were completely sent.
    subcode : int
        The server's finer reason, 0 if it gave none.
    key, bin, name, module, func
        What the call was about, where it was about one.

    Notes
    -----
    ``args`` is ``(code, msg, file, line, in_doubt)``, as the official client has it.
    """

    code: int | None = None
    msg: str | None = None
    file: str | None = None
    line: int | None = None
    in_doubt: bool | None = None
    result_code: int = -1
    subcode: int = 0
    node: str | None = None
    attempts: int = 0
    key: Any = None
    bin: Any = None
    name: str | None = None
    module: str | None = None
    func: str | None = None
    _text: str | None = None
    _hidden_name: str | None = None

    def __str__(self) -> str:
        return self._text if self._text is not None else super().__str__()

    def __reduce__(self) -> tuple[Any, ...]:
        cls = type(self)
        name = cls.__dict__.get("_hidden_name") or cls.__qualname__
        if cls.__module__ == AerospikeError.__module__:
            return _restore, (name, self.args, self.__dict__ or None)
        return cls, self.args, self.__dict__ or None


def _restore(name: str, args: tuple[Any, ...], state: dict[str, Any] | None) -> AerospikeError:
    """Make again what was pickled: classes that are not public have no name of their own."""
    from ._aerospike import exceptions

    made: AerospikeError = exceptions[name](*args)
    if state:
        made.__dict__.update(state)
    return made
