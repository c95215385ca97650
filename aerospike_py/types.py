"""Shapes of results and arguments."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from typing import Any, NamedTuple, TypedDict

from ._typing import disjoint_base

UserKey = str | int
AerospikeRecord = dict[str, Any]
BatchRecords = dict[UserKey, AerospikeRecord]
Bins = dict[str, Any]
Operation = dict[str, Any]


class AerospikeKey(NamedTuple):
    """Where a record is: ``(namespace, set_name, user_key, digest)``."""

    namespace: str
    set_name: str
    user_key: str | int | bytes | None
    digest: bytes


class _Metadata(NamedTuple):
    gen: int
    ttl: int


class RecordMetadata(_Metadata):
    """Generation and time to live of a record.

    A tuple ``(gen, ttl)`` that can be read as a dict, too: ``meta["gen"]``, ``"ttl" in meta``,
    ``dict(meta)``, and it equals ``{"gen": ..., "ttl": ...}``.

    Attributes
    ----------
    gen : int
        Generation, 1 for a new record.
    ttl : int, seconds
        What is left of its life; 4294967295 for ever.
    """

    __slots__ = ()

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, str):
            try:
                return tuple.__getitem__(self, ("gen", "ttl").index(item))
            except ValueError:
                raise KeyError(item) from None
        return tuple.__getitem__(self, item)

    def __contains__(self, item: object) -> bool:
        return item in ("gen", "ttl") if isinstance(item, str) else tuple.__contains__(self, item)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dict):
            return self._asdict() == other
        return tuple.__eq__(self, other) if isinstance(other, tuple) else NotImplemented

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = tuple.__hash__

    def keys(self) -> KeysView[str]:
        """``gen`` and ``ttl``."""
        return self._asdict().keys()

    def values(self) -> ValuesView[int]:
        """The two numbers."""
        return self._asdict().values()

    def items(self) -> ItemsView[str, int]:
        """Pairs of names and numbers."""
        return self._asdict().items()

    def get(self, name: str, default: Any = None) -> Any:
        """``meta[name]``, or the default."""
        return self._asdict().get(name, default)


class Record(NamedTuple):
    """A record that was read: ``(key, meta, bins)``."""

    key: AerospikeKey
    meta: RecordMetadata | None
    bins: dict[str, Any] | None


class ExistsResult(NamedTuple):
    """Whether a record exists: meta is None if it does not."""

    key: AerospikeKey
    meta: RecordMetadata | None


class BinTuple(NamedTuple):
    """One result of one operation."""

    name: str
    value: Any


class OperateOrderedResult(NamedTuple):
    """Results of operations, in order."""

    key: AerospikeKey
    meta: RecordMetadata | None
    ordered_bins: list[BinTuple]


class _BatchRow(NamedTuple):
    key: AerospikeKey
    result: int
    record: Record | None
    in_doubt: bool = False


@disjoint_base
class BatchRecord(_BatchRow):
    """What came of one row of a batch: ``(key, result, record, in_doubt)``.

    Attributes
    ----------
    key : AerospikeKey
    result : int
        The server's code for this record, 0 if all went well.
    record : Record or None
        What was read or written, if `result` is 0.
    in_doubt : bool
        A write may have happened although its answer did not arrive.
    message : str or None
        What the server or client says about a failure.
    subcode : int
        The server's finer reason.
    """

    message: str | None = None
    subcode: int = 0

    def __new__(cls, key: AerospikeKey, result: int, record: Record | None,
                in_doubt: bool = False, message: str | None = None,
                subcode: int = 0) -> BatchRecord:
        made = super().__new__(cls, key, result, record, in_doubt)
        if message is not None:
            made.message = message
        if subcode:
            made.subcode = subcode
        return made


class BatchRetryInfo(NamedTuple):
    """How often the rows of a batch were sent.

    Attributes
    ----------
    attempts, max_attempts : int
        How often the batch was sent, and how often it could have been.
    truncated_by_timeout : bool
        The time was up before all attempts were made.
    unresolved : int
        Rows that might have succeeded with another attempt.
    """

    attempts: int = 1
    max_attempts: int = 1
    truncated_by_timeout: bool = False
    unresolved: int = 0


_NO_FAILURE = frozenset((0, 2, 27))  # done, not found, filtered out
_BATCH_FAILED = -16


class _BatchResult(NamedTuple):
    batch_records: list[BatchRecord]
    retry: BatchRetryInfo = BatchRetryInfo()


class BatchWriteResult(_BatchResult):
    """What came of a batch: ``(batch_records, retry)``.

    Attributes
    ----------
    batch_records : list of BatchRecord
        In the order of the keys.
    retry : BatchRetryInfo
    """

    __slots__ = ()

    @property
    def result(self) -> int:
        """0, or -16 if a row failed."""
        fine = all(row.result in _NO_FAILURE for row in self.batch_records)
        return 0 if fine else _BATCH_FAILED


class InfoNodeResult(NamedTuple):
    """What one node answered to an info command."""

    node_name: str
    error_code: int
    response: str


class InfoResults(list[InfoNodeResult]):
    """What all nodes answered: a list that can be read by node names, too.

    ``results[name]`` is ``(None, value)`` with a newline behind the value, as the official client
    gives it.
    """

    __slots__ = ()

    def keys(self) -> list[str]:
        """The names of the nodes."""
        return [r.node_name for r in self]

    def values(self) -> list[tuple[None, str]]:
        """Their answers."""
        return [(None, r.response + "\n") for r in self]

    def items(self) -> list[tuple[str, tuple[None, str]]]:
        """Names and answers."""
        return list(zip(self.keys(), self.values(), strict=True))

    def get(self, name: str, default: Any = None) -> Any:
        """``results[name]``, or the default."""
        return dict(self.items()).get(name, default)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, InfoNodeResult):
            item = item.node_name
        if isinstance(item, str):
            return dict(self.items())[item]
        return list.__getitem__(self, item)

    def __contains__(self, item: object) -> bool:
        return item in self.keys() if isinstance(item, str) else list.__contains__(self, item)


class NodeName(str):
    """A node's name, which also knows where the node is."""

    address: str
    port: int

    def __new__(cls, name: str, address: str = "", port: int = 0) -> NodeName:
        made = super().__new__(cls, name)
        made.address = address
        made.port = port
        return made

    def __getitem__(self, item: Any) -> Any:
        if item == "address":
            return self.address
        if item == "port":
            return self.port
        return str(self) if item == "node_name" else str.__getitem__(self, item)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.address, self.port)


