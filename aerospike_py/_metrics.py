"""Who gets the snapshots that ``enable_metrics`` asks for: listeners, or a log file."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from . import _aerospike
from ._config import fault, param_type
from .helpers.metrics import (
    Cluster,
    ConnectionStats,
    MetricsListeners,
    MetricsPolicy,
    NamespaceMetrics,
    Node,
)

logger = logging.getLogger("aerospike_py")
LISTENERS = ("enable_listener", "snapshot_listener", "node_close_listener", "disable_listener")
SIZE_LEAST = 1_000_000
LATENCIES = ("conn", "write", "read", "batch", "query")


# ---- the policy ----


def _check(policy: MetricsPolicy, name: str, fine: bool, kind: str) -> None:
    if not fine:
        raise param_type(f"MetricsPolicy.{name} must be a {kind} type")


def _is_unsigned(value: Any, bits: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**bits


def check_policy(policy: Any) -> MetricsPolicy:
    """A policy whose members are what they should be.

    Raises
    ------
    ParamError
        A member is not; the text names it.
    """
    if not isinstance(policy, MetricsPolicy):
        raise param_type("policy parameter must be an aerospike_helpers.MetricsPolicy type")
    listeners = policy.metrics_listeners
    _check(policy, "metrics_listeners", listeners is None
           or isinstance(listeners, MetricsListeners),
           "aerospike_helpers.metrics.MetricsListeners")
    if listeners is not None:
        for name in LISTENERS:
            _check(policy, f"metrics_listeners.{name}", callable(getattr(listeners, name, None)),
                   "callable")
    _check(policy, "report_dir", isinstance(policy.report_dir, str), "str")
    if len(policy.report_dir) >= 256:
        raise param_type("MetricsPolicy.report_dir must be less than 256 chars")
    for name, bits in (("report_size_limit", 64), ("interval", 32), ("latency_columns", 8),
                       ("latency_shift", 8)):
        _check(policy, name, _is_unsigned(getattr(policy, name), bits),
               f"unsigned {bits}-bit integer")
    labels = policy.labels
    _check(policy, "labels", isinstance(labels, dict) and all(
        isinstance(k, str) and isinstance(v, str) for k, v in labels.items()), "dict[str, str]")
    if 0 < policy.report_size_limit < SIZE_LEAST:
        raise fault("ClientError", f"MetricsPolicy.report_size_limit must be 0 or at least "
                                   f"{SIZE_LEAST}", code=-1)
    for name, most in (("latency_columns", 255), ("latency_shift", 32), ("interval", 2**32)):
        if not 0 < getattr(policy, name) <= most:
            raise fault("ClientError", f"MetricsPolicy.{name} must be from 1 to {most}", code=-1)
    return policy


# ---- snapshots ----


def make_node(node: dict[str, Any]) -> Node:
    """A node of a snapshot."""
    return Node(name=node["name"], address=node["address"], port=node["port"],
                conns=ConnectionStats(recovered=0, aborted=0, **node["conns"]),
                metrics=[NamespaceMetrics(**row) for row in node["metrics"]])


def make_cluster(found: dict[str, Any]) -> Cluster:
    """A snapshot as users read it."""
    return Cluster(**{**found, "app_id": found["app_id"] or "not-set",
                      "nodes": [make_node(n) for n in found["nodes"]]})


class Sink(Protocol):
    """Takes snapshots."""

    def begin(self) -> None:
        """Metrics have been enabled."""

    def take(self, cluster: Cluster) -> None:
        """A snapshot."""

    def node_closed(self, node: Node) -> None:
        """A node has left; what it had counted when it was last seen."""

    def end(self, cluster: Cluster) -> None:
        """Metrics are disabled."""


def _raise_failure(name: str, error: Exception) -> None:
    try:
        text = f"Exception value: {error}"
    except Exception:
        text = "str() on exception value threw an error"
    raise fault("ClientError", f"Python callback {name} threw a {type(error).__name__} exception. "
                               f"{text}", code=-1) from error


class ListenerSink:
    """Hands snapshots to functions of the user's."""

    def __init__(self, listeners: MetricsListeners) -> None:
        self._listeners = listeners

    def _call(self, name: str, *args: Any) -> None:
        try:
            getattr(self._listeners, name)(*args)
        except Exception as error:
            _raise_failure(name, error)

    def begin(self) -> None:
        self._call("enable_listener")

    def take(self, cluster: Cluster) -> None:
        self._call("snapshot_listener", cluster)

    def node_closed(self, node: Node) -> None:
        self._call("node_close_listener", node)

    def end(self, cluster: Cluster) -> None:
        self._call("disable_listener", cluster)


