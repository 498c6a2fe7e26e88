"""What becomes of a run where MLflow is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack, Tracking
from echopulse.stack import run_file
from echopulse.stack.processes import own_record
from echopulse.stack.run_file import Absence
from echopulse.tracking.publish import open_server, outbox, publish, recorded
from echopulse.tracking.record import RunRecord, read_record
from echopulse.tracking.server import MlflowAwayError
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


def test_an_mlflow_that_is_being_installed_loses_nothing(tmp_path: Path) -> None:
    """The runs wait for it as long as the `up` that installs it lives; one that failed is none."""
    settings = Settings(home=tmp_path)
    ours = own_record(tmp_path)
    for absence, told in (
        (
            Absence("mlflow", "fetching", "being installed", ours),
            "MLflow is not there yet: being installed; the run is",
        ),
        (Absence("mlflow", "failed", "no index", ours), "not tracked: no MLflow is named"),
        (Absence("mlflow", "fetching", "x", replace(ours, created=1.0)), "not tracked: no MLflow is named"),
    ):
        run_file.write(tmp_path / "run", [], [absence])
        lines: list[str] = []
        publish(settings, [RunRecord("train", "t")], lines.append)
        assert lines[0].startswith(told)
    assert len(outbox(settings).waiting()) == 1


def test_where_its_own_mlflow_is_away_a_line_says_what_tells_more(tmp_path: Path) -> None:
    """`status` knows nothing of another's."""
    own = Settings(home=tmp_path, stack=EmbeddedStack(mlflow_port=1))
    other = Settings(home=tmp_path, tracking=Tracking(uri="http://127.0.0.2:1"))
    for settings, told in ((own, True), (other, False)):
        with open_server(settings) as server, pytest.raises(MlflowAwayError) as away:
            server.get("runs/get")
        assert ("`echopulse status` tells how it is" in str(away.value)) == told


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
