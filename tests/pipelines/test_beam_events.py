"""Events as Beam reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.lake.location import LakeLocation
from pipelines.beam_events import ORIGINAL, ROWS, ReadEvents, ScoreEvents
from schemas.arrow import EVENT
from schemas.codec import encode_events
from transforms.selection import Selection

if TYPE_CHECKING:
    from pathlib import Path

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
MOMENT_MS = round(MOMENT.timestamp() * 1000)


def read(path: Path, first_ms: int, until_ms: int, *, original: bool = False) -> list[pa.Table]:
    """The batches of a file."""
    function = ReadEvents(LakeLocation(str(path.parent)), first_ms, until_ms, 2, original=original)
    function.setup()
    return list(function.process(str(path)))


def encoded(*rows: dict[str, Any]) -> pa.Array:
    """Original events."""
    row = {
        "source": "t",
        "channel_id": "c",
        "user_id": "u",
        "raw_payload": b'{"text": "you stupid moron"}',
        "ts": MOMENT,
    }
    batch = pa.RecordBatch.from_pylist([{**row, "metadata": [("kind", "message")], **more} for more in rows], EVENT)
    return encode_events(batch)


def test_a_span_of_a_file_is_read(tmp_path: Path) -> None:
    """From its beginning, before its end; times as the job writes them, columns that an older file lacks are null."""
    path = tmp_path / "part-0"
    times = pa.array([MOMENT_MS + number for number in range(5)]).cast(pa.timestamp("ms")).cast(pa.timestamp("ns"))
    ids = pa.array([f"e{number}" for number in range(5)])
    pq.write_table(
        pa.table({"event_id": ids, "ts": times, "event": pa.array([b"x"] * 5)}),
        path,
        use_deprecated_int96_timestamps=True,
    )
    batches = read(path, MOMENT_MS + 1, MOMENT_MS + 4)
    assert [batch.column("event_id").to_pylist() for batch in batches] == [["e1"], ["e2", "e3"]]
    assert all(batch.schema == ROWS for batch in batches)
    assert batches[0].to_pylist()[0] == {
        **dict.fromkeys(ROWS.names),
        "stage": "",
        "reason": "",
        "event_id": "e1",
        "ts": MOMENT_MS + 1,
    }
    assert read(path, MOMENT_MS + 5, MOMENT_MS + 9) == []
    (original,) = read(path, MOMENT_MS + 4, MOMENT_MS + 5, original=True)
    assert original.schema == ORIGINAL
    assert original.to_pylist() == [{"event": b"x", "ts": MOMENT_MS + 4}]


def test_events_are_analysed_anew() -> None:
    """In order, as the stream analyses them: what cannot be has its stage."""
    values = pa.chunked_array([pa.concat_arrays([encoded({"id": "a"}), pa.array([b"\xff\xff"]), encoded({"id": "b"})])])
    function = ScoreEvents(Selection())
    function.setup()
    (rows,) = function.process(pa.table({"event": values, "ts": pa.array([MOMENT_MS] * 3)}))
    function.teardown()
    assert rows.column_names == ROWS.names
    assert rows.column("event_id").to_pylist() == ["a", "", "b"]
    assert rows.column("stage").to_pylist() == ["", "decode", ""]
    assert rows.column("toxicity").to_pylist()[0] > 0.5
    assert rows.column("ts").to_pylist() == [MOMENT_MS] * 3
