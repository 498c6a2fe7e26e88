from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from bench.row_analysis import RowAnalyser, result_datum
from bench.simulated import events
from schemas.avro_columns import encode_analysis
from schemas.codec import encode_events
from schemas.social_event_pb2 import SocialEvent
from transforms.analysis import Analyser

START_MS = 1_767_225_600_000
TEXTS = (
    "",
    "   ",
    "plain words",
    "SOOOO good!!!!! @some_user https://example.org/a?b=c www.example.org",
    "@a@b@c mail a@b.example #tag #123 $AMD $toolong $1 (@x)",
    "#BidenHarris met Taylor Swift in the USA, #messi too",
    "ﬀ Ⅷ ÀÉÎ İstanbul ẞ … “quoted” \u200bzero\u200bwidth",
    "❤️ 👍🏽 👩‍👩‍👧 🇩🇪🇫🇷 1️⃣ ok",
    "选举 на выборах انتخابات",
    "a" * 5_000,
)


@pytest.fixture(scope="module")
def by_columns() -> Analyser:
    """The vectorised pass, opened."""
    analyser = Analyser({})
    analyser.open()
    return analyser


@pytest.fixture(scope="module")
def by_rows() -> RowAnalyser:
    """The row-at-a-time pass, opened."""
    return RowAnalyser()


def _both(
    values: pa.BinaryArray, times: pa.Int64Array, by_columns: Analyser, by_rows: RowAnalyser
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    columns = by_columns.analyse(values, times).to_pylist()
    rows = [by_rows.analyse(value, at) for value, at in zip(values.to_pylist(), times.to_pylist(), strict=True)]
    return columns, rows


def test_simulated_events_come_out_equal(by_columns: Analyser, by_rows: RowAnalyser) -> None:
    """Row by row and by columns, the same events give the same rows and the same Avro."""
    for batch in events(3_000, START_MS, seed=4):
        values, times = encode_events(batch), batch.column("ts").cast(pa.int64())
        columns, rows = _both(values, times, by_columns, by_rows)
        assert rows == columns
        datums = [result_datum(row, at) for row, at in zip(rows, times.to_pylist(), strict=True)]
        assert datums == encode_analysis(by_columns.analyse(values, times), times).to_pylist()


def test_peculiar_texts_come_out_equal(by_columns: Analyser, by_rows: RowAnalyser) -> None:
    """Links, mentions, stretched words, emoji and scripts are told apart in the same way."""
    values = [_event(metadata={"kind": "message", "text": text}) for text in TEXTS]
    columns, rows = _both(pa.array(values, pa.binary()), pa.array([START_MS] * len(values)), by_columns, by_rows)
    assert rows == columns


def test_what_fails_does_so_at_the_same_stage(by_columns: Analyser, by_rows: RowAnalyser) -> None:
    """Broken events, faulty ones and heartbeats are refused where the vectorised pass refuses them."""
    values = [
        b"\xff\xff",
        _event(id=""),
        _event(channel_id=""),
        _event(raw_payload=b"no JSON"),
        _event(raw_payload=b"[1]"),
        _event(channel_id="", metadata={"kind": "heartbeat"}),
        _event(metadata={"kind": "join"}),
        _event(raw_payload=b'{"content": "from Discord"}'),
    ]
    times = pa.array([START_MS] * len(values))
    columns, rows = _both(pa.array(values, pa.binary()), times, by_columns, by_rows)
    assert [row | {"reason": ""} for row in rows] == [row | {"reason": ""} for row in columns]


def _event(**changes: Any) -> bytes:  # noqa: ANN401 - fields of the message
    fields = {"id": "e", "channel_id": "c", "user_id": "u", "source": "s", "raw_payload": b'{"text": "hello"}'}
    event = SocialEvent(**(fields | changes))
    event.ts.FromMilliseconds(START_MS)
    return event.SerializeToString()
