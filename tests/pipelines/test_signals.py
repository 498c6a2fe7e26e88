from __future__ import annotations

from pathlib import Path

import pytest

from features.machinery.connection import OnlineStoreSettings
from features.machinery.view_spec import Column, CompiledView, ViewSchema
from pipelines.config import LakeSettings, SignalsConfig
from pipelines.signals import Job, build

_GOLDEN = Path(__file__).parent / "golden"
_VIEW = CompiledView(
    ViewSchema(
        "channel_1m",
        (Column("channel_id", "string"),),
        (Column("message_count", "int64"), Column("mean_toxicity", "float64")),
    ),
    "SELECT channel_id, message_count, mean_toxicity, event_timestamp FROM windows",
    60_000,
    10_000,
    silence="SELECT channel_id, 0 AS message_count, CAST(NULL AS DOUBLE) AS mean_toxicity, event_timestamp FROM silent",
)


def _job(**changes: object) -> Job:
    config = {
        "kafka_bootstrap": "kafka:9092",
        "lake": LakeSettings("s3://bucket/lake/"),
        "online_store": OnlineStoreSettings(),
        "strategies": {},
    }
    return build(SignalsConfig(**(config | changes)), [_VIEW])  # type: ignore[arg-type]


def test_statements_are_the_golden_ones() -> None:
    """The job's SQL is what was reviewed; write the file anew when a change is meant."""
    job = _job()
    text = "".join(f"{statement};\n\n" for statement in (*job.definitions, *job.inserts))
    assert text == (_GOLDEN / "signals.sql").read_text(encoding="utf-8")


def test_only_one_statement_calls_the_analysis() -> None:
    """Events are analysed in one place."""
    job = _job()
    assert sum("analyse(" in statement for statement in (*job.definitions, *job.inserts)) == 1


def test_without_the_crowd_nothing_of_it_is_left() -> None:
    """No digest, no window, no sink."""
    job = _job(crowd_pane_ms=0)
    text = "".join((*job.definitions, *job.inserts))
    assert "crowd" not in text
    assert "digest" not in text


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
def test_delivery_is_that_of_all_kafka_sinks(delivery: str) -> None:
    """Results, dead letters and what is told of the crowd are written under the mode that was asked for."""
    statements = "".join(_job(delivery=delivery).definitions)
    assert statements.count(f"'sink.delivery-guarantee' = '{delivery}'") == 4


def test_shadow_costs_nothing_where_there_is_none() -> None:
    """Column, sink and statement are there only where a strategy runs in shadow; the rest of the job is the same."""
    plain, shadowed = _job(), _job(shadow={"toxicity": ("mine",)})
    assert "shadow" not in "".join((*plain.definitions, *plain.inserts))
    more = [statement for statement in shadowed.inserts if statement not in plain.inserts]
    assert more == [(_GOLDEN / "shadow.sql").read_text(encoding="utf-8").strip()]
    assert sum("'topic' = 'social.shadow'" in statement for statement in shadowed.definitions) == 1
    assert sum("analyse(" in statement for statement in (*shadowed.definitions, *shadowed.inserts)) == 1
