"""Agreement on live events, read from a topic."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import fastavro
import pytest
from confluent_kafka import Producer

from echopulse.registry.gates.gate import Case
from echopulse.registry.gates.shadow import ShadowAgreement
from echopulse.settings import Settings
from echopulse.settings_sections import Kafka
from schemas import avro
from schemas.errors import EchoPulseError
from schemas.topics import SHADOW
from transforms.artifact import SHIPPED
from transforms.loading import load_model

if TYPE_CHECKING:
    from pathlib import Path

_WAIT_S = 30


def produce(bootstrap: str, said: list[tuple[str, str, str, str]], header: str = "") -> None:
    """Write records of (kind, model, label, active label), of another schema where `header` names one."""
    written = header or avro.fingerprint("shadow_result")
    producer = Producer({"bootstrap.servers": bootstrap})
    for place, (kind, model, label, active) in enumerate(said):
        record = {
            "event_id": str(place),
            "kind": kind,
            "strategy": "challenger",
            "model": model,
            "label": label,
            "score": 0.5,
            "active_label": active,
            "active_score": 0.5,
            "ts": datetime(2026, 1, 1, tzinfo=UTC),
            "channel_id": "c",
            "microseconds": 3.0,
            "active_microseconds": 2.0,
        }
        datum = io.BytesIO()
        fastavro.schemaless_writer(datum, avro.schema("shadow_result"), record)
        producer.produce(SHADOW, datum.getvalue(), partition=0, headers={"schema": written})
    assert producer.flush(_WAIT_S) == 0


def test_the_newest_events_decide(bootstrap: str, tmp_path: Path) -> None:
    """Other kinds and other models are passed over; a model that has not scored enough cannot be judged."""
    model = load_model(SHIPPED / "default")
    old = [("sentiment", model.digest, "negative", "positive")] * 5
    others = [("toxicity", model.digest, "toxic", "not_toxic"), ("sentiment", "sha256:0", "neutral", "positive")]
    new = [("sentiment", model.digest, "positive", "positive")] * 3 + [
        ("sentiment", model.digest, "neutral", "positive")
    ]
    produce(bootstrap, old + others + new)
    settings = Settings(home=tmp_path, kafka=Kafka(bootstrap=bootstrap))
    case = Case("sentiment", model, SHIPPED / "default", None, tmp_path, settings)
    found = ShadowAgreement(events=4, least=0.75).check(case)
    assert found.passed
    assert found.numbers == {"agreement": 0.75, "events": 4.0}
    found = ShadowAgreement(events=9, least=0.75).check(case)
    assert not found.passed
    assert found.told == "agrees on 33.3 % of 9 events; 75 % are wanted"
    with pytest.raises(EchoPulseError) as error:
        ShadowAgreement(events=10, least=0.75).check(case)
    assert str(error.value) == (
        f"social.shadow holds 9 events that {model.digest[:19]} scored of sentiment "
        "(10 are wanted; let it score in shadow for longer)"
    )
