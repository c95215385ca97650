"""Metrics of operations as text, over HTTP, and for prometheus_client."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e

SET = "prometheus"


def count_of(op: str, error: str = "", set_name: str = SET) -> int:
    found = re.search(
        r'^db_client_operation_duration_seconds_count\{db_system_name="aerospike",'
        rf'db_namespace="test",db_collection_name="{set_name}",db_operation_name="{op}",'
        rf'error_type="{error}"\}} (\d+)$', aerospike_py.get_metrics(), re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.fixture
def key(new_key: Any) -> Any:
    return new_key(set_name=SET)


@pytest.mark.parametrize(("op", "call"), [
    ("put", lambda c, k: c.put(k, {"a": 1})), ("get", lambda c, k: c.get(k)),
    ("select", lambda c, k: c.select(k, ["a"])), ("exists", lambda c, k: c.exists(k)),
    ("touch", lambda c, k: c.touch(k)), ("append", lambda c, k: c.append(k, "s", "x")),
    ("prepend", lambda c, k: c.prepend(k, "s", "x")),
    ("increment", lambda c, k: c.increment(k, "a", 1)),
    ("remove_bin", lambda c, k: c.remove_bin(k, ["s"])),
    ("operate", lambda c, k: c.operate(k, [{"op": 1, "bin": "a"}])),
    ("operate_ordered", lambda c, k: c.operate_ordered(k, [{"op": 1, "bin": "a"}])),
    ("batch_read", lambda c, k: c.batch_read([k])),
    ("batch_operate", lambda c, k: c.batch_operate([k], [{"op": 1, "bin": "a"}])),
    ("batch_write", lambda c, k: c.batch_write([(k, {"a": 1})])),
    ("batch_remove", lambda c, k: c.batch_remove([k])),
    ("query", lambda c, k: c.query("test", SET).results()),
    ("query", lambda c, k: c.query("test", SET).foreach(lambda record: None)),
    ("query", lambda c, k: c.query("test", SET).foreach(lambda record: False)),
    ("delete", lambda c, k: c.remove(k))])
def test_each_operation_is_counted_once(client: Any, key: Any, op: str, call: Any) -> None:
    client.put(key, {"a": 1, "s": "x"})
    before = count_of(op)
    call(client, key)
    assert count_of(op) == before + 1


def test_a_query_whose_callback_fails_is_no_success(client: Any, key: Any) -> None:
    client.put(key, {"a": 1})
    before = count_of("query"), count_of("query", "ClientError")
    for method in (client.query("test", SET).foreach, client.scan("test", SET).foreach):
        with pytest.raises(ZeroDivisionError):
            method(lambda record: 1 / 0)
    assert (count_of("query"), count_of("query", "ClientError")) == (before[0], before[1] + 2)
    aerospike_py.set_metrics_enabled(False)
    client.query("test", SET).foreach(lambda record: None)
    aerospike_py.set_metrics_enabled(True)
    assert count_of("query") == before[0]


def test_failures_have_a_name(client: Any, key: Any) -> None:
    before = count_of("get", "KeyNotFoundError"), count_of("get")
    with pytest.raises(e.RecordNotFound):
        client.get(key)
    assert (count_of("get", "KeyNotFoundError"), count_of("get")) == (before[0] + 1, before[1])


def test_the_existence_of_nothing_is_no_failure(client: Any, key: Any) -> None:
    before = count_of("exists")
    client.exists(key)
    assert count_of("exists") == before + 1


def test_what_asks_no_record_is_not_counted(client: Any) -> None:
    client.info_all("build")
    client.ping()
    text = aerospike_py.get_metrics()
    assert 'db_operation_name="info' not in text
    assert 'db_operation_name="ping' not in text


def test_wrong_arguments_are_not_counted(client: Any, key: Any) -> None:
    before = aerospike_py.get_metrics()
    with pytest.raises(TypeError):
        client.put(key, 5)
    assert aerospike_py.get_metrics() == before


def test_counting_can_be_switched_off(client: Any, key: Any) -> None:
    assert aerospike_py.is_metrics_enabled() is True
    aerospike_py.set_metrics_enabled(False)
    try:
        before = count_of("put")
        client.put(key, {"a": 1})
        assert count_of("put") == before
        assert aerospike_py.is_metrics_enabled() is False
    finally:
        aerospike_py.set_metrics_enabled(True)
    with pytest.raises(TypeError):
        aerospike_py.set_metrics_enabled(1)  # type: ignore[arg-type]


def test_buckets_add_up(client: Any, key: Any) -> None:
    client.put(key, {"a": 1})
    rows = [line for line in aerospike_py.get_metrics().splitlines()
            if f'"{SET}"' in line and '"put"' in line and 'error_type=""' in line]
    buckets = [int(line.rsplit(" ", 1)[1]) for line in rows if "_bucket" in line]
    assert len(buckets) == 10
    assert buckets == sorted(buckets)
    assert buckets[-1] == count_of("put")
    assert any('le="+Inf"' in line for line in rows)
    assert aerospike_py.get_metrics().endswith("# EOF\n")


def test_stages_are_measured_when_asked_for(client: Any, key: Any) -> None:
    assert aerospike_py.is_internal_stage_metrics_enabled() is False
    with aerospike_py.internal_stage_profiling():
        assert aerospike_py.is_internal_stage_metrics_enabled() is True
        client.put(key, {"a": 1})
        client.get(key)
    assert aerospike_py.is_internal_stage_metrics_enabled() is False
    text = aerospike_py.get_metrics()
    for stage in ("key_parse", "io", "into_pyobject"):
        assert f'db_client_internal_stage_seconds_count{{stage="{stage}",' \
               f'db_operation_name="get"}}' in text
    with pytest.raises(RuntimeError), aerospike_py.internal_stage_profiling():
        raise RuntimeError
    assert aerospike_py.is_internal_stage_metrics_enabled() is False


def test_waiting_for_a_place_is_a_stage(make_client: Any, key: Any) -> None:
    client = make_client(max_concurrent_operations=1)
    with aerospike_py.internal_stage_profiling():
        client.put(key, {"a": 1})
    assert client.get(key).bins == {"a": 1}


def test_names_are_escaped(client: Any, new_key: Any) -> None:
    odd = 'a"b\\c\nd'
    client.put(new_key(set_name=odd), {"a": 1})
    assert r'db_collection_name="a\"b\\c\nd"' in aerospike_py.get_metrics()


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        number = one.getsockname()[1]
    yield number
    aerospike_py.stop_metrics_server()


def fetch(port: int, path: str = "/metrics") -> Any:
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)


def test_metrics_are_served(client: Any, key: Any, port: int) -> None:
    client.put(key, {"a": 1})
    aerospike_py.start_metrics_server(port)
    aerospike_py.start_metrics_server(port)
    with fetch(port) as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4"
        assert b"db_client_operation_duration_seconds_count" in reply.read()
    with pytest.raises(urllib.error.HTTPError) as raised:
        fetch(port, "/other")
    assert raised.value.code == 404
    raised.value.close()
    aerospike_py.stop_metrics_server()
    aerospike_py.stop_metrics_server()
    with pytest.raises(urllib.error.URLError):
        fetch(port)


def test_a_port_that_is_taken(port: int) -> None:
    aerospike_py.start_metrics_server(port)
    with socket.create_server(("0.0.0.0", 0)) as other, pytest.raises(OSError, match="in use"):
        aerospike_py.start_metrics_server(other.getsockname()[1])
    with fetch(port) as reply:
        assert reply.status == 200


def test_a_registry_of_prometheus_takes_them(client: Any, key: Any) -> None:
    prometheus = pytest.importorskip("prometheus_client")
    from aerospike_py._observability import PrometheusCollector

    client.put(key, {"a": 1})
    registry = prometheus.CollectorRegistry()
    registry.register(PrometheusCollector())
    labels = {"db_system_name": "aerospike", "db_namespace": "test", "db_collection_name": SET,
              "db_operation_name": "put", "error_type": ""}
    assert registry.get_sample_value("db_client_operation_duration_seconds_count",
                                     labels) == count_of("put")
