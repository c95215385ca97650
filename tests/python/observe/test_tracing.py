"""Traces: one span for each data operation."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e, list_operations as lops

pytest.importorskip("opentelemetry.sdk")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

SET = "tracing"
_exporter = InMemorySpanExporter()


@pytest.fixture(scope="module", autouse=True)
def provider() -> None:
    """The program's own provider; it can be set once in a process."""
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(_exporter))
    trace.set_tracer_provider(made)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    _exporter.clear()
    aerospike_py.init_tracing()
    yield _exporter
    aerospike_py.shutdown_tracing()


@pytest.fixture
def key(new_key: Any) -> Any:
    return new_key(set_name=SET)


@pytest.mark.parametrize(("name", "call"), [
    ("PUT", lambda c, k: c.put(k, {"b": 1})), ("GET", lambda c, k: c.get(k)),
    ("SELECT", lambda c, k: c.select(k, ["a"])), ("EXISTS", lambda c, k: c.exists(k)),
    ("TOUCH", lambda c, k: c.touch(key=k)), ("APPEND", lambda c, k: c.append(k, "s", "x")),
    ("PREPEND", lambda c, k: c.prepend(k, "s", "x")),
    ("INCREMENT", lambda c, k: c.increment(k, "a", 1)),
    ("REMOVE_BIN", lambda c, k: c.remove_bin(k, ["s"])),
    ("OPERATE", lambda c, k: c.operate(k, [lops.list_append("l", 1)])),
    ("OPERATE_ORDERED", lambda c, k: c.operate_ordered(k, [lops.list_append("l", 1)])),
    ("BATCH_READ", lambda c, k: c.batch_read([k])),
    ("BATCH_WRITE", lambda c, k: c.batch_write([(k, {"a": 1})])),
    ("BATCH_OPERATE", lambda c, k: c.batch_operate([k], [lops.list_append("l", 1)])),
    ("BATCH_REMOVE", lambda c, k: c.batch_remove([k])),
    ("DELETE", lambda c, k: c.remove(k))])
def test_each_operation_has_a_span(client: Any, key: Any, hosts: Any,
                                   spans: InMemorySpanExporter, name: str, call: Any) -> None:
    client.put(key, {"a": 1, "s": "x"})
    spans.clear()
    call(client, key)
    (span,) = spans.get_finished_spans()
    assert span.name == f"{name} test.{SET}"
    assert span.kind == SpanKind.CLIENT
    assert span.status.status_code == StatusCode.UNSET
    assert span.instrumentation_scope.name == "aerospike-py"
    assert dict(span.attributes) == {
        "db.system.name": "aerospike", "db.namespace": "test", "db.collection.name": SET,
        "db.operation.name": name.lower(), "server.address": hosts[0][0],
        "server.port": hosts[0][1]}


def test_failures_are_told(client: Any, key: Any, spans: InMemorySpanExporter) -> None:
    with pytest.raises(e.RecordNotFound):
        client.get(key)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code == StatusCode.ERROR
    assert span.attributes["error.type"] == "RecordNotFound"
    assert span.attributes["db.response.status_code"] == "2"


def test_spans_have_the_programs_for_parents(client: Any, key: Any,
                                             spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("tests").start_as_current_span("parent") as parent:
        client.put(key, {"a": 1})
    span = spans.get_finished_spans()[0]
    assert span.parent.span_id == parent.get_span_context().span_id


def test_parents_are_kept_apart_in_tasks(hosts: Any, new_key: Any,
                                         spans: InMemorySpanExporter) -> None:
    async def one(client: Any, name: str, key: Any) -> int:
        with trace.get_tracer("tests").start_as_current_span(name) as parent:
            await asyncio.gather(client.put(key, {"a": 1}), client.exists(key))
        return parent.get_span_context().span_id

    async def run() -> list[int]:
        client = aerospike_py.AsyncClient({"hosts": hosts})
        await client.connect()
        found = await asyncio.gather(*[one(client, f"parent{n}", new_key(set_name=SET))
                                       for n in range(5)])
        await client.close()
        return found

    parents = asyncio.run(run())
    inner = [s for s in spans.get_finished_spans() if s.kind == SpanKind.CLIENT]
    assert sorted(s.parent.span_id for s in inner) == sorted(parents * 2)


def test_the_cluster_is_named_if_configured(make_client: Callable[..., Any], key: Any,
                                            client: Any, spans: InMemorySpanExporter) -> None:
    name = client.info_random_node("cluster-name").strip()
    make_client(cluster_name=name).put(key, {"a": 1})
    assert spans.get_finished_spans()[-1].attributes["db.aerospike.cluster_name"] == name


def test_without_traces_nothing_is_in_the_way(client: Any, key: Any) -> None:
    before = aerospike_py.Client.get
    aerospike_py.init_tracing()
    aerospike_py.init_tracing()
    wrapped = aerospike_py.Client.get
    assert wrapped is not before
    assert str(inspect.signature(wrapped)) == str(inspect.signature(before))
    aerospike_py.shutdown_tracing()
    aerospike_py.shutdown_tracing()
    assert aerospike_py.Client.get is before
    _exporter.clear()
    client.put(key, {"a": 1})
    assert _exporter.get_finished_spans() == ()


def test_the_environment_can_forbid_it(monkeypatch: pytest.MonkeyPatch, client: Any,
                                       key: Any) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    _exporter.clear()
    aerospike_py.init_tracing()
    client.put(key, {"a": 1})
    assert _exporter.get_finished_spans() == ()
    aerospike_py.shutdown_tracing()
