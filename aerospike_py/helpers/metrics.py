"""Counters of a client, and the policy of its periodic metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

__all__ = ["Cluster", "ClusterStats", "ConnectionStats", "MetricsListeners", "MetricsPolicy",
           "NamespaceMetrics", "Node", "NodeStats"]


class ConnectionStats(SimpleNamespace):
    """Connections to a node.

    Attributes
    ----------
    in_use, in_pool : int
        Those that carry a command, and those that wait for one.
    opened, closed : int
        How many were opened and closed so far.
    recovered, aborted : int
        How many were saved by reading a late answer, and how many were not.
    """

    in_use: int = 0
    in_pool: int = 0
    opened: int = 0
    closed: int = 0
    recovered: int = 0
    aborted: int = 0


class NodeStats(SimpleNamespace):
    """Counters of a node.

    Attributes
    ----------
    name, address : str
    port : int
    conns : ConnectionStats
    error_count, timeout_count, key_busy_count : int
        Commands that failed there: for any reason but a timeout, by a timeout, for the server's
        queue of a record (code 14).
    """

    name: str = ""
    address: str = ""
    port: int = 0
    conns: ConnectionStats
    error_count: int = 0
    timeout_count: int = 0
    key_busy_count: int = 0


class ClusterStats(SimpleNamespace):
    """Counters of a client.

    Attributes
    ----------
    nodes : list of NodeStats
    retry_count : int
        Attempts after the first.
    thread_pool_queued_tasks : int
        0: there is no thread pool.
    recover_queue_size : int
        Late answers that are being read to save their connections.
    command_count, recovered_count, aborted_count : int
        Commands begun; connections saved so, and not.
    """

    nodes: list[NodeStats]
    retry_count: int = 0
    thread_pool_queued_tasks: int = 0
    recover_queue_size: int = 0
    command_count: int = 0
    recovered_count: int = 0
    aborted_count: int = 0

    @classmethod
    def _from_core(cls, nodes: list[dict[str, Any]], retries: int, recovering: int,
                   commands: int, recovered: int, aborted: int) -> ClusterStats:
        """From what the core counts."""
        names = ("in_use", "in_pool", "opened", "closed", "recovered", "aborted")
        found = []
        for node in nodes:
            conns = ConnectionStats(**{name: node.pop(name, 0) for name in names})
            found.append(NodeStats(conns=conns, **node))
        return cls(nodes=found, retry_count=retries, thread_pool_queued_tasks=0,
                   recover_queue_size=recovering, command_count=commands,
                   recovered_count=recovered, aborted_count=aborted)


class NamespaceMetrics(SimpleNamespace):
    """Metrics of a namespace on a node.

    Attributes
    ----------
    ns : str
    bytes_in, bytes_out, error_count, timeout_count, key_busy_count : int
    conn_latency, write_latency, read_latency, batch_latency, query_latency : list of int
        How many took up to 1 ms, up to ``1 << latency_shift`` ms, and so on.
    """

    ns: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    error_count: int = 0
    timeout_count: int = 0
    key_busy_count: int = 0
    conn_latency: list[int]
    write_latency: list[int]
    read_latency: list[int]
    batch_latency: list[int]
    query_latency: list[int]


class Node(SimpleNamespace):
    """Metrics of a node.

    Attributes
    ----------
    name, address : str
    port : int
    conns : ConnectionStats
    metrics : list of NamespaceMetrics
    """

    name: str = ""
    address: str = ""
    port: int = 0
    conns: ConnectionStats
    metrics: list[NamespaceMetrics]


class Cluster(SimpleNamespace):
    """Metrics of a client.

    Attributes
    ----------
    cluster_name, app_id : str or None
    invalid_node_count, command_count, retry_count : int
    nodes : list of Node
    """

    cluster_name: str | None = None
    app_id: str | None = None
    invalid_node_count: int = 0
    command_count: int = 0
    retry_count: int = 0
    nodes: list[Node]


class MetricsListeners:
    """Functions that take the metrics in place of a log file.

    Parameters
    ----------
    enable_listener : callable
        Called without arguments when metrics begin.
    snapshot_listener : callable
        Called with a ``Cluster`` every ``interval``.
    node_close_listener : callable
        Called with a ``Node`` when it leaves the cluster.
    disable_listener : callable
        Called with a ``Cluster`` when metrics end.
    """

    def __init__(self, enable_listener: Callable[[], Any],
                 snapshot_listener: Callable[[Cluster], Any],
                 node_close_listener: Callable[[Node], Any],
                 disable_listener: Callable[[Cluster], Any]) -> None:
        self.enable_listener = enable_listener
        self.snapshot_listener = snapshot_listener
        self.node_close_listener = node_close_listener
        self.disable_listener = disable_listener


class MetricsPolicy:
    """How metrics are taken.

    Parameters
    ----------
    metrics_listeners : MetricsListeners, optional
        Without them a log file is written.
    report_dir : str, default "."
        Directory of the log file.
    report_size_limit : int, bytes, default 0
        A new file is begun at this size; 0: never.
    interval : int, default 30
        Tends from one snapshot to the next.
    latency_columns : int, default 7
        Buckets of a histogram.
    latency_shift : int, default 1
        Each bucket ends at so many doublings of the one before it.
    labels : dict, optional
        Names and texts that are added.
    """

    def __init__(self, metrics_listeners: MetricsListeners | None = None, report_dir: str = ".",
                 report_size_limit: int = 0, interval: int = 30, latency_columns: int = 7,
                 latency_shift: int = 1, labels: Mapping[str, str] = {}) -> None:
        self.metrics_listeners = metrics_listeners
        self.report_dir = report_dir
        self.report_size_limit = report_size_limit
        self.interval = interval
        self.latency_columns = latency_columns
        self.latency_shift = latency_shift
        self.labels = dict(labels) if type(labels) is dict else labels
