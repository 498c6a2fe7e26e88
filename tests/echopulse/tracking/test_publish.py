"""What becomes of a run where MLflow is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.settings import Settings
from echopulse.settings_sections import Tracking
from echopulse.tracking.publish import outbox, publish, recorded
from echopulse.tracking.record import RunRecord, read_record
from echopulse.tracking.source import code_version

if TYPE_CHECKING:
    from pathlib import Path


def test_without_any_mlflow_nothing_is_kept(tmp_path: Path) -> None:
    """Who has none is told once, and no folder fills up."""
    lines: list[str] = []
    settings = Settings(home=tmp_path)
    publish(settings, [RunRecord("train", "t")], lines.append)
    assert lines == ["not tracked: no MLflow is named in tracking.uri, and `up` runs none"]
    assert outbox(settings).waiting() == []


def test_an_mlflow_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """The runs wait in the home, and one line says so."""
    lines: list[str] = []
    settings = Settings(home=tmp_path, tracking=Tracking(uri="http://127.0.0.1:1"))
    publish(settings, [RunRecord("tune", "search"), RunRecord("trial", "trial 0")], lines.append)
    (line,) = lines
    assert line.startswith("MLflow at http://127.0.0.1:1 is away: ")
    assert line.endswith(f"; 2 runs are kept in {tmp_path / 'tracking'} and sent with the next one")
    assert {read_record(folder).name for folder in outbox(settings).waiting()} == {"search", "trial 0"}


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_that_fails_is_published_as_such(error: type[BaseException], status: str) -> None:
    """What ended it goes on, and is written down."""
    published: list[RunRecord] = []
    with pytest.raises(error), recorded("train", "t", published.append):
        raise error("no more")
    assert [record.status for record in published] == [status]
    assert published[0].tags["echopulse.error"] == f"{error.__name__}: no more"


def test_the_code_is_told() -> None:
    """Version and, in a repository, commit and whether files differ from it."""
    tags = code_version()
    assert tags["echopulse.version"]
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert tags["echopulse.changed"] in {"true", "false"}
