"""Texts that all differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.distinct_texts import distinct_texts, first_of_each
from bench.simulated import EventClock, events

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_of_each() -> None:
    """Where a text stands first; empty ones nowhere."""
    assert first_of_each(pa.array(["b", "", "a", "b", "a", "c"])).tolist() == [0, 2, 5]


def test_without_a_file_the_simulator(tmp_path: Path) -> None:
    """As many as asked for, and said so; a part of them is a part of each column."""
    texts = distinct_texts(50, tmp_path / "none.parquet")
    assert len(pc.unique(texts.normalised)) == len(texts.written) == texts.events.num_rows == 50
    assert texts.said.startswith("texts of the simulator (there is no ")
    part = texts.part(10, 5)
    assert part.normalised == texts.normalised.slice(10, 5)
    assert part.events.num_rows == 5


def test_from_a_file(tmp_path: Path) -> None:
    """A recording's own texts; fewer where it has no more."""
    rows = [
        {
            "id": f"{place:08}",
            "ts": 1_767_225_600_000 + place,
            "source": "twitch",
            "channel": "c",
            "user": "u",
            "raw": f'{{"text": "{text}"}}',
        }
        for place, text in enumerate(["hello there", "bye now", "hello there"])
    ]
    table = pa.Table.from_pylist(rows)
    table = table.set_column(1, "ts", table["ts"].cast(pa.timestamp("ms", "UTC")))
    pq.write_table(table, tmp_path / "recording.parquet")
    texts = distinct_texts(10, tmp_path / "recording.parquet")
    assert texts.said == "real tweets"
    assert texts.written.to_pylist() == ["hello there", "bye now"]


def test_the_simulator_repeats_itself() -> None:
    """Which is why the texts of its events are sorted out."""
    (batch, *_) = events(2_000, EventClock.hours_ago(60_000).start_ms, seed=1)
    assert batch.num_rows > len(pc.unique(batch.column("raw_payload")))