class FileSink:
    """Writes snapshots to a file, a line each.

    The first line names the members; ``[`` opens what there may be several of.
    """

    HEADER = ("header(2) cluster[name,clientType,clientVersion,appId,label[],invalidNodeCount,"
              "commandCount,retryCount,node[name,address,port,conn[inUse,inPool,opened,closed],"
              "namespace[name,errors,timeouts,keyBusy,bytesIn,bytesOut,latency[")

    def __init__(self, policy: MetricsPolicy, version: str) -> None:
        self._policy = policy
        self._version = version
        self._file: Any = None

    def _open(self) -> None:
        stamp = time.strftime("%Y%m%d%H%M%S")
        stem = os.path.join(self._policy.report_dir, f"metrics-{stamp}")
        for number in range(1000):
            path = f"{stem}{f'-{number}' if number else ''}.log"
            try:
                self._file = open(path, "x", encoding="utf-8")  # noqa: SIM115 - kept open
                break
            except FileExistsError:
                continue
            except OSError as error:
                raise fault("ClientError", f"cannot write metrics to {path}: "
                                           f"{error.strerror}") from error
        kinds = ",".join(f"{kind}[{self._policy.latency_columns},{self._policy.latency_shift}]"
                         for kind in LATENCIES)
        self._write(f"{self.HEADER}{kinds}]]]]")

    def _write(self, line: str) -> None:
        self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
        self._file.flush()

    def begin(self) -> None:
        self._open()

    def _namespace(self, row: NamespaceMetrics) -> str:
        latencies = ",".join(
            f"{kind}[{','.join(map(str, getattr(row, f'{kind}_latency')))}]" for kind in LATENCIES)
        return (f"[{row.ns},{row.error_count},{row.timeout_count},{row.key_busy_count},"
                f"{row.bytes_in},{row.bytes_out},[{latencies}]]")

    def _node(self, node: Node) -> str:
        conns = node.conns
        return (f"[{node.name},{node.address},{node.port},"
                f"[{conns.in_use},{conns.in_pool},{conns.opened},{conns.closed}],"
                f"[{','.join(map(self._namespace, node.metrics))}]]")

    def take(self, cluster: Cluster) -> None:
        labels = ",".join(f"[{k},{v}]" for k, v in self._policy.labels.items())
        nodes = ",".join(map(self._node, cluster.nodes))
        self._write(f"cluster[{cluster.cluster_name or ''},python,{self._version},"
                    f"{cluster.app_id or ''},[{labels}],{cluster.invalid_node_count},"
                    f"{cluster.command_count},{cluster.retry_count},[{nodes}]]")
        limit = self._policy.report_size_limit
        if limit and self._file.tell() >= limit:
            self._file.close()
            self._open()

    def node_closed(self, node: Node) -> None:
        self._write(f"node{self._node(node)}")

    def end(self, cluster: Cluster) -> None:
        if self._file is not None:
            self.take(cluster)
            self._file.close()
            self._file = None


# ---- the reporter ----


class Reporter(threading.Thread):
    """Takes snapshots of a client, from a thread, until it ends."""

    def __init__(self, client: Any, sink: Sink, seconds: float) -> None:
        super().__init__(name="aerospike-metrics", daemon=True)
        self._client = weakref.ref(client)
        self.sink = sink
        self._seconds = seconds
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._nodes: dict[str, Node] = {}

    def _snapshot(self) -> Cluster | None:
        client = self._client()
        found = None if client is None else client._snapshot_metrics()
        return None if found is None else make_cluster(found)

    def _note_nodes(self, cluster: Cluster) -> None:
        before, self._nodes = self._nodes, {node.name: node for node in cluster.nodes}
        for name in before.keys() - self._nodes.keys():
            self.sink.node_closed(before[name])

    def look(self) -> None:
        """Take a snapshot now."""
        with self._lock:
            cluster = self._snapshot()
            if cluster is not None:
                self._note_nodes(cluster)
                self.sink.take(cluster)

    def run(self) -> None:
        while not self._over.wait(self._seconds):
            if self._client() is None:
                return
            try:
                self.look()
            except Exception:
                logger.exception("metrics: a snapshot was not taken")

    def stop(self) -> Cluster | None:
        """End; gives the last snapshot."""
        self._over.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(1)
        with self._lock:
            return self._snapshot()


def _sink_of(policy: MetricsPolicy) -> Sink:
    if policy.metrics_listeners is not None:
        return ListenerSink(policy.metrics_listeners)
    return FileSink(policy, version())


def version() -> str:
    """The version of this package."""
    from . import __version__

    return __version__


def begin(client: Any, policy: MetricsPolicy) -> None:
    """Enable the metrics of a client that is connected."""
    check_policy(policy)
    end(client)
    sink = _sink_of(policy)
    client._switch_metrics(policy.latency_columns, policy.latency_shift)
    try:
        sink.begin()
    except BaseException:
        client._switch_metrics(0, 0)
        raise
    tend = client._setting("tend_interval") or 1000
    client._reporter = reporter = Reporter(client, sink, policy.interval * tend / 1000)
    client._at_close = at_close
    reporter.start()


def end(client: Any) -> None:
    """Disable the metrics of a client, if they are enabled."""
    reporter = getattr(client, "_reporter", None)
    if reporter is None:
        return
    client._reporter = None
    cluster = reporter.stop()
    client._switch_metrics(0, 0)
    if cluster is not None:
        reporter.sink.end(cluster)


def enable(client: Any, policy: Any) -> None:
    """The method ``enable_metrics``."""
    if policy is None:
        policy = client._setting("metrics") or MetricsPolicy()
    check_policy(policy)
    if _is_governed(client):
        return
    begin(client, policy)


def disable(client: Any, unused: Any) -> None:
    """The method ``disable_metrics``."""
    if not _is_governed(client):
        end(client)


def _is_governed(client: Any) -> bool:
    """A configuration file says whether there are metrics."""
    governor = getattr(client, "_governor", None)
    if governor is None or not governor.says_metrics:
        return False
    logger.warning("metrics are switched by the configuration file, not by the program")
    return True


def at_close(client: Any) -> None:
    """The client is about to close: whoever watches it stops."""
    watchers: tuple[Callable[[], None], ...] = (lambda: end(client), )
    governor = getattr(client, "_governor", None)
    if governor is not None:
        client._governor = None
        watchers = (governor.stop, *watchers)
    for stop in watchers:
        try:
            stop()
        except _aerospike.exceptions["AerospikeError"]:
            logger.exception("metrics: the end was not taken")
