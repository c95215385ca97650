"""What all expressions are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from aerospike_py import _aerospike

__all__ = ["BinArg", "ResultType", "ReturnType"]

Compiled: TypeAlias = tuple[int, "int | None", "dict[str, Any] | None", int]


class ResultType:
    """Types of values."""

    NIL = 0
    BOOLEAN = 1
    INTEGER = 2
    STRING = 3
    LIST = 4
    MAP = 5
    BLOB = 6
    FLOAT = 7
    GEOJSON = 8
    HLL = 9


class ReturnType:
    """Flags beside the numbers ``LIST_RETURN_*`` and ``MAP_RETURN_*``."""

    LIST_RETURN_INVERTED = 0x10000
    MAP_RETURN_INVERTED = 0x10000


class _ExprOp:
    """Codes of nodes; they are not those of the wire."""

    UNKNOWN = 0
    EQ = 1
    NE = 2
    GT = 3
    GE = 4
    LT = 5
    LE = 6
    CMP_REGEX = 7
    CMP_GEO = 8
    AND = 16
    OR = 17
    NOT = 18
    EXCLUSIVE = 19
    ADD = 20
    SUB = 21
    MUL = 22
    DIV = 23
    POW = 24
    LOG = 25
    MOD = 26
    ABS = 27
    FLOOR = 28
    CEIL = 29
    TO_INT = 30
    TO_FLOAT = 31
    INT_AND = 32
    INT_OR = 33
    INT_XOR = 34
    INT_NOT = 35
    INT_LSHIFT = 36
    INT_RSHIFT = 37
    INT_ARSHIFT = 38
    INT_COUNT = 39
    INT_LSCAN = 40
    INT_RSCAN = 41
    MIN = 50
    MAX = 51
    META_DIGEST_MOD = 64
    META_DEVICE_SIZE = 65
    META_LAST_UPDATE_TIME = 66
    META_VOID_TIME = 67
    META_TTL = 68
    META_SET_NAME = 69
    META_KEY_EXISTS = 70
    META_SINCE_UPDATE_TIME = 71
    META_IS_TOMBSTONE = 72
    META_MEMORY_SIZE = 73
    META_RECORD_SIZE = 74
    REC_KEY = 80
    BIN = 81
    BIN_TYPE = 82
    BIN_EXISTS = 83
    COND = 123
    VAR = 124
    LET = 125
    DEF = 126
    _AS_EXP_CODE_AS_VAL = 128
    _AS_EXP_CODE_CDT_LIST_CRMOD = 140
    _AS_EXP_CODE_CDT_LIST_MOD = 141
    _AS_EXP_CODE_CDT_MAP_CRMOD = 142
    _AS_EXP_CODE_END_OF_VA_ARGS = 150
    _AS_EXP_BIT_FLAGS = 153
    VAL = 200


class _BaseExpr(_aerospike.Node):
    """A node: a code, the type of its result, entries that are no operands, and operands.

    An operand is a node or a plain value. A node does not change: it can be a key of a dict, and
    is packed only once. ``compile()`` gives the tree as a flat list, for those who want that.
    """

    def to_base64(self) -> str:
        """The bytes that travel, as base64 text.

        Returns
        -------
        str
            Of it, ``exp.from_base64()`` makes an expression again.
        """
        return _aerospike.compile_expression(self).to_base64()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _BaseExpr):
            return NotImplemented
        return repr(self.compile()) == repr(other.compile())

    def __hash__(self) -> int:
        return hash(repr(self.compile()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self._op, self._rt, self._fixed, self._children)

    def __repr__(self) -> str:
        parts = [repr(c) for c in self._children if type(c) is not _GenericExpr or c._children]
        parts += [f"{name}={value!r}" for name, value in (self._fixed or {}).items()]
        name = type(self).__name__
        if isinstance(self, _GenericExpr):  # of an operator
            name = _OPERATORS.get(self._op, name)
        return f"{name}({', '.join(parts)})"

    # ---- operators ----

    def __abs__(self) -> _BaseExpr:
        return _unary(_ExprOp.ABS, self)

    def __floor__(self) -> _BaseExpr:
        return _unary(_ExprOp.FLOOR, self)

    def __ceil__(self) -> _BaseExpr:
        return _unary(_ExprOp.CEIL, self)

    def __add__(self, right: Any) -> _BaseExpr:
        return _chain(_ExprOp.ADD, self, right, True)

    def __sub__(self, right: Any) -> _BaseExpr:
        return _chain(_ExprOp.SUB, self, right, False)

    def __mul__(self, right: Any) -> _BaseExpr:
        return _chain(_ExprOp.MUL, self, right, True)

    def __truediv__(self, right: Any) -> _BaseExpr:
        return _chain(_ExprOp.DIV, self, right, False)

    def __floordiv__(self, right: Any) -> _BaseExpr:
        return _unary(_ExprOp.FLOOR, self / right)

    def __pow__(self, right: Any) -> _BaseExpr:
        return _GenericExpr(_ExprOp.POW, None, None, (self, right))

    def __mod__(self, right: Any) -> _BaseExpr:
        return _GenericExpr(_ExprOp.MOD, None, None, (self, right))


def _made(cls: type[_BaseExpr], op: int, rt: int | None, fixed: dict[str, Any] | None,
          children: tuple[Any, ...]) -> _BaseExpr:
    """A node as it was before it was pickled."""
    node = cls.__new__(cls)
    node._op, node._rt, node._fixed, node._children = op, rt, fixed, children
    return node


BinArg: TypeAlias = _BaseExpr | str


class _GenericExpr(_BaseExpr):
    """A node without a class of its own."""

    def __init__(self, op: int, rt: int | None, fixed: dict[str, Any] | None,
                 children: tuple[Any, ...] = ()) -> None:
        self._op = op
        self._rt = rt
        self._fixed = fixed
        self._children = children


_OPERATORS = {code: name.title().replace("_", "") for name, code in vars(_ExprOp).items()
              if isinstance(code, int)}

#: Behind operands of any number: from a class, and from an operator.
_END = _GenericExpr(_ExprOp._AS_EXP_CODE_END_OF_VA_ARGS, 0, {})
_OPERATOR_END = _GenericExpr(_ExprOp._AS_EXP_CODE_END_OF_VA_ARGS, None, None)


def _unary(op: int, operand: _BaseExpr) -> _BaseExpr:
    """One operand; done twice is done once."""
    return operand if operand._op == op else _GenericExpr(op, None, None, (operand,))


def _operands(op: int, item: Any) -> tuple[Any, ...]:
    """The operands of a node of the code, or the item itself."""
    return item._children[:-1] if isinstance(item, _BaseExpr) and item._op == op else (item,)


def _chain(op: int, left: _BaseExpr, right: Any, associative: bool) -> _BaseExpr:
    """``a + b + c`` is one node; ``a - (b - c)`` is none."""
    after = _operands(op, right) if associative else (right,)
    return _GenericExpr(op, None, None, (*_operands(op, left), *after, _OPERATOR_END))


def _bin(cls: Any, name: Any) -> _BaseExpr:
    """A bin's name as an expression."""
    made: _BaseExpr = name if isinstance(name, _BaseExpr) else cls(name)
    return made


def _given(name: str, value: Any) -> dict[str, Any]:
    """An entry, unless it is None."""
    return {} if value is None else {name: value}


def _select(return_type: int, inverted: bool) -> int:
    """A return type with the flag of the complement."""
    return return_type | ReturnType.LIST_RETURN_INVERTED if inverted else return_type


def _policy(op: int, name: str, policy: Mapping[str, Any] | None) -> _BaseExpr:
    """A policy as an operand."""
    return _GenericExpr(op, 0, _given(name, policy))


def _policy_flags(policy: Mapping[str, Any] | None, name: str) -> Any:
    """The flags in a policy, 0 without."""
    return policy.get(name, 0) if policy else 0


def _flags(number: Any) -> _BaseExpr:
    """Flags as an operand."""
    return _GenericExpr(_ExprOp._AS_EXP_BIT_FLAGS, 0, {"val": number})
