"""The strict face: the official client's names, numbers, shapes and rules.

``import aerospike_py.official as aerospike`` runs code that was written for it; ``install()``
makes ``import aerospike`` mean this module, for code that is not to be changed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from aerospike_py import _aerospike, _fork, _functions, _logging
from aerospike_py._aerospike import Transaction
from aerospike_py._client import origin_of
from aerospike_py._config import param, param_type
from aerospike_py._values import (
    CDTInfinite,
    CDTWildcard,
    ConfigProvider,
    Geospatial as GeoJSON,
    KeyOrderedDict,
    null,
)

from . import exception, predicates
from ._constants import *  # noqa: F403
from ._install import (
    install as install,
    install as install_as_aerospike,
    uninstall as uninstall,
)

__all__ = ["CDTInfinite", "CDTWildcard", "Client", "ConfigProvider", "GeoJSON", "KeyOrderedDict",
           "Transaction", "calc_digest", "client", "exception", "geodata", "geojson",
           "get_partition_id", "install_as_aerospike", "null", "predicates", "set_deserializer",
           "set_log_handler", "set_log_level", "set_serializer", "unset_serializers"]
# ---- names of constants, by tools/gen_stubs.py ----
__all__ += [
    "ABORT_ALREADY_ABORTED", "ABORT_CLOSE_ABANDONED", "ABORT_COMMIT_FAILED", "ABORT_OK",
    "ABORT_ROLL_BACK_ABANDONED", "AS_BOOL", "AS_BYTES_BLOB", "AS_BYTES_BOOL", "AS_BYTES_CSHARP",
    "AS_BYTES_DOUBLE", "AS_BYTES_ERLANG", "AS_BYTES_GEOJSON", "AS_BYTES_HLL", "AS_BYTES_INTEGER",
    "AS_BYTES_JAVA", "AS_BYTES_LIST", "AS_BYTES_MAP", "AS_BYTES_PHP", "AS_BYTES_PYTHON",
    "AS_BYTES_RUBY", "AS_BYTES_STRING", "AS_BYTES_TYPE_MAX", "AS_BYTES_UNDEF", "AUTH_EXTERNAL",
    "AUTH_EXTERNAL_INSECURE", "AUTH_INTERNAL", "AUTH_PKI", "BIT_OVERFLOW_FAIL",
    "BIT_OVERFLOW_SATURATE", "BIT_OVERFLOW_WRAP", "BIT_RESIZE_DEFAULT", "BIT_RESIZE_FROM_FRONT",
    "BIT_RESIZE_GROW_ONLY", "BIT_RESIZE_SHRINK_ONLY", "BIT_WRITE_CREATE_ONLY", "BIT_WRITE_DEFAULT",
    "BIT_WRITE_NO_FAIL", "BIT_WRITE_PARTIAL", "BIT_WRITE_UPDATE_ONLY", "CDT_CTX_LIST_INDEX",
    "CDT_CTX_LIST_INDEX_CREATE", "CDT_CTX_LIST_RANK", "CDT_CTX_LIST_VALUE", "CDT_CTX_MAP_INDEX",
    "CDT_CTX_MAP_KEY", "CDT_CTX_MAP_KEY_CREATE", "CDT_CTX_MAP_RANK", "CDT_CTX_MAP_VALUE",
    "COMMIT_ALREADY_COMMITTED", "COMMIT_CLOSE_ABANDONED", "COMMIT_OK",
    "COMMIT_ROLL_FORWARD_ABANDONED", "ERROR_DETAIL_EXP_TRACE", "ERROR_DETAIL_MESSAGE",
    "ERROR_DETAIL_NONE", "ERROR_DETAIL_SUBCODE", "EXP_LOOPVAR_INDEX", "EXP_LOOPVAR_KEY",
    "EXP_LOOPVAR_VALUE", "EXP_PATH_MODIFY_DEFAULT", "EXP_PATH_MODIFY_NO_FAIL",
    "EXP_PATH_SELECT_LIST_VALUE", "EXP_PATH_SELECT_MAP_KEY", "EXP_PATH_SELECT_MAP_KEY_VALUE",
    "EXP_PATH_SELECT_MAP_VALUE", "EXP_PATH_SELECT_MATCHING_TREE", "EXP_PATH_SELECT_NO_FAIL",
    "EXP_PATH_SELECT_VALUE", "EXP_READ_DEFAULT", "EXP_READ_EVAL_NO_FAIL", "EXP_WRITE_ALLOW_DELETE",
    "EXP_WRITE_CREATE_ONLY", "EXP_WRITE_DEFAULT", "EXP_WRITE_EVAL_NO_FAIL",
    "EXP_WRITE_POLICY_NO_FAIL", "EXP_WRITE_UPDATE_ONLY", "HLL_WRITE_ALLOW_FOLD",
    "HLL_WRITE_CREATE_ONLY", "HLL_WRITE_DEFAULT", "HLL_WRITE_NO_FAIL", "HLL_WRITE_UPDATE_ONLY",
    "INDEX_BLOB", "INDEX_GEO2DSPHERE", "INDEX_INTEGER", "INDEX_NUMERIC", "INDEX_STRING",
    "INDEX_TYPE_DEFAULT", "INDEX_TYPE_LIST", "INDEX_TYPE_MAPKEYS", "INDEX_TYPE_MAPVALUES",
    "INTEGER", "JOB_QUERY", "JOB_SCAN", "JOB_STATUS_COMPLETED", "JOB_STATUS_INPROGRESS",
    "JOB_STATUS_UNDEF", "LIST_ORDERED", "LIST_RETURN_COUNT", "LIST_RETURN_EXISTS",
    "LIST_RETURN_INDEX", "LIST_RETURN_NONE", "LIST_RETURN_RANK", "LIST_RETURN_REVERSE_INDEX",
    "LIST_RETURN_REVERSE_RANK", "LIST_RETURN_VALUE", "LIST_SORT_DEFAULT",
    "LIST_SORT_DROP_DUPLICATES", "LIST_UNORDERED", "LIST_WRITE_ADD_UNIQUE", "LIST_WRITE_DEFAULT",
    "LIST_WRITE_INSERT_BOUNDED", "LIST_WRITE_NO_FAIL", "LIST_WRITE_PARTIAL", "LOG_LEVEL_DEBUG",
    "LOG_LEVEL_ERROR", "LOG_LEVEL_INFO", "LOG_LEVEL_OFF", "LOG_LEVEL_TRACE", "LOG_LEVEL_WARN",
    "MAP_KEY_ORDERED", "MAP_KEY_VALUE_ORDERED", "MAP_RETURN_COUNT", "MAP_RETURN_EXISTS",
    "MAP_RETURN_INDEX", "MAP_RETURN_KEY", "MAP_RETURN_KEY_VALUE", "MAP_RETURN_NONE",
    "MAP_RETURN_ORDERED_MAP", "MAP_RETURN_RANK", "MAP_RETURN_REVERSE_INDEX",
    "MAP_RETURN_REVERSE_RANK", "MAP_RETURN_UNORDERED_MAP", "MAP_RETURN_VALUE", "MAP_UNORDERED",
    "MAP_WRITE_FLAGS_CREATE_ONLY", "MAP_WRITE_FLAGS_DEFAULT", "MAP_WRITE_FLAGS_NO_FAIL",
    "MAP_WRITE_FLAGS_PARTIAL", "MAP_WRITE_FLAGS_UPDATE_ONLY", "MAP_WRITE_NO_FAIL",
    "MAP_WRITE_PARTIAL", "OP_BIT_ADD", "OP_BIT_AND", "OP_BIT_COUNT", "OP_BIT_GET",
    "OP_BIT_GET_INT", "OP_BIT_INSERT", "OP_BIT_LSCAN", "OP_BIT_LSHIFT", "OP_BIT_NOT", "OP_BIT_OR",
    "OP_BIT_REMOVE", "OP_BIT_RESIZE", "OP_BIT_RSCAN", "OP_BIT_RSHIFT", "OP_BIT_SET",
    "OP_BIT_SET_INT", "OP_BIT_SUBTRACT", "OP_BIT_XOR", "OP_EXPR_READ", "OP_EXPR_WRITE",
    "OP_HLL_ADD", "OP_HLL_DESCRIBE", "OP_HLL_FOLD", "OP_HLL_GET_COUNT",
    "OP_HLL_GET_INTERSECT_COUNT", "OP_HLL_GET_SIMILARITY", "OP_HLL_GET_UNION",
    "OP_HLL_GET_UNION_COUNT", "OP_HLL_INIT", "OP_HLL_MAY_CONTAIN", "OP_HLL_REFRESH_COUNT",
    "OP_HLL_SET_UNION", "OP_LIST_APPEND", "OP_LIST_APPEND_ITEMS", "OP_LIST_CLEAR",
    "OP_LIST_CREATE", "OP_LIST_GET", "OP_LIST_GET_BY_INDEX", "OP_LIST_GET_BY_INDEX_RANGE",
    "OP_LIST_GET_BY_INDEX_RANGE_TO_END", "OP_LIST_GET_BY_RANK", "OP_LIST_GET_BY_RANK_RANGE",
    "OP_LIST_GET_BY_RANK_RANGE_TO_END", "OP_LIST_GET_BY_VALUE", "OP_LIST_GET_BY_VALUE_LIST",
    "OP_LIST_GET_BY_VALUE_RANGE", "OP_LIST_GET_BY_VALUE_RANK_RANGE_REL",
    "OP_LIST_GET_BY_VALUE_RANK_RANGE_REL_TO_END", "OP_LIST_GET_RANGE", "OP_LIST_INCREMENT",
    "OP_LIST_INSERT", "OP_LIST_INSERT_ITEMS", "OP_LIST_POP", "OP_LIST_POP_RANGE", "OP_LIST_REMOVE",
    "OP_LIST_REMOVE_BY_INDEX", "OP_LIST_REMOVE_BY_INDEX_RANGE",
    "OP_LIST_REMOVE_BY_INDEX_RANGE_TO_END", "OP_LIST_REMOVE_BY_RANK",
    "OP_LIST_REMOVE_BY_RANK_RANGE", "OP_LIST_REMOVE_BY_RANK_RANGE_TO_END",
    "OP_LIST_REMOVE_BY_REL_RANK_RANGE", "OP_LIST_REMOVE_BY_REL_RANK_RANGE_TO_END",
    "OP_LIST_REMOVE_BY_VALUE", "OP_LIST_REMOVE_BY_VALUE_LIST", "OP_LIST_REMOVE_BY_VALUE_RANGE",
    "OP_LIST_REMOVE_BY_VALUE_RANK_RANGE_REL", "OP_LIST_REMOVE_RANGE", "OP_LIST_SET",
    "OP_LIST_SET_ORDER", "OP_LIST_SIZE", "OP_LIST_SORT", "OP_LIST_TRIM", "OP_MAP_CLEAR",
    "OP_MAP_CREATE", "OP_MAP_DECREMENT", "OP_MAP_GET_BY_INDEX", "OP_MAP_GET_BY_INDEX_RANGE",
    "OP_MAP_GET_BY_INDEX_RANGE_TO_END", "OP_MAP_GET_BY_KEY", "OP_MAP_GET_BY_KEY_INDEX_RANGE_REL",
    "OP_MAP_GET_BY_KEY_LIST", "OP_MAP_GET_BY_KEY_RANGE", "OP_MAP_GET_BY_KEY_REL_INDEX_RANGE",
    "OP_MAP_GET_BY_KEY_REL_INDEX_RANGE_TO_END", "OP_MAP_GET_BY_RANK", "OP_MAP_GET_BY_RANK_RANGE",
    "OP_MAP_GET_BY_RANK_RANGE_TO_END", "OP_MAP_GET_BY_VALUE", "OP_MAP_GET_BY_VALUE_LIST",
    "OP_MAP_GET_BY_VALUE_RANGE", "OP_MAP_GET_BY_VALUE_RANK_RANGE_REL",
    "OP_MAP_GET_BY_VALUE_RANK_RANGE_REL_TO_END", "OP_MAP_INCREMENT", "OP_MAP_PUT",
    "OP_MAP_PUT_ITEMS", "OP_MAP_REMOVE_BY_INDEX", "OP_MAP_REMOVE_BY_INDEX_RANGE",
    "OP_MAP_REMOVE_BY_INDEX_RANGE_TO_END", "OP_MAP_REMOVE_BY_KEY",
    "OP_MAP_REMOVE_BY_KEY_INDEX_RANGE_REL", "OP_MAP_REMOVE_BY_KEY_LIST",
    "OP_MAP_REMOVE_BY_KEY_RANGE", "OP_MAP_REMOVE_BY_KEY_REL_INDEX_RANGE",
    "OP_MAP_REMOVE_BY_KEY_REL_INDEX_RANGE_TO_END", "OP_MAP_REMOVE_BY_RANK",
    "OP_MAP_REMOVE_BY_RANK_RANGE", "OP_MAP_REMOVE_BY_RANK_RANGE_TO_END", "OP_MAP_REMOVE_BY_VALUE",
    "OP_MAP_REMOVE_BY_VALUE_LIST", "OP_MAP_REMOVE_BY_VALUE_RANGE",
    "OP_MAP_REMOVE_BY_VALUE_RANK_RANGE_REL", "OP_MAP_REMOVE_BY_VALUE_REL_INDEX_RANGE",
    "OP_MAP_REMOVE_BY_VALUE_REL_RANK_RANGE", "OP_MAP_REMOVE_BY_VALUE_REL_RANK_RANGE_TO_END",
    "OP_MAP_SET_POLICY", "OP_MAP_SIZE", "OPERATOR_APPEND", "OPERATOR_DELETE", "OPERATOR_INCR",
    "OPERATOR_PREPEND", "OPERATOR_READ", "OPERATOR_TOUCH", "OPERATOR_WRITE",
    "POLICY_COMMIT_LEVEL_ALL", "POLICY_COMMIT_LEVEL_MASTER", "POLICY_EXISTS_CREATE",
    "POLICY_EXISTS_CREATE_OR_REPLACE", "POLICY_EXISTS_IGNORE", "POLICY_EXISTS_REPLACE",
    "POLICY_EXISTS_UPDATE", "POLICY_GEN_EQ", "POLICY_GEN_GT", "POLICY_GEN_IGNORE",
    "POLICY_KEY_DIGEST", "POLICY_KEY_SEND", "POLICY_READ_MODE_AP_ALL", "POLICY_READ_MODE_AP_ONE",
    "POLICY_READ_MODE_SC_ALLOW_REPLICA", "POLICY_READ_MODE_SC_ALLOW_UNAVAILABLE",
    "POLICY_READ_MODE_SC_LINEARIZE", "POLICY_READ_MODE_SC_SESSION", "POLICY_REPLICA_ANY",
    "POLICY_REPLICA_MASTER", "POLICY_REPLICA_PREFER_RACK", "POLICY_REPLICA_RANDOM",
    "POLICY_REPLICA_SEQUENCE", "POLICY_RETRY_NONE", "POLICY_RETRY_ONCE", "PRIV_DATA_ADMIN",
    "PRIV_READ", "PRIV_READ_WRITE", "PRIV_READ_WRITE_UDF", "PRIV_SINDEX_ADMIN", "PRIV_SYS_ADMIN",
    "PRIV_TRUNCATE", "PRIV_UDF_ADMIN", "PRIV_USER_ADMIN", "PRIV_WRITE", "QUERY_DURATION_LONG",
    "QUERY_DURATION_LONG_RELAX_AP", "QUERY_DURATION_SHORT", "REGEX_EXTENDED", "REGEX_ICASE",
    "REGEX_NEWLINE", "REGEX_NONE", "REGEX_NOSUB", "SERIALIZER_JSON", "SERIALIZER_NONE",
    "SERIALIZER_USER", "SUB_BIN_NAME_COUNT_TOO_LARGE",
    "SUB_BIN_NOT_FOUND_HLL_CANNOT_CREATE_WITH_OP", "SUB_FILTERED_BINS",
    "SUB_FILTERED_BINS_EVAL_FAILED", "SUB_FILTERED_META", "SUB_FILTERED_META_EVAL_FAILED",
    "SUB_FORBID_CLOCK_SKEW_STOP_WRITES", "SUB_FORBID_DURABILITY_VIOLATION",
    "SUB_FORBID_MASKING_POLICY_BLOCKED", "SUB_FORBID_MASKING_ROLE_VIOLATION",
    "SUB_FORBID_REPLACE_CONFLICT_RESOLVING", "SUB_FORBID_SET_COUNT_STOP_WRITES",
    "SUB_FORBID_SET_SIZE_STOP_WRITES", "SUB_FORBID_TRUNCATED", "SUB_FORBID_XDR_FILTER_BLOCKED",
    "SUB_MRT_BLOCKED_ID_MISMATCH", "SUB_MRT_BLOCKED_RECORD_LOCKED", "SUB_NONE",
    "SUB_OPNOT_CDT_BOUNDED_LIST_OVERFLOW", "SUB_OPNOT_CDT_INDEX_OUT_OF_BOUNDS",
    "SUB_OPNOT_CDT_RANK_OUT_OF_BOUNDS", "SUB_OPNOT_HLL_CANNOT_FOLD_MINHASH",
    "SUB_OPNOT_HLL_CANNOT_REDUCE_INDEX_BITS", "SUB_OPNOT_HLL_CANNOT_REDUCE_MINHASH_BITS",
    "SUB_OPNOT_HLL_FOLD_INDEX_BITS_TOO_LARGE", "SUB_OPNOT_HLL_INDEX_BITS_UNSET",
    "SUB_OPNOT_HLL_INTERSECT_MINHASH_MISMATCH", "SUB_OPNOT_STRING_B64_INVALID",
    "SUB_OPNOT_STRING_CONVERSION_FAILED", "SUB_OPNOT_STRING_REGEX_LIMIT_EXCEEDED",
    "SUB_OPNOT_STRING_UTF8_INVALID", "SUB_PARAM_BIN_COUNT_TOO_LARGE",
    "SUB_PARAM_BITS_OFFSET_OUT_OF_RANGE", "SUB_PARAM_BITS_RESIZE_EXCEEDED",
    "SUB_PARAM_BITS_SIZE_OUT_OF_RANGE", "SUB_PARAM_STRING_CTX_MALFORMED",
    "SUB_PARAM_STRING_INDEX_OUT_OF_BOUNDS", "SUB_PARAM_STRING_OP_PARAMS_INVALID",
    "SUB_PARAM_STRING_REGEX_INVALID", "SUB_PARAM_STRING_UTF8_INVALID", "SUB_PARAM_TTL_INVALID",
    "SUB_UNAVAIL_INITIAL_BALANCE_UNRESOLVED", "SUB_UNAVAIL_REPLICA_UNAVAILABLE",
    "SUB_UNSUPP_FEAT_GENERIC", "SUB_UNSUPP_FEAT_MRT_REQUIRES_STRONG_CONSISTENCY",
    "TTL_CLIENT_DEFAULT", "TTL_DONT_UPDATE", "TTL_NAMESPACE_DEFAULT", "TTL_NEVER_EXPIRE",
    "TXN_STATE_ABORTED", "TXN_STATE_COMMIT_FAILED", "TXN_STATE_COMMITTED", "TXN_STATE_OPEN",
    "TXN_STATE_VERIFIED", "UDF_TYPE_LUA",
]
# ---- end ----

_logging.set_default_handler()


class Client(_aerospike.OfficialClient):
    """A client of a cluster that connects when it is made.

    Parameters
    ----------
    config : dict
        ``hosts`` and more.

    Raises
    ------
    ParamError
        Code -2: there is no configuration, or it is wrong.
    ConnectionError
        Code -10: no seed could be reached.
    """

    def __new__(cls, config: Any = None) -> Client:
        made = super().__new__(cls) if config is None else super().__new__(cls, config)
        made._origin = origin_of(config)
        _fork.track(made)
        return made

    _origin: tuple[str, int, str | None]


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _refuse(name: str, parameters: list[inspect.Parameter], given: int,
            kwargs: dict[str, Any]) -> TypeError:
    """What is wrong with a call, as a function in C says it."""
    most = len(parameters)
    if given + len(kwargs) > most:
        kind = "keyword argument" if kwargs and not given else "argument"
        return TypeError(f"{name}() takes at most {most} {kind}{'' if most == 1 else 's'} "
                         f"({given + len(kwargs)} given)")
    for at, parameter in enumerate(parameters):
        absent = at >= given and parameter.name not in kwargs
        if absent and parameter.default is parameter.empty:
            return TypeError(f"{name}() missing required argument '{parameter.name}' "
                             f"(pos {at + 1})")
    names = [parameter.name for parameter in parameters]
    unknown = next((key for key in kwargs if key not in names), None)
    if unknown is not None:
        return TypeError(f"'{unknown}' is an invalid keyword argument for {name}()")
    twice = next(key for key in kwargs if names.index(key) < given)
    return TypeError(f"argument for {name}() given by name ('{twice}') and position "
                     f"({names.index(twice) + 1})")


def _as_in_c(function: _Function) -> _Function:
    """Refuse wrong arguments in the words of functions in C, which tests of users know."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:
            try:
                signature.bind(*args, **kwargs)
            except TypeError:
                raise _refuse(function.__name__, parameters, len(args), kwargs) from None
            raise

    return call  # type: ignore[return-value]


