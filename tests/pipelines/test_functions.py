"""The job's Python functions, called as PyFlink's worker calls them."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from features.machinery.connection import OnlineStoreSettings
from features.machinery.view_spec import Column, ViewSchema
from pipelines.functions import EXCHANGED_ROW, Analyse, WriteOnline, exchanged_row, row_schema
from schemas.arrow import EVENT, EXCHANGED
from schemas.avro import decode_analysis, decode_shadow
from schemas.codec import encode_events
from transforms.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VIEW = ViewSchema("channel_1m", (Column("channel_id", "string"),), (Column("message_count", "int64"),))
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


@pytest.fixture(scope="module")
def analyse() -> Iterator[Analyse]:
    """Yield the analysis pass with its models loaded."""
    function = Analyse(Selection())
    function.open(None)
    yield function
    function.close()


def _values(*rows: dict[str, Any]) -> list[bytes]:
    row = {"source": "t", "channel_id": "c", "user_id": "u", "raw_payload": b'{"text": "hi"}', "ts": MOMENT}
    batch = pa.RecordBatch.from_pylist(
        [{**row, "metadata": [("kind", "message")], **more} for more in rows], schema=EVENT
    )
    values: list[bytes] = encode_events(batch).to_pylist()
    return values


def test_a_row_comes_out_for_each_record_readable_or_not(analyse: Analyse) -> None:
    """In order, with stage and reason for the bad one, and the result as the bytes that go to Kafka."""
    values = pd.Series([*_values({"id": "a"}), b"\xff\xff", *_values({"id": "b"})])
    times = pd.Series([pd.Timestamp(MOMENT)] * 3)
    rows = pa.array(analyse.eval(values, times).array).to_pylist()
    assert [row["event_id"] for row in rows] == ["a", "", "b"]
    assert [row["stage"] for row in rows] == ["", "decode", ""]
    assert rows[1]["reason"]
    result = decode_analysis(rows[0][EXCHANGED.names[-1]])
    assert (result["event_id"], result["channel_id"], result["ts"]) == ("a", "c", MOMENT)


def test_the_declared_row_is_the_one_that_comes_out(analyse: Analyse) -> None:
    """Names and number of columns as Flink was told."""
    out = pa.array(analyse.eval(pd.Series(_values({"id": "a"})), pd.Series([pd.Timestamp(MOMENT)])).array)
    assert [field.name for field in out.type] == EXCHANGED_ROW.field_names() == EXCHANGED.names


def test_what_is_said_in_shadow_comes_along(tmp_path: Path) -> None:
    """A list of Avro datums a record, empty where there is nothing to say."""
    source = (
        "import pyarrow as pa\nfrom transforms.strategy import Strategy\n"
        'class Own(Strategy):\n    kind, name, type = "cluster", "own", pa.string()\n'
        '    def analyze(self, batch):\n        return batch["text"]\n'
    )
    (tmp_path / "own.py").write_text(source)
    # As the job's client sends it to the workers.
    sent = pickle.dumps(Analyse(Selection(paths=(tmp_path,), shadow={"cluster": ("own",)})))
    function = pickle.loads(sent)  # noqa: S301 - bytes of our own
    function.open(None)
    values = [*_values({"id": "a"}), b"\xff"]
    rows = pa.array(function.eval(pd.Series(values), pd.Series([pd.Timestamp(MOMENT)] * 2)).array)
    assert [field.name for field in rows.type] == exchanged_row(function.schema).field_names()
    (said,), nothing = rows.field("shadow").to_pylist()
    assert nothing == []
    assert {name: decode_shadow(said)[name] for name in ("event_id", "strategy", "label", "ts")} == {
        "event_id": "a",
        "strategy": "own",
        "label": "hi",
        "ts": MOMENT,
    }
    function.close()


def test_a_views_rows_are_keys_features_and_time() -> None:
    """In this order, typed."""
    assert row_schema(VIEW) == pa.schema(
        [
            ("channel_id", pa.string()),
            ("message_count", pa.int64()),
            ("event_timestamp", pa.timestamp("ms", "UTC")),
        ]
    )


class _Kept:
    """In the place of the online writer: keeps what it is given."""

    batch: pa.RecordBatch

    def write(self, view: ViewSchema, batch: pa.RecordBatch) -> int:
        del view
        self.batch = batch
        return int(batch.num_rows)


def test_a_literal_is_written_in_every_row() -> None:
    """PyFlink passes a value that is the same in all rows alone, a missing one as None."""
    features = (Column("count", "int64"), Column("mean", "float64"), Column("top", "string"))
    function, kept = WriteOnline(ViewSchema("talk", VIEW.join_keys, features), OnlineStoreSettings()), _Kept()
    function._writer = kept  # type: ignore[assignment]
    stamps = pd.Series([pd.Timestamp(MOMENT)] * 2)
    assert len(function.eval(pd.Series(["a", "b"]), 0, None, "[]", stamps)) == 2
    assert kept.batch.to_pylist() == [
        {"channel_id": name, "count": 0, "mean": None, "top": "[]", "event_timestamp": MOMENT} for name in "ab"
    ]


def test_the_writer_is_no_pure_function() -> None:
    """The planner may neither drop nor repeat it; before open() it has no connection to write on."""
    writer = WriteOnline(VIEW, OnlineStoreSettings())
    assert not writer.is_deterministic()
    with pytest.raises(RuntimeError, match="channel_1m was called before open"):
        writer.eval(pd.Series(["c"]), pd.Series([1]), pd.Series([pd.Timestamp(MOMENT)]))
    writer.close()
