"""enable_metrics: snapshots, listeners and log files, and what get_stats counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aerospike_py import exception as e
from aerospike_py.helpers.metrics import Cluster, MetricsListeners, MetricsPolicy, Node
from aerospike_py.server import LocalServer

pytestmark = pytest.mark.local_only
KEYS = [("test", "metrics", n) for n in range(20)]


class Seen:
    """Listeners that keep what they are called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.listeners = MetricsListeners(
            lambda: self.calls.append(("on", None)), lambda c: self.calls.append(("shot", c)),
            lambda n: self.calls.append(("gone", n)), lambda c: self.calls.append(("off", c)))

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def last(self, name: str) -> Any:
        return [what for n, what in self.calls if n == name][-1]


@pytest.fixture
def seen() -> Seen:
    return Seen()


def work(client: Any) -> None:
    for k in KEYS:
        client.put(k, {"a": 1})
        client.get(k)
    client.batch_read(KEYS)
    client.query("test", "metrics").results()


def row_of(cluster: Cluster) -> Any:
    (node,) = cluster.nodes
    (row,) = node.metrics
    return row


def test_listeners_get_what_was_counted(make_client: Callable[..., Any], seen: Seen) -> None:
    client = make_client(app_id="tests")
    assert client.enable_metrics(MetricsPolicy(seen.listeners, latency_columns=5)) is None
    assert seen.calls == [("on", None)]
    work(client)
    assert client.disable_metrics() is None
    assert seen.names() == ["on", "off"]
    cluster = seen.last("off")
    assert isinstance(cluster, Cluster)
    assert cluster.app_id == "tests"
    assert cluster.command_count >= 42
    assert (cluster.retry_count, cluster.invalid_node_count) == (0, 0)
    (node,) = cluster.nodes
    assert isinstance(node, Node)
    assert [node.port] == [port for _, port in client.get_nodes()]
    row = row_of(cluster)
    assert row.ns == "test"
    assert row.bytes_in > 1000
    assert row.bytes_out > 1000
    assert (row.error_count, row.timeout_count, row.key_busy_count) == (0, 0, 0)
    counts = {kind: sum(getattr(row, f"{kind}_latency"))
              for kind in ("write", "read", "batch", "query")}
    assert counts == {"write": 20, "read": 20, "batch": 1, "query": 1}
    assert all(len(getattr(row, f"{kind}_latency")) == 5 for kind in counts)


def test_snapshots_come_by_themselves(make_client: Callable[..., Any], seen: Seen) -> None:
    client = make_client(tend_interval=250)
    client.enable_metrics(MetricsPolicy(seen.listeners, interval=1))
    client.put(KEYS[0], {"a": 1})
    until = time.monotonic() + 30
    while seen.names().count("shot") < 2 and time.monotonic() < until:
        time.sleep(0.05)
    client.disable_metrics()
    assert seen.names().count("shot") >= 2
    count = len(seen.calls)
    time.sleep(0.6)
    assert len(seen.calls) == count


def test_closing_is_the_end_as_well(make_client: Callable[..., Any], seen: Seen) -> None:
    client = make_client()
    client.enable_metrics(MetricsPolicy(seen.listeners))
    client.close()
    assert seen.names() == ["on", "off"]
    client.connect()
    client.disable_metrics()
    assert seen.names() == ["on", "off"]


def test_enabling_again_begins_anew(make_client: Callable[..., Any], seen: Seen) -> None:
    client = make_client()
    client.enable_metrics(MetricsPolicy(seen.listeners))
    client.put(KEYS[0], {"a": 1})
    client.enable_metrics(MetricsPolicy(seen.listeners, latency_columns=3))
    client.get(KEYS[0])
    client.disable_metrics()
    assert seen.names() == ["on", "off", "on", "off"]
    row = row_of(seen.last("off"))
    assert sum(row.write_latency) == 0
    assert sum(row.read_latency) == 1
    assert len(row.read_latency) == 3
    client.disable_metrics()  # once more: nothing


