"""Metrics in Prometheus' text form, and traces for OpenTelemetry.

The core counts; this file shows. While traces are off, nothing here is on the way of a call.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import _aerospike

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

#: Upper ends of the buckets, seconds; one more, without an end, follows.
BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
STAGE_BOUNDS = (0.000001, 0.000005, 0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05,
                0.1, 0.5, 1.0)
DURATION = ("db_client_operation_duration_seconds", "Duration of operations.", BOUNDS)
STAGES = ("db_client_internal_stage_seconds", "Duration of the stages of an operation.",
          STAGE_BOUNDS)

Labels = list[tuple[str, str]]
Row = tuple[Labels, int, float, Sequence[int]]
Family = tuple[str, str, tuple[float, ...]]

_enabled = True
_stages_enabled = False


def error_type(code: int) -> str:
    """A short name for a result code; nothing for success."""
    if code == 0:
        return ""
    return _aerospike.short_name(code)


# ---- counting ----


def _flag(enabled: object) -> bool:
    if not isinstance(enabled, bool):
        raise TypeError(f"{type(enabled).__name__!r} object is not a bool")
    return enabled


def set_metrics_enabled(enabled: bool) -> None:
    """Count operations, or stop it.

    Parameters
    ----------
    enabled : bool
        On at the beginning.
    """
    global _enabled
    _aerospike.set_metrics(_flag(enabled))
    _enabled = enabled


def is_metrics_enabled() -> bool:
    """Whether operations are counted.

    Returns
    -------
    bool
    """
    return _enabled


def set_internal_stage_metrics_enabled(enabled: bool) -> None:
    """Measure the stages of operations, or stop it.

    Parameters
    ----------
    enabled : bool
        Off at the beginning, unless ``AEROSPIKE_PY_INTERNAL_METRICS`` is set.
    """
    global _stages_enabled
    _aerospike.set_stage_metrics(_flag(enabled))
    _stages_enabled = enabled


def is_internal_stage_metrics_enabled() -> bool:
    """Whether the stages of operations are measured.

    Returns
    -------
    bool
    """
    return _stages_enabled


@contextmanager
def internal_stage_profiling() -> Iterator[None]:
    """Measure the stages of operations inside a ``with`` statement."""
    before = _stages_enabled
    set_internal_stage_metrics_enabled(True)
    try:
        yield
    finally:
        set_internal_stage_metrics_enabled(before)


def obey_environment() -> None:
    """Stages are measured from the beginning where the environment says so."""
    if os.environ.get("AEROSPIKE_PY_INTERNAL_METRICS", "").lower() in ("1", "true", "yes", "on"):
        set_internal_stage_metrics_enabled(True)


# ---- showing ----


def _duration_rows() -> Iterator[Row]:
    for namespace, set_name, op, code, count, total, buckets in _aerospike.metrics_snapshot():
        labels = [("db_system_name", "aerospike"), ("db_namespace", namespace),
                  ("db_collection_name", set_name), ("db_operation_name", op),
                  ("error_type", error_type(code))]
        yield labels, count, total, buckets


def _stage_rows() -> Iterator[Row]:
    for stage, op, count, total, buckets in _aerospike.stage_snapshot():
        yield [("stage", stage), ("db_operation_name", op)], count, total, buckets


def _families() -> tuple[tuple[Family, Iterable[Row]], ...]:
    return (DURATION, _duration_rows()), (STAGES, _stage_rows())


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels) + "}"


def _bucket_rows(bounds: tuple[float, ...], buckets: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Upper ends and how many lie below them."""
    below = 0
    for end, count in zip((*[str(b) for b in bounds], "+Inf"), buckets, strict=True):
        below += count
        yield end, below


def get_metrics() -> str:
    """What was counted.

    Returns
    -------
    str
        Prometheus' text form, two histograms: ``db_client_operation_duration_seconds`` and
        ``db_client_internal_stage_seconds``.
    """
    lines = []
    for (name, text, bounds), rows in _families():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} histogram"]
        for labels, count, total, buckets in rows:
            lines.append(f"{name}_sum{_shown(labels)} {total:.9f}")
            lines.append(f"{name}_count{_shown(labels)} {count}")
            for end, below in _bucket_rows(bounds, buckets):
                lines.append(f"{name}_bucket{_shown([('le', end), *labels])} {below}")
    return "\n".join([*lines, "# EOF", ""])


class PrometheusCollector:
    """The same for a registry of ``prometheus_client``: ``REGISTRY.register(collector)``."""

    def collect(self) -> Iterator[Any]:
        """The families of metrics."""
        from prometheus_client.core import HistogramMetricFamily

        for (name, text, bounds), rows in _families():
            family: Any = None
            for labels, _, total, buckets in rows:
                if family is None:
                    family = HistogramMetricFamily(name, text, labels=[k for k, _ in labels])
                family.add_metric([value for _, value in labels],
                                  list(_bucket_rows(bounds, buckets)), total)
            if family is not None:
                yield family


# ---- a server for them ----

_server: ThreadingHTTPServer | None = None
_server_lock = threading.Lock()


def start_metrics_server(port: int = 9464) -> None:
    """Serve the metrics at ``http://<host>:<port>/metrics``, from a thread.

    Parameters
    ----------
    port : int
        A running server moves there.

    Raises
    ------
    OSError
        The port is taken; a running server stays where it is.
    """
    global _server
    from ._metrics_server import serve

    with _server_lock:
        if _server is not None and _server.server_address[1] == port != 0:
            return
        made = serve(port, get_metrics)
        before, _server = _server, made
    _stop(before)


