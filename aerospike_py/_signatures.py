"""What a method in C says of itself when it is asked as a function is."""

from __future__ import annotations

from types import FunctionType
from typing import Any


def face(name: str, signature: str, coroutine: bool) -> FunctionType:
    """Make a function with an empty body.

    Parameters
    ----------
    name : str
        Its name.
    signature : str
        Its parameters in parentheses, the first of them ``$self``.
    coroutine : bool
        Whether calling it gives a coroutine.

    Returns
    -------
    function
        Nobody calls it: its code tells what the method takes.
    """
    made: dict[str, Any] = {}
    keyword = "async def" if coroutine else "def"
    text = f"{keyword} {name}{signature.replace('$self', 'self')}: ..."
    exec(compile(text, "<aerospike_py>", "exec"), {"__name__": "aerospike_py"}, made)
    function: FunctionType = made[name]
    return function
