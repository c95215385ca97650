from typing import Any

#: A capsule that other extensions of this package take (aero/lua/lua.h).
api: Any

def run(
    modules: dict[str, bytes],
    module: str,
    function: str,
    args: bytes,
    values: list[tuple[int, bytes]],
    /,
    ms: int = 0,
) -> list[tuple[int, bytes]]: ...
