"""Files of events, read back by the replay's own readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.gateway.event_files import event_writer
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.replay_formats import FORMATS
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import simulate
from echopulse.gateway.source_file import source_file
from echopulse.gateway.validation import judge
from schemas.arrow import EVENT
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

START_MS = 1_700_000_000_000


def _written(path: Path) -> pa.Table:
    batches = list(simulate(load_scenario(), start_ms=START_MS, rate=5_000, events=5_000))
    with event_writer(str(path)) as writer:
        for batch in batches:
            writer.write(batch)
    return pa.Table.from_batches(batches, EVENT)


@pytest.mark.parametrize("name", ["events.jsonl", "events.parquet"])
def test_a_file_is_read_back_by_replay(tmp_path: Path, name: str) -> None:
    """Every event, field by field, without a dead letter."""
    path = tmp_path / name
    events = _written(path)

    file = source_file(path)
    judged = [judge(rows, name, TimeRange.around(START_MS)) for rows in FORMATS[file.form].read(file, {})]

    assert [part.letters for part in judged if part.letters] == []
    assert pa.Table.from_batches([part.events for part in judged], EVENT).to_pylist() == events.to_pylist()


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    """A failure leaves the old one, and no partial one."""
    path = tmp_path / "events.jsonl"
    path.write_text("old")

    with pytest.raises(RuntimeError), event_writer(str(path)):
        raise RuntimeError

    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("events.jsonl", "old")]


def test_standard_output_takes_lines(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """As JSONL."""
    with event_writer("-") as writer:
        writer.write(next(simulate(load_scenario(), start_ms=START_MS, events=3)))

    assert [orjson.loads(line)["source"] != "" for line in capfdbinary.readouterr().out.splitlines()] == [True] * 3


def test_parquet_has_the_names_of_the_json_form(tmp_path: Path) -> None:
    """So that a replay needs no column mapping."""
    _written(tmp_path / "events.parquet")

    assert pq.read_schema(tmp_path / "events.parquet").names == ["id", "ts", "source", "channel", "user", "raw", "meta"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jsnl", "did you mean '.jsonl'"), ("a.paquet", "did you mean '.parquet'"), ("a", "known: ")],
)
def test_another_ending_is_refused(name: str, expected: str) -> None:
    """With the near miss."""
    with pytest.raises(UsageError, match=expected), event_writer(name):
        pass


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """In one line."""
    with (
        pytest.raises(EchoPulseError, match="cannot be written: No such file"),
        event_writer(str(tmp_path / "x" / "a.jsonl")),
    ):
        pass
