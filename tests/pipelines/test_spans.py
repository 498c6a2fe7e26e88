"""Spans by OTLP, to a receiver of the test's own."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines import spans
from pipelines.spans import emit, flush, identity, of_data, of_model, of_promotion, of_run
from tests.otlp import Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that the process sends to."""
    spans._provider.cache_clear()
    with receiving() as found:
        monkeypatch.setenv(ENDPOINT, found.endpoint)
        yield found
        if (provider := spans._provider()) is not None:
            provider.shutdown()
    spans._provider.cache_clear()


def test_ids_follow_from_what_a_span_is_of() -> None:
    """The same for everybody who knows it, and no two things have the same."""
    assert identity("a", "b") == identity("a", "b") != identity("a b")
    ids = [of("sha256:1") for of in (of_data, of_run, of_model)] + [of_promotion("hate", "sha256:1", 0)]
    ids.append(of_promotion("hate", "sha256:1", 1))
    assert len(set(ids)) == len({one.trace for one in ids}) == 5
    assert all(0 < one.trace < 2**128 and 0 < one.span < 2**64 for one in ids)


def test_what_is_sent(receiver: Receiver) -> None:
    """Name, attributes, links; ids that were given, and others where none were."""
    told: dict[str, str | int | list[str]] = {"text": "a", "number": 2, "many": ["a", "b"]}
    emit("promotion", told, [of_model("sha256:1")], own=of_promotion("hate", "sha256:1", 5), began_ms=1, ended_ms=2)
    emit("score", {})
    emit("score", {})
    assert flush()
    (first,) = receiver.named("promotion")
    assert (first.service, first.attributes) == ("echopulse", told)
    trace, span = of_promotion("hate", "sha256:1", 5)
    assert first.ids == (trace.to_bytes(16, "big"), span.to_bytes(8, "big"))
    trace, span = of_model("sha256:1")
    assert first.links == [(trace.to_bytes(16, "big"), span.to_bytes(8, "big"))]
    one, two = receiver.named("score")
    assert one.ids != two.ids


def test_without_a_place_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of OpenTelemetry is asked for."""
    monkeypatch.delenv(ENDPOINT, raising=False)
    monkeypatch.setattr(spans, "_provider", lambda: pytest.fail("asked for"))
    emit("score", {})
    assert flush()


def test_without_the_sdk_it_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever was to be told of goes on."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    spans._provider.cache_clear()
    with caplog.at_level(logging.WARNING):
        emit("score", {})
        emit("score", {})
    spans._provider.cache_clear()
    assert [record.message.partition(": ")[0] for record in caplog.records] == ["spans are not sent"]
