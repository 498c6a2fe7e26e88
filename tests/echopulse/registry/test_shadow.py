"""What is told of a model beside the champion."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from echopulse.cli.registry_judge import shadow_lines
from echopulse.registry.shadow import compare, seen_in_shadow, wait_for_events
from echopulse.settings import Settings
from echopulse.settings_sections import Kafka, Lake
from schemas.arrow import EVENT
from schemas.codec import encode_events
from tests.echopulse.registry.gates.test_shadow import produce

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OWN, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NEW_YEAR_MS = 1_767_225_600_000


def test_a_model_beside_the_champion(bootstrap: str, tmp_path: Path) -> None:
    """Agreement, labels, what would have been done, cost, and events to look at; those of an older schema are none."""
    said = [("toxic", "toxic"), ("toxic", "not_toxic"), ("not_toxic", "toxic"), ("not_toxic", "not_toxic")]
    produce(bootstrap, [("toxicity", OWN, own, active) for own, active in said])
    produce(bootstrap, [("toxicity", OTHER, "toxic", "not_toxic"), ("sentiment", OWN, "neutral", "positive")])
    produce(bootstrap, [("toxicity", OWN, "toxic", "not_toxic")], header="0123456789abcdef")
    settings = Settings(home=tmp_path, kafka=Kafka(bootstrap=bootstrap))
    document = compare(settings, "hate", OWN, 100).document()
    sample = {"channel_id": "c", "ts_ms": NEW_YEAR_MS, "champion_score": 0.5, "model_score": 0.5}
    assert document == {
        "kind": "toxicity",
        "digest": OWN,
        "events": 4,
        "agreement": 0.5,
        "since_ms": NEW_YEAR_MS,
        "until_ms": NEW_YEAR_MS,
        "labels": [
            {"champion": "not_toxic", "model": "not_toxic", "events": 1},
            {"champion": "not_toxic", "model": "toxic", "events": 1},
            {"champion": "toxic", "model": "not_toxic", "events": 1},
            {"champion": "toxic", "model": "toxic", "events": 1},
        ],
        "would_have_actioned": {"champion": 2, "model": 2, "both": 1},
        "ms_per_thousand": {"champion": 2.0, "model": 3.0},
        "samples": [
            {"event_id": "2", "champion": "toxic", "model": "not_toxic", **sample},
            {"event_id": "1", "champion": "not_toxic", "model": "toxic", **sample},
        ],
    }
    new_year = "2026-01-01 00:00:00.000 UTC"
    assert shadow_lines(document) == [
        f"in shadow: agrees with the champion on 50.0 % of 4 events, {new_year} to {new_year}",
        "  3.00 ms a thousand texts, the champion 2.00",
        "  would have actioned 2, the champion 2, both 1",
        "         1  champion not_toxic, it toxic",
        "         1  champion toxic, it not_toxic",
        "  2 in c: champion toxic 0.50, it not_toxic 0.50",
        "  1 in c: champion not_toxic 0.50, it toxic 0.50",
    ]


def test_samples_have_their_texts(bootstrap: str, tmp_path: Path) -> None:
    """As far as the lake has them; where it cannot be read, it is told why."""
    produce(bootstrap, [("toxicity", OWN, "toxic", "not_toxic")] * 2)
    kafka = Kafka(bootstrap=bootstrap)
    rows = [
        {
            "id": "1",
            "ts": datetime(2026, 1, 31, tzinfo=UTC),
            "source": "s",
            "channel_id": channel,
            "user_id": "u",
            "raw_payload": b"{}",
            "metadata": [("text", f"in\n{channel}")],
        }
        for channel in ("c", "other")
    ]
    events = encode_events(pa.RecordBatch.from_pylist(rows, schema=EVENT))
    hour = tmp_path / "events" / "date=2026-01-31" / "hour=00"
    hour.mkdir(parents=True)
    pq.write_table(pa.table({"event_id": ["1", "1"], "event": events}), hour / "part-0.parquet")
    seen = seen_in_shadow(Settings(kafka=kafka, lake=Lake(path=str(tmp_path))), "toxicity", OWN, 10)
    assert [(one["event_id"], one["text"]) for one in seen["samples"]] == [("1", "in\nc"), ("0", None)]
    assert shadow_lines(seen)[-2:] == [
        "  1 in c: champion not_toxic 0.50, it toxic 0.50: in c",
        "  0 in c: champion not_toxic 0.50, it toxic 0.50",
    ]
    (hour / "part-0.parquet").write_bytes(b"PAR1")
    seen = seen_in_shadow(Settings(kafka=kafka, lake=Lake(path=str(tmp_path))), "toxicity", OWN, 10)
    assert [one["text"] for one in seen["samples"]] == [None, None]
    assert shadow_lines(seen)[-1].startswith(f"  their texts are unknown: {hour}/")


def test_the_newest_are_compared_and_none_is_told(bootstrap: str, tmp_path: Path) -> None:
    """As many as are wanted; of a kind that leads to no action none is counted; nothing at all is a line."""
    produce(bootstrap, [("sentiment", OWN, "negative", "positive"), ("sentiment", OWN, "positive", "positive")])
    settings = Settings(home=tmp_path, kafka=Kafka(bootstrap=bootstrap))
    newest = compare(settings, "sentiment", OWN, 1).document()
    assert (newest["events"], newest["agreement"], newest["would_have_actioned"]) == (1, 1.0, None)
    assert len(shadow_lines(newest)) == 2
    nothing = compare(settings, "sentiment", OTHER, 10).document()
    assert (nothing["events"], nothing["agreement"]) == (0, 0.0)
    assert shadow_lines(nothing) == ["in shadow: it has scored no event"]


def test_it_is_waited_until_there_are_enough(bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at again after a pause, and not beyond the seconds that are given."""
    settings = Settings(home=tmp_path, kafka=Kafka(bootstrap=bootstrap))
    produce(bootstrap, [("sentiment", OWN, "negative", "positive")])
    assert not wait_for_events(settings, "sentiment", OWN, 2, 0.0)
    pauses: list[float] = []

    def passes(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            produce(bootstrap, [("sentiment", OWN, "negative", "positive")])

    monkeypatch.setattr(time, "sleep", passes)
    assert wait_for_events(settings, "sentiment", OWN, 2, 1_000.0)
    assert len(pauses) == 2
    assert all(pause >= 2.0 for pause in pauses)
