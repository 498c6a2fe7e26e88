"""`echopulse run`: what it refuses, its simulator, and how it tells its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import FAILED, WRONG_USAGE, main
from echopulse.cli.run import Simulator, _told
from echopulse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--rate", "0"], WRONG_USAGE, "--rate 0 is not a number of events a second"),
        (["--rate", "-3"], WRONG_USAGE, "-3"),
        (["--seconds", "x"], WRONG_USAGE, 'unable to convert "x"'),
        (["--config", "gone.yaml"], FAILED, "gone.yaml: no such settings file"),
    ],
)
def test_what_cannot_work_is_told_in_a_line_and_starts_nothing(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code, one line on stderr, no folder made."""
    monkeypatch.chdir(tmp_path)
    assert main(["run", *arguments]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_the_simulator_is_a_process_that_is_stopped_and_started_again(tmp_path: Path) -> None:
    """It ends with its owner, a restart is another process, and what they say lies in a file."""
    settings = Settings.model_validate({"home": tmp_path, "kafka": {"bootstrap": "127.0.0.1:1"}})
    simulator = Simulator(settings, 10)
    first = simulator.process
    simulator.restart()
    second = simulator.process
    simulator.stop()
    assert first.pid != second.pid
    assert first.returncode is not None
    assert second.returncode is not None
    assert simulator.log == tmp_path / "logs" / "simulator.log"
    assert simulator.log.is_file()


def test_the_end_is_told() -> None:
    """With the first live feature where there was one, and with what becomes of events that nobody read."""
    assert _told({}) == "stopped before any feature was live"
    outcome = {"live_after_s": 41.2, "events_in": 1_000, "analysed": 990, "channels": [{}, {}]}
    assert _told(outcome) == (
        "1,000 events in, 990 analysed (10 under way when it stopped, or heartbeats, repeats and dead letters); "
        "features live after 41 s, 2 channels\n"
        "what was under way lies in Kafka, and the next `up` or `run` goes on with it (`up --replay` passes it over)"
    )
    outcome |= {"events_in": 1, "analysed": 1, "channels": [{}]}
    assert _told(outcome) == "1 event in, 1 analysed; features live after 41 s, 1 channel"