class ReadPolicy(TypedDict, total=False):
    """How a read behaves; times in milliseconds."""

    total_timeout: int
    socket_timeout: int
    max_retries: int
    sleep_between_retries: int
    timeout_delay: int
    connect_timeout: int
    compress: bool
    expressions: Any
    filter_expression: Any
    txn: Any
    error_detail_verbosity: int
    key: int
    replica: int
    deserialize: bool
    read_touch_ttl_percent: int
    read_mode_ap: int
    read_mode_sc: int


class WritePolicy(TypedDict, total=False):
    """How a write behaves; times in milliseconds, ttl in seconds."""

    total_timeout: int
    socket_timeout: int
    max_retries: int
    sleep_between_retries: int
    timeout_delay: int
    connect_timeout: int
    compress: bool
    compression_threshold: int
    expressions: Any
    filter_expression: Any
    txn: Any
    error_detail_verbosity: int
    key: int
    gen: int
    exists: int
    commit_level: int
    durable_delete: bool
    replica: int
    on_locking_only: bool
    ttl: int
    read_touch_ttl_percent: int
    read_mode_ap: int


class OperatePolicy(WritePolicy, total=False):
    """How operations on one record behave."""

    deserialize: bool
    read_mode_sc: int


class RemovePolicy(WritePolicy, total=False):
    """How a deletion behaves."""

    generation: int


class BatchPolicy(OperatePolicy, total=False):
    """How a batch behaves."""

    concurrent: bool
    concurrency: int
    allow_inline: bool
    allow_inline_ssd: bool
    respond_all_keys: bool