def test_failures_and_slow_answers_are_told_apart(make_client: Callable[..., Any],
                                                  seen: Seen) -> None:
    with LocalServer() as server:
        client = make_client(server.hosts)
        client.enable_metrics(MetricsPolicy(seen.listeners, latency_columns=4, latency_shift=2))
        server.fault("code", code=14, classes="write", times=1)
        with pytest.raises(e.RecordBusy):
            client.put(KEYS[0], {"a": 1})
        server.fault("code", code=13, classes="write", times=1)
        with pytest.raises(e.RecordTooBig):
            client.put(KEYS[0], {"a": 1})
        server.fault("delay", ms=30, classes="write", times=1)
        client.put(KEYS[0], {"a": 1})
        server.fault("delay", ms=300, classes="read", times=1)
        with pytest.raises(e.AerospikeTimeoutError):
            client.get(KEYS[0], {"total_timeout": 50, "max_retries": 0})
        client.disable_metrics()
    row = row_of(seen.last("off"))
    assert (row.key_busy_count, row.error_count, row.timeout_count) == (1, 1, 1)
    # up to 1 ms, 4 ms, 16 ms, and more
    assert row.write_latency[3] == 1


def test_a_node_that_leaves_is_reported(make_client: Callable[..., Any], seen: Seen) -> None:
    with LocalServer(nodes=2) as server:
        client = make_client(server.hosts, tend_interval=250)
        client.enable_metrics(MetricsPolicy(seen.listeners, interval=1))
        until = time.monotonic() + 40
        while "shot" not in seen.names() and time.monotonic() < until:
            time.sleep(0.05)
        server.node_down(1)
        while "gone" not in seen.names() and time.monotonic() < until:
            time.sleep(0.05)
        client.disable_metrics()
        assert seen.last("gone").port == server.ports[1]


def test_without_listeners_a_file_is_written(make_client: Callable[..., Any],
                                             tmp_path: Path) -> None:
    client = make_client()
    client.enable_metrics(MetricsPolicy(report_dir=str(tmp_path), labels={"zone": "a"}))
    work(client)
    client.disable_metrics()
    (path,) = tmp_path.glob("metrics-*.log")
    header, line = path.read_text().splitlines()
    assert "header(2) cluster[name,clientType" in header
    assert "[[zone,a]]" in line
    assert "read[20," in line or ",read[" in line
    assert ",python," in line


def test_a_folder_that_does_not_exist(make_client: Callable[..., Any], tmp_path: Path) -> None:
    client = make_client()
    with pytest.raises(e.ClientError, match="No such file"):
        client.enable_metrics(MetricsPolicy(report_dir=str(tmp_path / "nowhere")))
    client.disable_metrics()


def test_the_policy_of_the_configuration(make_client: Callable[..., Any], seen: Seen) -> None:
    client = make_client(policies={"metrics": MetricsPolicy(seen.listeners)})
    assert seen.calls == []
    client.enable_metrics()
    client.disable_metrics()
    assert seen.names() == ["on", "off"]


def test_the_strict_face_has_them_too(make_strict: Callable[..., Any], seen: Seen) -> None:
    client = make_strict()
    assert client.enable_metrics(policy=MetricsPolicy(seen.listeners)) is None
    client.put(KEYS[0], {"a": 1})
    client.close()
    assert sum(row_of(seen.last("off")).write_latency) == 1
    with pytest.raises(e.ClusterError):
        client.enable_metrics()


def nothing(*args: Any) -> None:
    """Does nothing."""


def listeners(**changed: Any) -> MetricsListeners:
    names = ("enable_listener", "snapshot_listener", "node_close_listener", "disable_listener")
    return MetricsListeners(**{**dict.fromkeys(names, nothing), **changed})


