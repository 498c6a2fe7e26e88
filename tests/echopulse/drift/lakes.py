"""A lake of analysed chat whose words and mood change from one day to the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import EVENT
from schemas.avro_columns import encode_analysis
from schemas.codec import encode_events
from transforms.analysis import Analyser

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime(2026, 1, 31, tzinfo=UTC)
CALM = ("good", "nice", "game", "play", "today", "thanks", "friend", "well", "played", "fun", "love", "win")
ANGRY = ("idiot", "stupid", "hate", "worst", "trash", "kill", "ugly", "shut", "loser", "moron", "awful", "lose")


def write_day(lake: Path, day: datetime, words: tuple[str, ...], rows: int) -> None:
    """Write a day of events, an hour of them after the other, and one that has no text."""
    random = np.random.default_rng(day.toordinal())
    texts = [" ".join(random.choice(words, random.integers(3, 9))) for _ in range(rows)]
    analyser = Analyser({})
    analyser.open()
    for hour in range(24):
        at = day + timedelta(hours=hour)
        own = [("message", text) for text in texts[hour::24]] + ([("join", "")] if hour == 0 else [])
        events = pa.RecordBatch.from_pylist(
            [
                {
                    "id": f"{at:%d-%H}-{place}",
                    "ts": at + timedelta(seconds=place),
                    "source": "twitch",
                    "channel_id": f"c{place % 3}",
                    "user_id": "u",
                    "raw_payload": b"{}",
                    "metadata": [("kind", kind), ("text", text)],
                }
                for place, (kind, text) in enumerate(own)
            ],
            schema=EVENT,
        )
        values, times = encode_events(events), events.column("ts").cast(pa.int64())
        analysed = analyser.analyse(values, times)
        # Flink writes nanoseconds without a zone.
        ts = events.column("ts").cast(pa.timestamp("ns", "UTC")).cast(pa.timestamp("ns"))
        table = pa.table({"ts": ts, "event": values, "result": encode_analysis(analysed, times)})
        folder = lake / "events" / f"date={at:%Y-%m-%d}" / f"hour={at:%H}"
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part-0.parquet")
