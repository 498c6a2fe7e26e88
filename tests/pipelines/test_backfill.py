"""The SQL of the job `backfill`, with the scores of the day and with others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from features.machinery.view_spec import Column, CompiledView, Panes, ViewSchema
from pipelines.backfill import BackfillConfig, build
from transforms.selection import Selection

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
    (Panes("panes_channel_id", "SELECT * FROM analysed"),),
)


def _text(selection: Selection | None = None) -> str:
    config = BackfillConfig(
        events="s3://bucket/lake/events",
        staging="s3://bucket/lake/_backfill/a",
        after=datetime(2026, 1, 31, tzinfo=UTC),
        until=datetime(2026, 1, 31, 7, 30, tzinfo=UTC),
        available_after_ms=5_000,
        selection=selection,
    )
    job = build(config, [_VIEW])
    return "".join(f"{statement};\n\n" for statement in (*job.definitions, *job.inserts))


def test_statements_are_the_golden_ones() -> None:
    """Both forms of the SQL are what was reviewed; write the files anew when a change is meant."""
    assert _text() == (_GOLDEN / "backfill.sql").read_text(encoding="utf-8")
    assert _text(Selection()) == (_GOLDEN / "backfill_anew.sql").read_text(encoding="utf-8")


def test_scores_of_the_day_need_no_analysis() -> None:
    """Without strategies nothing is analysed; with them, in one place."""
    assert "analyse(" not in _text()
    assert _text(Selection()).count("analyse(") == 1


def test_it_reads_one_longest_window_and_its_step_more_than_it_writes() -> None:
    """The first window's events begin before the span, in an hour of another day."""
    text = _text()
    assert "BETWEEN '2026-01-30/23' AND '2026-01-31/07'" in text
    assert "ts >= TIMESTAMP '2026-01-30 23:58:50.000' AND ts < TIMESTAMP '2026-01-31 07:30:00.000'" in text