WRONG = [
    (1, "policy parameter must be an aerospike_helpers.MetricsPolicy type"),
    (listeners(), "policy parameter must be an aerospike_helpers.MetricsPolicy type"),
    (MetricsPolicy(1), "MetricsPolicy.metrics_listeners must be a "  # type: ignore[arg-type]
                       "aerospike_helpers.metrics.MetricsListeners type"),
    (MetricsPolicy(listeners(enable_listener=1)),
     "MetricsPolicy.metrics_listeners.enable_listener must be a callable type"),
    (MetricsPolicy(report_dir=1), "MetricsPolicy.report_dir must be a str type"),  # type: ignore[arg-type]
    (MetricsPolicy(report_dir="x" * 257), "MetricsPolicy.report_dir must be less than 256 chars"),
    (MetricsPolicy(report_size_limit=-1),
     "MetricsPolicy.report_size_limit must be a unsigned 64-bit integer type"),
    (MetricsPolicy(interval=2**32),
     "MetricsPolicy.interval must be a unsigned 32-bit integer type"),
    (MetricsPolicy(latency_columns=256),
     "MetricsPolicy.latency_columns must be a unsigned 8-bit integer type"),
    (MetricsPolicy(latency_shift="1"),  # type: ignore[arg-type]
     "MetricsPolicy.latency_shift must be a unsigned 8-bit integer type"),
    (MetricsPolicy(labels=1), "MetricsPolicy.labels must be a dict[str, str] type"),  # type: ignore[arg-type]
    (MetricsPolicy(labels={"a": 1}),  # type: ignore[dict-item]
     "MetricsPolicy.labels must be a dict[str, str] type"),
]


@pytest.mark.parametrize(("policy", "text"), WRONG)
def test_a_wrong_policy_is_named(client: Any, policy: Any, text: str) -> None:
    with pytest.raises(e.ParamError) as raised:
        client.enable_metrics(policy)
    assert raised.value.msg == text


def test_numbers_that_cannot_be(client: Any) -> None:
    for policy in (MetricsPolicy(report_size_limit=1), MetricsPolicy(latency_columns=0),
                   MetricsPolicy(interval=0)):
        with pytest.raises(e.ClientError):
            client.enable_metrics(policy)
    with pytest.raises(TypeError):
        client.disable_metrics(1)
    with pytest.raises(TypeError):
        client.enable_metrics(None, 1)


def test_listeners_that_fail(make_client: Callable[..., Any],
                             caplog: pytest.LogCaptureFixture) -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fail(*args: Any) -> None:
        raise ValueError("no")

    def fail_oddly(*args: Any) -> None:
        raise Unprintable

    client = make_client()
    with pytest.raises(e.AerospikeError) as raised:
        client.enable_metrics(MetricsPolicy(listeners(enable_listener=fail)))
    assert raised.value.msg == ("Python callback enable_listener threw a ValueError exception. "
                                "Exception value: no")
    client.enable_metrics(MetricsPolicy(listeners(disable_listener=fail_oddly)))
    with pytest.raises(e.AerospikeError, match=r"str\(\) on exception value threw an error"):
        client.disable_metrics()
    client.enable_metrics(MetricsPolicy(listeners(disable_listener=fail)))
    with caplog.at_level(logging.ERROR, "aerospike_py"):
        client.close()  # only logged
    assert "the end was not taken" in caplog.text


def test_stats_count_connections_and_failures(make_client: Callable[..., Any]) -> None:
    with LocalServer() as server:
        client = make_client(server.hosts)
        for _ in range(3):
            client.put(KEYS[0], {"a": 1})
        server.fault("code", code=14, classes="write", times=1)
        with pytest.raises(e.RecordBusy):
            client.put(KEYS[0], {"a": 1})
        stats = client.get_stats()
        (node,) = stats.nodes
        assert node.key_busy_count == 1
        assert stats.command_count >= 4
        assert stats.thread_pool_queued_tasks == 0
        with pytest.raises(TypeError):
            client.get_stats(1)
