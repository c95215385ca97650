"""Aerospike from Python: a synchronous and an asyncio client on a core in C.

``import aerospike_py as aerospike`` takes the place of the official client and of the Rust package
``aerospike-py``; where the two differ, this module follows the latter, and
:mod:`aerospike_py.official` follows the former to the letter.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from . import _aerospike, _observability, exception, types
from ._aerospike import AsyncQuery, AsyncScan, LazyBatchRecords, Query, Scan, Transaction
from ._async import AsyncClient, async_client
from ._client import Client, client
from ._constants import *  # noqa: F403
from ._functions import (
    calc_digest,
    dropped_log_count,
    get_partition_id,
    set_deserializer,
    set_log_handler,
    set_log_level,
    set_serializer,
    unset_serializers,
)
from ._observability import (
    get_metrics,
    init_tracing,
    internal_stage_profiling,
    is_internal_stage_metrics_enabled,
    is_metrics_enabled,
    set_internal_stage_metrics_enabled,
    set_metrics_enabled,
    shutdown_tracing,
    start_metrics_server,
    stop_metrics_server,
)
from ._partition import (
    PartitionFilter,
    partition_filter_all,
    partition_filter_by_id,
    partition_filter_by_range,
)
from ._values import (
    CDTInfinite,
    CDTWildcard,
    ConfigProvider,
    GeoJSON,
    HyperLogLog,
    KeyOrderedDict,
    geodata,
    geojson,
    null,
)
from .exception import *  # noqa: F403
from .exception import AerospikeIndexError as IndexError, AerospikeTimeoutError as TimeoutError
from .types import (
    AdminPolicy,
    AerospikeKey,
    AerospikeRecord,
    BatchDeleteMeta,
    BatchDeletePolicy,
    BatchPolicy,
    BatchReadPolicy,
    BatchRecord,
    BatchRecords,
    BatchRetryInfo,
    BatchUDFMeta,
    BatchUDFPolicy,
    BatchWriteResult,
    Bins,
    BinTuple,
    ClientConfig,
    ExistsResult,
    HLLPolicy,
    InfoNodeResult,
    ListPolicy,
    MapPolicy,
    OperateOrderedResult,
    Operation,
    Privilege,
    QueryPolicy,
    ReadPolicy,
    Record,
    RecordMetadata,
    RoleInfo,
    ScanPolicy,
    UserInfo,
    UserKey,
    WriteMeta,
    WritePolicy,
)

if TYPE_CHECKING:
    from . import (
        bit_operations,
        bitwise_operations,
        exp,
        helpers,
        hll_operations,
        list_operations,
        map_operations,
        numpy_batch as numpy_batch,
        official as official,
        predicates,
    )
    from ._aerospike import AsyncQuery, AsyncScan, LazyBatchRecords, Query, Scan
    from ._literals import (
        TTL as TTL,
        AuthMode as AuthMode,
        IndexCollectionType as IndexCollectionType,
        IndexType as IndexType,
        ListOrder as ListOrder,
        ListReturnType as ListReturnType,
        LogLevel as LogLevel,
        MapOrder as MapOrder,
        MapReturnType as MapReturnType,
        PolicyCommitLevel as PolicyCommitLevel,
        PolicyExists as PolicyExists,
        PolicyGen as PolicyGen,
        PolicyKey as PolicyKey,
        PolicyReadModeAP as PolicyReadModeAP,
        PolicyReplica as PolicyReplica,
        PrivilegeCode as PrivilegeCode,
        PrivilegeName as PrivilegeName,
        Serializer as Serializer,
    )
    from .numpy_batch import NumpyBatchRecords

    __version__: str

__all__ = [
    "AdminError", "AdminPolicy", "AerospikeError", "AerospikeIndexError", "AerospikeKey",
    "AerospikeRecord", "AerospikeTimeoutError", "AsyncClient", "AsyncQuery", "AsyncScan",
    "BackpressureError", "BatchDeleteMeta", "BatchDeletePolicy", "BatchPolicy", "BatchReadPolicy",
    "BatchRecord", "BatchRecords", "BatchRetryInfo", "BatchUDFMeta", "BatchUDFPolicy",
    "BatchWriteResult", "BinExistsError", "BinNameError", "BinNotFound", "BinTuple", "BinTypeError",
    "Bins", "CDTInfinite", "CDTWildcard", "Client", "ClientConfig", "ClientError", "ClusterError",
    "ConfigProvider", "ExistsResult", "FilteredOut", "GeoJSON", "HLLPolicy", "HyperLogLog",
    "IndexError", "IndexFoundError", "IndexNotFound", "InfoNodeResult", "InvalidArgError",
    "KeyOrderedDict", "LazyBatchRecords", "ListPolicy", "MapPolicy", "NumpyBatchRecords",
    "OperateOrderedResult", "Operation", "PartitionFilter", "Privilege", "Query",
    "QueryAbortedError", "QueryError", "QueryPolicy", "ReadPolicy", "Record", "RecordError",
    "RecordExistsError", "RecordGenerationError", "RecordMetadata", "RecordNotFound",
    "RecordTooBig", "RoleInfo", "RustPanicError", "Scan", "ScanPolicy", "ServerError",
    "TimeoutError", "Transaction", "UDFError", "UserInfo", "UserKey", "WriteMeta", "WritePolicy",
    "__version__", "async_client", "bit_operations", "bitwise_operations", "calc_digest", "client",
    "dropped_log_count", "exception", "exp", "geodata", "geojson", "get_metrics",
    "get_partition_id", "helpers", "hll_operations", "init_tracing", "install_as_aerospike",
    "internal_stage_profiling", "is_internal_stage_metrics_enabled", "is_metrics_enabled",
    "list_operations", "map_operations", "null", "partition_filter_all", "partition_filter_by_id",
    "partition_filter_by_range", "predicates", "set_deserializer",
    "set_internal_stage_metrics_enabled", "set_log_handler", "set_log_level", "set_metrics_enabled",
    "set_serializer", "shutdown_tracing", "start_metrics_server", "stop_metrics_server", "types",
    "unset_serializers",
]
# ---- names of constants, by tools/gen_stubs.py ----
__all__ += [
    "ABORT_ALREADY_ABORTED", "ABORT_CLOSE_ABANDONED", "ABORT_COMMIT_FAILED", "ABORT_OK",
    "ABORT_ROLL_BACK_ABANDONED", "AEROSPIKE_ERR_ALWAYS_FORBIDDEN", "AEROSPIKE_ERR_BATCH_DISABLED",
    "AEROSPIKE_ERR_BIN_EXISTS", "AEROSPIKE_ERR_BIN_NAME", "AEROSPIKE_ERR_BIN_NOT_FOUND",
    "AEROSPIKE_ERR_BIN_TYPE", "AEROSPIKE_ERR_CLIENT", "AEROSPIKE_ERR_CLUSTER",
    "AEROSPIKE_ERR_CLUSTER_KEY_MISMATCH", "AEROSPIKE_ERR_CONNECTION",
    "AEROSPIKE_ERR_DEVICE_OVERLOAD", "AEROSPIKE_ERR_ELEMENT_EXISTS",
    "AEROSPIKE_ERR_ELEMENT_NOT_FOUND", "AEROSPIKE_ERR_ENTERPRISE_ONLY",
    "AEROSPIKE_ERR_FAIL_FORBIDDEN", "AEROSPIKE_ERR_FILTERED_OUT", "AEROSPIKE_ERR_INDEX_FOUND",
    "AEROSPIKE_ERR_INDEX_NOT_FOUND", "AEROSPIKE_ERR_INVALID_HOST",
    "AEROSPIKE_ERR_INVALID_NAMESPACE", "AEROSPIKE_ERR_INVALID_USER", "AEROSPIKE_ERR_KEY_BUSY",
    "AEROSPIKE_ERR_KEY_MISMATCH", "AEROSPIKE_ERR_LOST_CONFLICT",
    "AEROSPIKE_ERR_NO_MORE_CONNECTIONS", "AEROSPIKE_ERR_NOT_AUTHENTICATED",
    "AEROSPIKE_ERR_OP_NOT_APPLICABLE", "AEROSPIKE_ERR_PARAM",
    "AEROSPIKE_ERR_PARTITION_UNAVAILABLE", "AEROSPIKE_ERR_QUERY_ABORTED",
    "AEROSPIKE_ERR_RECORD_EXISTS", "AEROSPIKE_ERR_RECORD_GENERATION",
    "AEROSPIKE_ERR_RECORD_NOT_FOUND", "AEROSPIKE_ERR_RECORD_TOO_BIG",
    "AEROSPIKE_ERR_ROLE_VIOLATION", "AEROSPIKE_ERR_SCAN_ABORT", "AEROSPIKE_ERR_SERVER",
    "AEROSPIKE_ERR_SERVER_MEM", "AEROSPIKE_ERR_TIMEOUT", "AEROSPIKE_ERR_UDF",
    "AEROSPIKE_ERR_UNSUPPORTED_FEATURE", "AEROSPIKE_OK", "AEROSPIKE_QUERY_END",
    "AEROSPIKE_SECURITY_NOT_ENABLED", "AEROSPIKE_SECURITY_NOT_SUPPORTED", "AS_BOOL",
    "AS_BYTES_BLOB", "AS_BYTES_BOOL", "AS_BYTES_CSHARP", "AS_BYTES_DOUBLE", "AS_BYTES_ERLANG",
    "AS_BYTES_GEOJSON", "AS_BYTES_HLL", "AS_BYTES_INTEGER", "AS_BYTES_JAVA", "AS_BYTES_LIST",
    "AS_BYTES_MAP", "AS_BYTES_PHP", "AS_BYTES_PYTHON", "AS_BYTES_RUBY", "AS_BYTES_STRING",
    "AS_BYTES_TYPE_MAX", "AS_BYTES_UNDEF", "AUTH_EXTERNAL", "AUTH_EXTERNAL_INSECURE",
    "AUTH_INTERNAL", "AUTH_PKI", "BATCH_CONCURRENCY_PARALLEL", "BATCH_CONCURRENCY_SEQUENTIAL",
    "BIT_OVERFLOW_FAIL", "BIT_OVERFLOW_SATURATE", "BIT_OVERFLOW_WRAP", "BIT_RESIZE_DEFAULT",
    "BIT_RESIZE_FROM_FRONT", "BIT_RESIZE_GROW_ONLY", "BIT_RESIZE_SHRINK_ONLY",
    "BIT_WRITE_CREATE_ONLY", "BIT_WRITE_DEFAULT", "BIT_WRITE_NO_FAIL", "BIT_WRITE_PARTIAL",
    "BIT_WRITE_UPDATE_ONLY", "CDT_CTX_LIST_INDEX", "CDT_CTX_LIST_INDEX_CREATE",
    "CDT_CTX_LIST_RANK", "CDT_CTX_LIST_VALUE", "CDT_CTX_MAP_INDEX", "CDT_CTX_MAP_KEY",
    "CDT_CTX_MAP_KEY_CREATE", "CDT_CTX_MAP_RANK", "CDT_CTX_MAP_VALUE", "COMMIT_ALREADY_COMMITTED",
    "COMMIT_CLOSE_ABANDONED", "COMMIT_OK", "COMMIT_ROLL_FORWARD_ABANDONED",
    "ERROR_DETAIL_EXP_TRACE", "ERROR_DETAIL_MESSAGE", "ERROR_DETAIL_NONE", "ERROR_DETAIL_SUBCODE",
    "EXP_LOOPVAR_INDEX", "EXP_LOOPVAR_KEY", "EXP_LOOPVAR_VALUE", "EXP_PATH_MODIFY_DEFAULT",
    "EXP_PATH_MODIFY_NO_FAIL", "EXP_PATH_SELECT_LIST_VALUE", "EXP_PATH_SELECT_MAP_KEY",
    "EXP_PATH_SELECT_MAP_KEY_VALUE", "EXP_PATH_SELECT_MAP_VALUE", "EXP_PATH_SELECT_MATCHING_TREE",
    "EXP_PATH_SELECT_NO_FAIL", "EXP_PATH_SELECT_VALUE", "EXP_READ_DEFAULT",
    "EXP_READ_EVAL_NO_FAIL", "EXP_WRITE_ALLOW_DELETE", "EXP_WRITE_CREATE_ONLY",
    "EXP_WRITE_DEFAULT", "EXP_WRITE_EVAL_NO_FAIL", "EXP_WRITE_POLICY_NO_FAIL",
    "EXP_WRITE_UPDATE_ONLY", "HLL_WRITE_ALLOW_FOLD", "HLL_WRITE_CREATE_ONLY", "HLL_WRITE_DEFAULT",
    "HLL_WRITE_NO_FAIL", "HLL_WRITE_UPDATE_ONLY", "INDEX_BLOB", "INDEX_GEO2DSPHERE",
    "INDEX_INTEGER", "INDEX_NUMERIC", "INDEX_STRING", "INDEX_TYPE_DEFAULT", "INDEX_TYPE_LIST",
    "INDEX_TYPE_MAPKEYS", "INDEX_TYPE_MAPVALUES", "INTEGER", "JOB_QUERY", "JOB_SCAN",
    "JOB_STATUS_COMPLETED", "JOB_STATUS_INPROGRESS", "JOB_STATUS_UNDEF", "LIST_ORDERED",
    "LIST_RETURN_COUNT", "LIST_RETURN_EXISTS", "LIST_RETURN_INDEX", "LIST_RETURN_NONE",
    "LIST_RETURN_RANK", "LIST_RETURN_REVERSE_INDEX", "LIST_RETURN_REVERSE_RANK",
    "LIST_RETURN_VALUE", "LIST_SORT_DEFAULT", "LIST_SORT_DROP_DUPLICATES", "LIST_UNORDERED",
    "LIST_WRITE_ADD_UNIQUE", "LIST_WRITE_DEFAULT", "LIST_WRITE_INSERT_BOUNDED",
    "LIST_WRITE_NO_FAIL", "LIST_WRITE_PARTIAL", "LOG_LEVEL_DEBUG", "LOG_LEVEL_ERROR",
    "LOG_LEVEL_INFO", "LOG_LEVEL_OFF", "LOG_LEVEL_TRACE", "LOG_LEVEL_WARN", "MAP_CREATE_ONLY",
    "MAP_KEY_ORDERED", "MAP_KEY_VALUE_ORDERED", "MAP_RETURN_COUNT", "MAP_RETURN_EXISTS",
    "MAP_RETURN_INDEX", "MAP_RETURN_KEY", "MAP_RETURN_KEY_VALUE", "MAP_RETURN_NONE",
    "MAP_RETURN_ORDERED_MAP", "MAP_RETURN_RANK", "MAP_RETURN_REVERSE_INDEX",
    "MAP_RETURN_REVERSE_RANK", "MAP_RETURN_UNORDERED_MAP", "MAP_RETURN_VALUE", "MAP_UNORDERED",
    "MAP_UPDATE", "MAP_UPDATE_ONLY", "MAP_WRITE_FLAGS_CREATE_ONLY", "MAP_WRITE_FLAGS_DEFAULT",
    "MAP_WRITE_FLAGS_NO_FAIL", "MAP_WRITE_FLAGS_PARTIAL", "MAP_WRITE_FLAGS_UPDATE_ONLY",
    "MAP_WRITE_NO_FAIL", "MAP_WRITE_PARTIAL", "OP_BIT_ADD", "OP_BIT_AND", "OP_BIT_COUNT",
    "OP_BIT_GET", "OP_BIT_GET_INT", "OP_BIT_INSERT", "OP_BIT_LSCAN", "OP_BIT_LSHIFT", "OP_BIT_NOT",
    "OP_BIT_OR", "OP_BIT_REMOVE", "OP_BIT_RESIZE", "OP_BIT_RSCAN", "OP_BIT_RSHIFT", "OP_BIT_SET",
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
    "POLICY_EXISTS_CREATE_ONLY", "POLICY_EXISTS_CREATE_OR_REPLACE", "POLICY_EXISTS_IGNORE",
    "POLICY_EXISTS_REPLACE", "POLICY_EXISTS_REPLACE_ONLY", "POLICY_EXISTS_UPDATE",
    "POLICY_EXISTS_UPDATE_ONLY", "POLICY_GEN_EQ", "POLICY_GEN_GT", "POLICY_GEN_IGNORE",
    "POLICY_KEY_DIGEST", "POLICY_KEY_SEND", "POLICY_READ_MODE_AP_ALL", "POLICY_READ_MODE_AP_ONE",
    "POLICY_READ_MODE_SC_ALLOW_REPLICA", "POLICY_READ_MODE_SC_ALLOW_UNAVAILABLE",
    "POLICY_READ_MODE_SC_LINEARIZE", "POLICY_READ_MODE_SC_SESSION", "POLICY_REPLICA_ANY",
    "POLICY_REPLICA_MASTER", "POLICY_REPLICA_PREFER_RACK", "POLICY_REPLICA_RANDOM",
    "POLICY_REPLICA_SEQUENCE", "POLICY_RETRY_NONE", "POLICY_RETRY_ONCE", "PRIV_DATA_ADMIN",
    "PRIV_READ", "PRIV_READ_WRITE", "PRIV_READ_WRITE_UDF", "PRIV_SINDEX_ADMIN", "PRIV_SYS_ADMIN",
    "PRIV_TRUNCATE", "PRIV_UDF_ADMIN", "PRIV_USER_ADMIN", "PRIV_WRITE", "QUERY_DURATION_LONG",
    "QUERY_DURATION_LONG_RELAX_AP", "QUERY_DURATION_SHORT", "READ_TOUCH_TTL_PERCENT_DONT_RESET",
    "READ_TOUCH_TTL_PERCENT_SERVER_DEFAULT", "REGEX_EXTENDED", "REGEX_ICASE", "REGEX_NEWLINE",
    "REGEX_NONE", "REGEX_NOSUB", "SERIALIZER_JSON", "SERIALIZER_NONE", "SERIALIZER_PYTHON",
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

_VERSION = "0.1.0"  # of a source tree that is not installed

#: Modules that are imported when they are first asked for.
_MODULES = frozenset(("bit_operations", "bitwise_operations", "exp", "helpers", "hll_operations",
                      "list_operations", "map_operations", "numpy_batch", "official",
                      "predicates"))
#: The same for names of modules; the local server's is not loaded by a client.
_NAMES = {"NumpyBatchRecords": "numpy_batch", "LocalServer": "server"}

_observability.obey_environment()


def _find_version() -> str:
    from importlib import metadata

    try:
        return metadata.version("aerospike-py")
    except metadata.PackageNotFoundError:
        return _VERSION


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        found = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    elif name == "__version__":
        found = _find_version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *__all__})


def install_as_aerospike() -> None:
    """Make ``import aerospike`` mean :mod:`aerospike_py.official`, in this process.

    Notes
    -----
    For programs that are not to be changed: call it before they are imported.
    ``aerospike_py.official.uninstall()`` undoes it.
    """
    from .official import install

    install()


def _public(name: str) -> Any:
    """What users of the Rust package find in the native module."""
    if name == "get_metrics_text":
        return get_metrics
    if name in __all__:
        return getattr(sys.modules[__name__], name)
    raise AttributeError(f"module {_aerospike.__name__!r} has no attribute {name!r}")


vars(_aerospike)["__getattr__"] = _public
