"""What a worker has scored, as spans linked to the promotions by which it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.scored_spans import ScoredSpans
from pipelines.spans import Identity, flush, of_model, of_promotion
from tests.pipelines.test_spans import receiver
from transforms.selection import Selection
from transforms.timeline_file import TimelineFile, write_timeline

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp import Receiver

__all__ = ["receiver"]
OLD, NEW, OTHER = (f"sha256:{digit * 64}" for digit in "abc")


def batch(*rows: tuple[str, int, str, str]) -> tuple[pa.RecordBatch, pa.Int64Array]:
    """Rows of (id, ts, what scored sentiment, what scored toxicity)."""
    ids, times, sentiment, toxicity = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "event_id": ids,
        "model_sentiment": sentiment,
        "model_toxicity": toxicity,
        "model_stance": [""] * len(ids),
    }
    return pa.RecordBatch.from_pydict(columns), pa.array(times, pa.int64())


def ids(of: Identity) -> tuple[bytes, bytes]:
    """As they are sent."""
    return of.trace.to_bytes(16, "big"), of.span.to_bytes(8, "big")


def test_a_span_for_each_model(receiver: Receiver, tmp_path: Path) -> None:
    """Batches are added up; a kind on a timeline links to its steps, another one to its model; no model, no span."""
    write_timeline(tmp_path, "sentiment", TimelineFile(((0, OLD), (100, NEW), (200, OLD)), 0, 5_000))
    selection = Selection(options={"sentiment": {"timeline": str(tmp_path)}})
    scored = ScoredSpans.of(selection)
    scored.observe(*batch(("e1", 98, OLD, OTHER), ("e2", 99, OLD, "abstained:de"), ("e3", 100, NEW, "")))
    scored.observe(*batch(("e4", 97, OLD, OTHER)))
    scored.tell()
    scored.tell()
    scored.observe(*batch(("e5", 201, OLD, f"{OTHER}:shed")))
    scored.tell()
    assert flush()
    first, second, third = receiver.named("score sentiment")
    assert first.attributes == {
        "echopulse.task": "sentiment",
        "echopulse.model.digest": [OLD],
        "echopulse.events": 3,
        "echopulse.event.first_id": "e1",
        "echopulse.event.first_ms": 97,
        "echopulse.event.last_ms": 99,
    }
    assert [span.links for span in (first, second, third)] == [
        [ids(of_promotion("sentiment", digest, from_ms))] for digest, from_ms in ((OLD, 0), (NEW, 100), (OLD, 200))
    ]
    both = receiver.named("score toxicity")
    assert [(span.attributes["echopulse.events"], span.links) for span in both] == [
        (2, [ids(of_model(OTHER))]),
        (1, [ids(of_model(OTHER))]),
    ]
    assert receiver.named("score stance") == []


def test_they_are_told_after_a_while(receiver: Receiver, tmp_path: Path) -> None:
    """By a batch, with no call of its own; a timeline that cannot be read links to the model."""
    scored = ScoredSpans({"sentiment": tmp_path}, every_s=0.0)
    scored.observe(*batch(("e1", 98, OLD, "")))
    assert flush()
    (span,) = receiver.named("score sentiment")
    assert span.links == [ids(of_model(OLD))]
