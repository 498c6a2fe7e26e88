"""Spans of OpenTelemetry from a data set to the events that a model scored, each a trace of its own, linked backwards.

A span's ids follow from what it is of (a digest, or a step of a timeline), so that whoever knows that can link to it:
nothing is handed from one process to the next, and what happens twice is told under the same ids. Spans go where
OTEL_EXPORTER_OTLP_ENDPOINT says, by HTTP; without it nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import TracerProvider

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SERVICE, _NAMES = "echopulse", ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES")
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_LOG = logging.getLogger(__name__)
_lock = threading.Lock()


class Identity(NamedTuple):
    """The ids of a span."""

    trace: int
    span: int


def identity(*of: str) -> Identity:
    """Return the ids of the span of something."""
    digest = hashlib.sha256("\n".join(of).encode()).digest()
    trace, span = digest[:_TRACE_BYTES], digest[_TRACE_BYTES : _TRACE_BYTES + _SPAN_BYTES]
    return Identity(int.from_bytes(trace, "big"), int.from_bytes(span, "big"))


def of_data(digest: str) -> Identity:
    """Return the ids of a file of texts, by its digest."""
    return identity("data", digest)


def of_run(digest: str) -> Identity:
    """Return the ids of the training that made a model."""
    return identity("run", digest)


def of_model(digest: str) -> Identity:
    """Return the ids of a model that was registered."""
    return identity("model", digest)


def of_promotion(task: str, digest: str, valid_from_ms: int) -> Identity:
    """Return the ids of the step by which a model scores a task's events from an event time on."""
    return identity("promotion", task, digest, str(valid_from_ms))


def is_wanted() -> bool:
    """Say whether somebody has named a place that spans go to."""
    return any(os.environ.get(name) for name in _ENDPOINTS)


def emit(
    name: str,
    attributes: Mapping[str, str | int | float | bool | Sequence[str]],
    links: Sequence[Identity] = (),
    *,
    own: Identity | None = None,
    began_ms: int | None = None,
    ended_ms: int | None = None,
) -> None:
    """Send a span that is over, soon; times are ms UTC, by default now. Without a place to go to nothing happens.

    Nothing is raised where it cannot be sent: the exporter tries for ten seconds, and logs that.
    """
    if not is_wanted() or (provider := _provider()) is None:
        return
    from opentelemetry.trace import Link, SpanContext

    now = time.time_ns()
    began, ended = (now if at is None else at * 1_000_000 for at in (began_ms, ended_ms))
    linked = [Link(SpanContext(other.trace, other.span, is_remote=True)) for other in links]
    with _lock:
        _given.append(own or identity(name, os.urandom(_TRACE_BYTES).hex()))
        tracer = provider.get_tracer(_SERVICE)
        span = tracer.start_span(name, attributes=dict(attributes), links=linked, start_time=began)
        _given.clear()
    span.end(ended)


def flush(seconds: float = 10.0) -> bool:
    """Send what waits, for some seconds at most, and say whether it was; a process that ends by itself does that."""
    if not is_wanted() or (provider := _provider()) is None:
        return True
    return bool(provider.force_flush(round(seconds * 1_000)))


#: The ids of the span that is being begun; guarded by the lock.
_given: list[Identity] = []


@cache
def _provider() -> TracerProvider | None:
    """Return what makes spans, flushed at the process's end; None where the SDK is not installed, which is logged."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import IdGenerator
    except ImportError as error:
        _LOG.warning("spans are not sent: %s", error)
        return None

    class Given(IdGenerator):
        """The ids that were laid out."""

        def generate_span_id(self) -> int:
            """Return the span's id."""
            return _given[-1].span

        def generate_trace_id(self) -> int:
            """Return the trace's id."""
            return _given[-1].trace

    # Of a collector that is away one line is enough; each of the exporter's tries would be another.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    named = any(os.environ.get(name) for name in _NAMES)
    provider = TracerProvider(
        resource=Resource.create({} if named else {"service.name": _SERVICE}), id_generator=Given()
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
