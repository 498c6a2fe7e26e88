"""What a watcher knows survives: one that goes on from its file finds what one that never stopped finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from echopulse.drift.alerts import record
from echopulse.drift.decoding import result_columns
from echopulse.drift.state import load, save
from echopulse.drift.watcher import Watcher
from schemas.avro_columns import encode_analysis
from schemas.errors import EchoPulseError
from transforms.drift_monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OFFSETS = {"social.events": {0: 5}, "social.analysis": {0: 7, 3: 9}}


@pytest.mark.parametrize("stops", [[30], [950], [1_050, 1_740], [1_730, 1_850, 1_990]])
def test_going_on_is_as_never_having_stopped(
    tmp_path: Path,
    make_watcher: Callable[[], Watcher],
    results: Callable[..., pa.RecordBatch],
    texts: Callable[..., pa.RecordBatch],
    stops: list[int],
) -> None:
    """While learning, within a pane, and while a drift is under way."""
    stream = result_columns(
        [
            *encode_analysis(results(1_700, 0.2), times(0, 1_700)).to_pylist(),
            *encode_analysis(results(600, 0.7, 2), times(1_700, 2_300)).to_pylist(),
        ]
    )
    whole = make_watcher()
    whole.events(texts("good game", "well played"))
    expected = whole.results(stream)
    assert {each.key.measure for each in expected} == {"toxicity"}
    path, found, done = tmp_path / "drift" / "state.json", [], 0
    watcher = make_watcher()
    watcher.events(texts("good game", "well played"))
    for stop in [*stops, len(stream)]:
        found += watcher.results(stream.slice(done, stop - done))
        save(path, watcher, OFFSETS)
        watcher, done = make_watcher(), stop
        assert load(path, watcher) == OFFSETS
    # Sums of parts differ in their last digit: records are rounded, all but the probability.
    told, wanted = ([record(each) | {"probability": 0} for each in drifts] for drifts in (found, expected))
    assert told == wanted
    assert watcher.words.hashes.tolist() == whole.words.hashes.tolist()
    assert watcher.words.texts == 2


def times(start: int, stop: int) -> pa.Int64Array:
    """Times a ms apart."""
    return pa.array(range(start, stop))


def test_no_file_is_a_beginning(tmp_path: Path, make_watcher: Callable[[], Watcher]) -> None:
    """Nothing is known, and nothing was read."""
    assert load(tmp_path / "none.json", make_watcher()) == {}


def test_other_settings_are_refused(tmp_path: Path, make_watcher: Callable[[], Watcher]) -> None:
    """A baseline of other panes would mean something else."""
    path = tmp_path / "state.json"
    save(path, make_watcher(), {})
    other = make_watcher()
    other = Watcher(Monitor(replace(other.monitor.rules, pane_events=7)), other.words)
    told = rf"^drift: the baselines in {path} were learnt under other settings \(remove the file to learn anew\)$"
    with pytest.raises(EchoPulseError, match=told):
        load(path, other)


@pytest.mark.parametrize("text", ["", "[]", '{"rules": 1}'])
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, make_watcher: Callable[[], Watcher], text: str) -> None:
    """It is named, with what to do."""
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(EchoPulseError, match=r"is unreadable: .*\(remove the file to learn anew\)$"):
        load(path, make_watcher())


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path, make_watcher: Callable[[], Watcher]) -> None:
    """With the file."""
    (tmp_path / "drift").write_text("")
    with pytest.raises(EchoPulseError, match=r"^drift: cannot write .*state\.json: "):
        save(tmp_path / "drift" / "state.json", make_watcher(), {})