def stop_metrics_server() -> None:
    """Stop serving the metrics."""
    global _server
    with _server_lock:
        before, _server = _server, None
    _stop(before)


def _stop(server: ThreadingHTTPServer | None) -> None:
    if server is not None:
        server.shutdown()
        server.server_close()


# ---- traces ----

#: Methods that get a span, and what it is called.
TRACED = {name: name.upper() for name in (
    "put", "get", "select", "exists", "touch", "append", "prepend", "increment", "remove_bin",
    "operate", "operate_ordered", "apply", "batch_read", "batch_write", "batch_write_numpy",
    "batch_operate", "batch_remove", "batch_apply")}
TRACED["remove"] = "DELETE"

_tracer: Any = None
_wrapped: list[tuple[type, str]] = []
_trace_lock = threading.Lock()


def init_tracing() -> None:
    """Begin to make a span of every data operation.

    Notes
    -----
    Needs ``opentelemetry-api`` (the extra ``otel``); without it nothing happens. Where the
    program has set up no provider and ``opentelemetry-sdk`` is there, spans are exported as
    ``OTEL_TRACES_EXPORTER`` (``otlp`` or ``none``), ``OTEL_EXPORTER_OTLP_ENDPOINT`` and
    ``OTEL_SERVICE_NAME`` say; ``OTEL_SDK_DISABLED=true`` leaves all as it is.
    """
    global _tracer
    try:
        from opentelemetry import trace
    except ImportError:
        return
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    with _trace_lock:
        if _tracer is None:
            _provide(trace)
            _tracer = trace.get_tracer("aerospike-py")
            _wrap_all()


def shutdown_tracing() -> None:
    """Make no more spans; those that wait are exported."""
    global _tracer, _provider
    with _trace_lock:
        while _wrapped:
            cls, name = _wrapped.pop()
            delattr(cls, name)
        _tracer = None
        provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()


_provider: Any = None


def _provide(trace: Any) -> None:
    """Set up the exporter, unless the program has done so or has no use for it."""
    global _provider
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "otlp")
    if exporter == "none" or type(trace.get_tracer_provider()).__name__ != "ProxyTracerProvider":
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return
    service = os.environ.get("OTEL_SERVICE_NAME", "aerospike-py")
    _provider = TracerProvider(resource=Resource.create({"service.name": service}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(_provider)


def _wrap_all() -> None:
    from ._async import AsyncClient
    from ._client import Client

    for cls, wrap in ((Client, _wrap), (AsyncClient, _wrap_async)):
        for name, shown in TRACED.items():
            if hasattr(cls, name) and name not in cls.__dict__:
                setattr(cls, name, wrap(getattr(cls, name), name, shown))
                _wrapped.append((cls, name))


def _place(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, str]:
    """Namespace and set of a call: those of its key, or of the first of its keys."""
    if name == "batch_write_numpy":
        given = dict(zip(("data", "namespace", "set_name"), args, strict=False)) | kwargs
        return str(given.get("namespace", "")), str(given.get("set_name", ""))
    names = ("key", "keys", "records", "batch_records")
    key: Any = args[0] if args else next((kwargs[k] for k in names if k in kwargs), None)
    try:
        if name.startswith("batch_"):
            row = getattr(key, "batch_records", key)[0]
            key = getattr(row, "key", row)
            key = key[0] if isinstance(key[0], tuple) else key
        return str(key[0]), str(key[1] or "")
    except (AttributeError, IndexError, KeyError, TypeError):
        return "", ""


def _attributes(client: Any, shown: str, namespace: str, set_name: str) -> dict[str, Any]:
    host, port, cluster = client._origin
    found = {"db.system.name": "aerospike", "db.namespace": namespace,
             "db.collection.name": set_name, "db.operation.name": shown.lower(),
             "server.address": host, "server.port": port}
    if cluster is not None:
        found["db.aerospike.cluster_name"] = cluster
    return found


@contextmanager
def _span(client: Any, name: str, shown: str, args: tuple[Any, ...],
          kwargs: dict[str, Any]) -> Generator[None]:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    namespace, set_name = _place(name, args, kwargs)
    with _tracer.start_as_current_span(
            f"{shown} {namespace}.{set_name}", kind=SpanKind.CLIENT, record_exception=False,
            set_status_on_exception=False,
            attributes=_attributes(client, shown, namespace, set_name)) as span:
        try:
            yield
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            code = getattr(error, "code", None)
            if code is not None:
                span.set_attribute("db.response.status_code", str(code))
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise


def _wrap(method: Callable[..., Any], name: str, shown: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _tracer is None:
            return method(self, *args, **kwargs)
        with _span(self, name, shown, args, kwargs):
            return method(self, *args, **kwargs)
    return _dress(call, method)


def _wrap_async(method: Callable[..., Any], name: str, shown: str) -> Callable[..., Any]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _tracer is None:
            return await method(self, *args, **kwargs)
        with _span(self, name, shown, args, kwargs):
            return await method(self, *args, **kwargs)
    return _dress(call, method)


def _dress(call: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """Name, docstring and signature of the method it stands for."""
    import functools

    return functools.update_wrapper(call, method)