class BatchReadPolicy(TypedDict, total=False):
    """How one row of a batch is read."""

    read_touch_ttl_percent: int
    read_mode_ap: int
    read_mode_sc: int
    expressions: Any
    filter_expression: Any


class BatchDeletePolicy(TypedDict, total=False):
    """How one row of a batch is deleted."""

    gen: int
    generation: int
    key: int
    commit_level: int
    durable_delete: bool
    expressions: Any
    filter_expression: Any


class BatchUDFPolicy(TypedDict, total=False):
    """How a function is applied to one row of a batch."""

    commit_level: int
    ttl: int
    key: int
    durable_delete: bool
    on_locking_only: bool
    expressions: Any
    filter_expression: Any


class QueryPolicy(ReadPolicy, total=False):
    """How a query behaves."""

    max_records: int
    records_per_second: int
    max_concurrent_nodes: int
    record_queue_size: int
    expected_duration: int
    short_query: bool
    include_bin_data: bool
    partition_filter: Any


class ScanPolicy(QueryPolicy, total=False):
    """How a scan behaves."""

    durable_delete: bool
    ttl: int


class AdminPolicy(TypedDict, total=False):
    """How an administration command behaves."""

    timeout: int


class InfoPolicy(AdminPolicy, total=False):
    """How an info command behaves."""

    send_as_is: bool
    check_bounds: bool


class WriteMeta(TypedDict, total=False):
    """What is expected of, and given to, a record that is written."""

    gen: int
    ttl: int
    key: int
    exists: int
    commit_level: int
    durable_delete: bool


class BatchDeleteMeta(TypedDict, total=False):
    """The same for a row that is deleted."""

    gen: int
    key: int
    commit_level: int
    durable_delete: bool


class BatchUDFMeta(TypedDict, total=False):
    """The same for a row to which a function is applied."""

    module: str
    function: str
    args: list[Any]
    ttl: int
    commit_level: int
    key: int
    durable_delete: bool


class ClientConfig(TypedDict, total=False):
    """How a client finds its cluster and behaves; see docs/configuration.md."""

    hosts: list[tuple[str, int] | tuple[str, int, str] | str]
    cluster_name: str | None
    auth_mode: int
    user: str | None
    password: str | None
    timeout: int
    connect_timeout: int
    tend_interval: int
    min_conns_per_node: int
    max_conns_per_node: int
    max_socket_idle: int
    idle_timeout: int
    conn_pools_per_node: int
    max_threads: int
    thread_pool_size: int
    use_shared_connection: bool
    compression_threshold: int
    config_provider: Any
    max_error_rate: int
    error_rate_window: int
    use_services_alternate: bool
    ip_map: Mapping[str, str]
    rack_aware: bool
    rack_id: int
    rack_ids: list[int]
    tls: Mapping[str, Any]
    policies: Mapping[str, Any]
    serialization: tuple[Any, Any]
    lua: Mapping[str, str]
    shm: Mapping[str, int]
    validate_keys: bool
    strict_types: bool
    send_bool_as: int
    fail_if_not_connected: bool
    force_single_node: bool
    app_id: str | None
    max_concurrent_operations: int
    operation_queue_timeout_ms: int
    coalesce_reads: bool
    coalesce_max_rows: int
    coalesce_max_requests: int
    async_warm_connections: int
    compat: str


class ListPolicy(TypedDict, total=False):
    """How a list operation writes."""

    order: int
    flags: int
    list_order: int
    write_flags: int


class MapPolicy(TypedDict, total=False):
    """How a map operation writes."""

    order: int
    write_mode: int
    map_order: int
    map_write_flags: int
    persist_index: bool


class HLLPolicy(TypedDict, total=False):
    """How a HyperLogLog operation writes."""

    flags: int


class Privilege(TypedDict, total=False):
    """What a role may do, and where."""

    code: int | str
    ns: str
    set: str


class UserInfo(TypedDict, total=False):
    """What is known of a user."""

    user: str
    roles: list[str]
    conns_in_use: int
    read_info: int
    write_info: int


class RoleInfo(TypedDict, total=False):
    """What is known of a role."""

    name: str
    privileges: list[Privilege]
    allowlist: list[str]
    read_quota: int
    write_quota: int
