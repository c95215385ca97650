"""What the driver scripts of all peers share: running calls, printing results.

A driver prints one JSON line per call, ``[name, result]``, with everything
that differs between two runs taken out: times to live, addresses, node names.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

NEVER = 0xFFFFFFFF

Call = tuple[str, Callable[[], Any]]


def plain(value: Any) -> Any:
    """`value` as JSON can say it, the same in every run."""
    if isinstance(value, (bytes, bytearray)):
        return "hex:" + bytes(value).hex()
    if isinstance(value, float):
        return f"float:{value!r}"
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, dict):
        return {str(plain(k)): plain(v) if k != "ttl" else life(v)
                for k, v in value.items()}
    if hasattr(value, "_asdict"):
        return {"type": type(value).__name__, **plain(value._asdict())}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    return scrubbed(repr(value))


def life(ttl: Any) -> Any:
    """A time to live, to within what a slow machine may lose."""
    if not isinstance(ttl, int) or ttl in (0, NEVER):
        return ttl
    return f"about {round(ttl / 20) * 20}"


def scrubbed(text: str) -> str:
    text = re.sub(r"\b[A-F0-9]{12,16}\b", "<node>", text)
    text = re.sub(r"\b[AB]B?[0-9A-F]{1,15}\b(?= ?\d+\.\d+)", "<node>", text)
    text = re.sub(r"\d+\.\d+\.\d+\.\d+:\d+", "<address>", text)
    return re.sub(r"0x[0-9a-f]+", "<pointer>", text)


def failure(error: BaseException) -> Any:
    """An exception: its class, its code, its text."""
    code = getattr(error, "code", getattr(error, "result_code", None))
    text = str(getattr(error, "msg", None) or error)
    return {"error": type(error).__name__,
            "code": code if isinstance(code, int) else str(code),
            "text": scrubbed(text.split("\nsub-errors")[0])}


def run(calls: Iterable[Call]) -> None:
    """Run each call and print what came of it."""
    for name, call in calls:
        try:
            result = plain(call())
        except Exception as error:  # whatever it is, it is the result
            result = failure(error)
        print(json.dumps([name, result], sort_keys=True), flush=True)


def address() -> tuple[str, int]:
    """Where the server is: the driver's two arguments."""
    return sys.argv[1], int(sys.argv[2])
