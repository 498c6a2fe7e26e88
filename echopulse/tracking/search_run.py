"""A search as runs: one for the search, and one nested in it for each trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from echopulse.tracking.pictures import search_picture
from echopulse.tracking.record import Metric, RunRecord
from echopulse.training.search import recipe_of, trial_id

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

_ENDED = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}


def note_search(record: RunRecord, study: optuna.Study) -> None:
    """Take down how the search went: its best trial, all of them as a table, and a picture."""
    trials = study.get_trials(deepcopy=False)
    best = study.best_trial
    record.measure({"best": study.best_value, "trials": len(trials)})
    record.parameters(study=study.study_name, best_trial=best.number)
    record.parameters(**{f"best.{name}": value for name, value in recipe_of(best).items()})
    values = {trial.number: trial.value for trial in trials if trial.state is TrialState.COMPLETE}
    pruned = {
        trial.number: trial.intermediate_values[trial.last_step]
        for trial in trials
        if trial.state is TrialState.PRUNED and trial.last_step is not None
    }
    whole = {number: value for number, value in values.items() if value is not None}
    record.files["search.png"] = search_picture(whole, pruned, f"search {study.study_name}")
    table = [
        {"number": trial.number, "state": trial.state.name, "value": trial.value, "params": trial.params}
        for trial in trials
    ]
    record.files["trials.json"] = json.dumps(table, indent=1).encode()


def trial_records(study: optuna.Study, parent: RunRecord) -> list[RunRecord]:
    """Return a nested run for each trial that has ended, with its mean metric after each epoch."""
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state in _ENDED]
    return [_trial(study, parent, trial) for trial in ended]


def _trial(study: optuna.Study, parent: RunRecord, trial: FrozenTrial) -> RunRecord:
    times = trial.datetime_start, trial.datetime_complete
    begun, ended = (0 if at is None else round(at.timestamp() * 1_000) for at in times)
    record = RunRecord(
        "trial",
        f"trial {trial.number}",
        id=trial_id(study, trial.number),
        parent=parent.id,
        # A run that waits is sent in the order of its beginning, and the search must be there before its trials.
        began_ms=max(begun, parent.began_ms + 1),
        ended_ms=ended,
        status=_ENDED[trial.state],  # type: ignore[arg-type]
        tags={"echopulse.study": study.study_name, "echopulse.state": trial.state.name.lower()},
    )
    record.parameters(**recipe_of(trial))
    record.metrics = [Metric("mean", value, step, ended) for step, value in sorted(trial.intermediate_values.items())]
    record.metrics += [Metric(name, value, 0, ended) for name, value in trial.user_attrs.get("quality", {}).items()]
    return record