set_deserializer = _as_in_c(_functions.set_deserializer)
set_log_handler = _as_in_c(_functions.set_log_handler)
set_serializer = _as_in_c(_functions.set_serializer)
unset_serializers = _as_in_c(_functions.unset_serializers)


def _config_argument(config: Any) -> Any:
    return config


def client(*args: Any, **kwargs: Any) -> Client:
    """Make a client; it connects at once.

    Parameters
    ----------
    config : dict
        ``hosts`` and more.

    Returns
    -------
    Client
        It is connected.

    Raises
    ------
    ParamError
        Code -2: there is no configuration, or it is wrong.
    ConnectionError
        Code -10: no seed could be reached.
    """
    try:
        config = _config_argument(*args, **kwargs)
    except TypeError:
        raise param_type("No config argument")  # noqa: B904 - the TypeError is the context
    return Client(config)


@_as_in_c
def geodata(geo_data: dict[str, Any]) -> GeoJSON:
    """Wrap a dict that is a GeoJSON object.

    Parameters
    ----------
    geo_data : dict
        The geometry.

    Returns
    -------
    GeoJSON
    """
    if not isinstance(geo_data, dict):
        raise param_type("The geospatial data should be a dictionary")
    return GeoJSON(geo_data)


@_as_in_c
def geojson(geojson_str: str) -> GeoJSON:
    """Wrap a GeoJSON text.

    Parameters
    ----------
    geojson_str : str
        The geometry.

    Returns
    -------
    GeoJSON
    """
    if not isinstance(geojson_str, str):
        raise param_type("The geospatial data should be a GeoJSON string")
    return GeoJSON(geojson_str)


