"""Searches on texts of our own."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.trial import TrialState

from echopulse.tracking.record import RunRecord
from echopulse.tracking.search_run import note_search, trial_records
from echopulse.training import bag
from echopulse.training.search import Search, opened, recipe_of, search, suggested, trial_id
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def _ignore(line: str) -> None:
    del line


def test_two_workers_a_resumed_study_and_its_runs(data: Path, tmp_path: Path) -> None:
    """All trials that were asked for are there; the same study goes on; every trial is a nested run."""
    order = Search("mood", ("sentiment",), data, tmp_path / "studies", trials=3, workers=2)
    study = search(order, _ignore)
    assert len(study.trials) == 3
    # Broken off: a trial is left as a killed worker leaves it.
    left = opened(order).ask()
    said: list[str] = []
    study = search(Search("mood", ("sentiment",), data, tmp_path / "studies", trials=4), said.append)
    assert said == ["study mood: 1 trials to go, 1 at once"]
    states = [trial.state for trial in study.trials]
    assert states[left.number] is TrialState.FAIL
    assert sum(state in {TrialState.COMPLETE, TrialState.PRUNED} for state in states) == 4
    said.clear()
    assert len(search(order, said.append).trials) == 5
    assert said == []
    assert set(recipe_of(study.best_trial)) <= set(bag.Recipe.__dataclass_fields__)
    assert not multiprocessing.active_children()

    record = RunRecord("tune", "tune mood")
    note_search(record, study)
    nested = trial_records(study, record)
    assert record.files.keys() == {"search.png", "trials.json"}
    assert [one.parent for one in nested] == [record.id] * 5
    assert [one.id for one in trial_records(study, RunRecord("tune", "again"))] == [one.id for one in nested]
    assert nested[left.number].status == "FAILED"
    whole = nested[study.best_trial.number]
    assert [metric.step for metric in whole.metrics if metric.name == "mean"] == list(
        range(1, int(whole.params["epochs"]) + 1)
    )


def test_a_study_of_something_else_is_refused(data: Path, tmp_path: Path) -> None:
    """Other files would make its trials incomparable."""
    search(Search("one", ("hate",), data, tmp_path, trials=1), _ignore)
    with pytest.raises(EchoPulseError) as error:
        search(Search("one", ("sentiment",), data, tmp_path, trials=2), _ignore)
    assert str(error.value) == (
        "study one has searched on other files, for other tasks or with another seed (--study names another)"
    )


def test_no_data(tmp_path: Path) -> None:
    """It is told before any worker is started."""
    with pytest.raises(EchoPulseError, match="has no val rows for hate"):
        search(Search("one", ("hate",), tmp_path, tmp_path, trials=1), _ignore)


def test_only_what_matters_is_searched() -> None:
    """A task alone has no repeats, and only stance has texts off its subject."""
    trial = optuna.create_study().ask()
    assert set(suggested(trial, ["sentiment"])) == {"rate", "epochs", "evenness", "chat_per_thousand"}
    assert {"repeats", "off_topic"} < set(suggested(trial, ["sentiment", "stance"]))


def test_ids_of_trials_differ() -> None:
    """By number and by study."""
    study = optuna.create_study(study_name="a")
    study.set_user_attr("asked", "x")
    assert len({trial_id(study, number) for number in range(50)}) == 50
