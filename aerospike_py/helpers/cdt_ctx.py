"""Contexts: where a list or map is inside others.

A context is a list of steps, from the bin inwards: ``[cdt_ctx_map_key("a"),
cdt_ctx_list_index(0)]`` is the first item of the list under ``"a"``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from aerospike_py import _aerospike

_numbers = _aerospike.official_constants  # these are the same on both faces

__all__ = [
    "cdt_ctx_all_children", "cdt_ctx_all_children_with_filter", "cdt_ctx_and_filter",
    "cdt_ctx_list_index", "cdt_ctx_list_index_create", "cdt_ctx_list_rank", "cdt_ctx_list_value",
    "cdt_ctx_map_index", "cdt_ctx_map_key", "cdt_ctx_map_key_create", "cdt_ctx_map_keys_in",
    "cdt_ctx_map_rank", "cdt_ctx_map_value", "index_datatype_string", "index_type_string",
]

CDT_CTX_ORDER_KEY = "order_key"
CDT_CTX_PAD_KEY = "pad_key"
_FILTER_KEY = _numbers["_CDT_CTX_FILTER_EXPR_KEY"]


class _cdt_ctx:  # noqa: N801 - the official name
    """One step."""

    __slots__ = ("extra_args", "id", "value")

    def __init__(self, *, id: int, value: Any = None,
                 extra_args: dict[str, Any] | None = None) -> None:
        self.id = id
        self.value = value
        self.extra_args = extra_args

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _cdt_ctx):
            return NotImplemented
        return (self.id, self.value, self.extra_args) == (other.id, other.value, other.extra_args)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"_cdt_ctx(id={self.id}, value={self.value!r}, extra_args={self.extra_args!r})"


Ctx: TypeAlias = list[_cdt_ctx]


def _step(name: str, value: Any = None, **extra: Any) -> _cdt_ctx:
    return _cdt_ctx(id=_numbers[name], value=value, extra_args=extra or None)


def cdt_ctx_list_index(index: int) -> _cdt_ctx:
    """Go to the item of a list at a position.

    Parameters
    ----------
    index : int
        Position; negative ones count from the end.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_LIST_INDEX", index)


def cdt_ctx_list_rank(rank: int) -> _cdt_ctx:
    """Go to the item of a list by its rank.

    Parameters
    ----------
    rank : int
        Position in the order of values; negative ones count from the largest.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_LIST_RANK", rank)


def cdt_ctx_list_value(value: Any) -> _cdt_ctx:
    """Go to the item of a list that equals a value.

    Parameters
    ----------
    value : any
        The value.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_LIST_VALUE", value)


def cdt_ctx_list_index_create(index: int, order: int = 0, pad: bool = False) -> _cdt_ctx:
    """Go to the item of a list at a position; a list is created there if there is none.

    Parameters
    ----------
    index : int
        Position.
    order : int, default 0
        ``LIST_UNORDERED`` or ``LIST_ORDERED``, of the created list.
    pad : bool, default False
        Fill a gap in front of a position beyond the end with nil.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_LIST_INDEX_CREATE", index, **{CDT_CTX_ORDER_KEY: order,
                                                        CDT_CTX_PAD_KEY: pad})


def cdt_ctx_map_index(index: int) -> _cdt_ctx:
    """Go to the value of a map at a position in the order of keys.

    Parameters
    ----------
    index : int
        Position; negative ones count from the end.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_MAP_INDEX", index)


def cdt_ctx_map_rank(rank: int) -> _cdt_ctx:
    """Go to the value of a map by its rank.

    Parameters
    ----------
    rank : int
        Position in the order of values; negative ones count from the largest.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_MAP_RANK", rank)


def cdt_ctx_map_key(key: Any) -> _cdt_ctx:
    """Go to the value of a map under a key.

    Parameters
    ----------
    key : any
        The key: str, int or bytes.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_MAP_KEY", key)


def cdt_ctx_map_value(value: Any) -> _cdt_ctx:
    """Go to the value of a map that equals a value.

    Parameters
    ----------
    value : any
        The value.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_MAP_VALUE", value)


def cdt_ctx_map_key_create(key: Any, order: int = 0) -> _cdt_ctx:
    """Go to the value of a map under a key; a map is created there if there is none.

    Parameters
    ----------
    key : any
        The key: str, int or bytes.
    order : int, default 0
        ``MAP_UNORDERED``, ``MAP_KEY_ORDERED`` or ``MAP_KEY_VALUE_ORDERED``, of the created map.

    Returns
    -------
    _cdt_ctx
        A step of a context.
    """
    return _step("CDT_CTX_MAP_KEY_CREATE", key, **{CDT_CTX_ORDER_KEY: order})


def cdt_ctx_map_keys_in(keys: list[Any]) -> _cdt_ctx:
    """In a path: go to the values of a map under several keys.

    Parameters
    ----------
    keys : list
        The keys.

    Returns
    -------
    _cdt_ctx
        A step of a path.
    """
    return _step("_AS_CDT_CTX_MAP_KEYS_IN", keys)


def cdt_ctx_all_children() -> _cdt_ctx:
    """In a path: go to everything in a list or map.

    Returns
    -------
    _cdt_ctx
        A step of a path.
    """
    return _step("_AS_CDT_CTX_EXP")


def cdt_ctx_all_children_with_filter(expression: list[Any]) -> _cdt_ctx:
    """In a path: go to what an expression chooses in a list or map.

    Parameters
    ----------
    expression : list, compiled
        True for those that are chosen; its loop variables are theirs.

    Returns
    -------
    _cdt_ctx
        A step of a path.
    """
    return _step("_AS_CDT_CTX_EXP", **{_FILTER_KEY: expression})


def cdt_ctx_and_filter(expression: list[Any]) -> _cdt_ctx:
    """In a path: of what the step before chooses, keep what an expression chooses, too.

    Parameters
    ----------
    expression : list, compiled
        True for those that are kept; its loop variables are theirs.

    Returns
    -------
    _cdt_ctx
        A step of a path.
    """
    made = _step("_AS_CDT_CTX_EXP", **{_FILTER_KEY: expression})
    made.id |= _numbers["_AS_CDT_CTX_AND"]
    return made


def index_type_string(index_type: int) -> str:
    """What a number of ``INDEX_TYPE_*`` is called in info commands.

    Parameters
    ----------
    index_type : int
        The number.

    Returns
    -------
    str
        ``"invalid"`` for any other.
    """
    return {0: "default", 1: "list", 2: "mapkeys", 3: "mapvalues"}.get(index_type, "invalid")


def index_datatype_string(index_datatype: int) -> str:
    """What the number of an index's data type is called in info commands.

    Parameters
    ----------
    index_datatype : int
        ``INDEX_NUMERIC``, ``INDEX_STRING``, ``INDEX_BLOB`` or ``INDEX_GEO2DSPHERE``.

    Returns
    -------
    str
        ``"invalid"`` for any other.
    """
    names = {"INDEX_STRING": "string", "INDEX_GEO2DSPHERE": "geo2dsphere", "INDEX_BLOB": "blob",
             "INDEX_NUMERIC": "numeric"}
    numbers = {_numbers[name]: text for name, text in names.items()}
    return numbers.get(index_datatype, "invalid")