@_as_in_c
def calc_digest(ns: str, set: str, key: str | int | bytearray) -> bytearray:
    """The digest a record is found by.

    Parameters
    ----------
    ns, set : str
        Only the set takes part in the digest.
    key : str, int or bytearray
        The user key.

    Returns
    -------
    bytearray
        20 bytes.

    Raises
    ------
    TypeError
        A type is wrong.
    ParamError
        Code -2: an int beyond 64 bits, or an empty bytearray.
    """
    _functions._parts(ns, set, key, True)
    return _aerospike.digest(ns, set, key, True)


def get_partition_id(digest: str, /) -> int:
    """The partition of a digest.

    Parameters
    ----------
    digest : str
        The 20 bytes, as characters 0 to 255.

    Returns
    -------
    int
        0 to 4095.
    """
    if not isinstance(digest, str):
        raise TypeError(f"argument 1 must be str, not {type(digest).__name__}")
    begin = digest.encode("latin-1", "replace")[:2]
    return int.from_bytes(begin, "little") % _functions.PARTITIONS


@_as_in_c
def set_log_level(loglevel: int) -> int:
    """Set how much is logged.

    Parameters
    ----------
    loglevel : int
        One of ``LOG_LEVEL_*``; others mean the nearest.

    Returns
    -------
    int
        0.

    Raises
    ------
    ParamError
        Code -2: it is no int, or none of 64 bits.
    """
    if not isinstance(loglevel, int):
        raise param_type("Invalid log level")
    if not -2**63 <= loglevel < 2**63:
        raise param("integer value exceeds sys.maxsize")
    _logging.set_level(loglevel)
    return 0


def __getattr__(name: str) -> Any:
    if name in ("Query", "Scan"):
        return getattr(_aerospike, f"Official{name}")
    if name in _aerospike.official_constants:  # those that only helpers use
        return _aerospike.official_constants[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
