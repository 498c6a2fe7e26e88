"""Cross-validation of a cascade's tuning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from echopulse.training import datasets, tuning_folds
from echopulse.training.bag import Recipe, fit
from echopulse.training.calibration import calibrated
from echopulse.training.cascade import ASKED_SHARES, threshold
from echopulse.training.evaluation import Asked, measured
from echopulse.training.folds import fold_of
from echopulse.training.heads import lay_out, load_all
from echopulse.training.remembered import remembered
from echopulse.training.tuning_folds import _plain, cross_calibrated, cross_validate_tuning
from schemas.errors import EchoPulseError
from transforms.artifact import Manifest, Stages, find_artifact
from transforms.cascade import Cascade
from transforms.decision import certainty
from transforms.loading import load_model
from transforms.model import TableModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from echopulse.training.heads import Head
    from transforms.model import Model

    Held = dict[str, datasets.Labelled]

TASKS = datasets.chosen_tasks(["sentiment", "toxicity", "stance"])


def _ignore(line: str) -> None:
    del line


@pytest.fixture(scope="module")
def held(data: Path) -> Held:
    """Validation rows, a part of them labelled by chance, so that models err."""
    found = load_all(data, TASKS, "val")
    generator = np.random.default_rng(5)
    return {
        name: replace(
            rows,
            labels=np.where(
                generator.random(len(rows.labels)) < 0.3,
                generator.integers(0, len(datasets.TASKS[name].labels), len(rows.labels)),
                rows.labels,
            ),
        )
        for name, rows in found.items()
    }


@pytest.fixture(scope="module")
def models(data: Path, held: Held, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """A model that has learnt little, and one that has learnt more."""
    folder = tmp_path_factory.mktemp("stages")
    examples = load_all(data, TASKS, "train")
    found = {}
    for epochs, name in ((1, "quick"), (4, "strong")):
        fit(examples, held, folder / name, Recipe(seed=epochs, epochs=epochs, chat_per_thousand=20), _ignore)
        found[name] = load_model(folder / name)
    return found


def test_all_rows_are_judged_by_models_and_cascade(models: dict[str, Model], held: Held) -> None:
    """Each once; of the cascade it is told how many were asked about, and by how much it differs."""
    found = cross_validate_tuning(held, 3, models, _ignore)
    assert list(found) == ["quick", "strong", "cascade"]
    for tasks in found.values():
        assert {name: task["rows"] for name, task in tasks.items()} == {n: len(r.labels) for n, r in held.items()}
        assert {len(task["folds"]) for task in tasks.values()} == {3}
    for name, task in found["cascade"].items():
        difference = task["difference"]
        assert difference["value"] == pytest.approx(task["value"] - found["strong"][name]["value"], abs=0.011)
        assert difference["low"] <= difference["value"] <= difference["high"]
        assert 0 < task["asked"] < 1


@pytest.mark.parametrize(("share", "like"), [(0.0, "quick"), (1.0, "strong")])
def test_none_asked_and_all_asked(models: dict[str, Model], held: Held, share: float, like: str) -> None:
    """The cascade is nearly the one model or the other: a fold's rows may lie beyond all the others' certainties."""
    found = cross_validate_tuning(held, 3, models, _ignore, dict.fromkeys(held, share))
    for name, task in found["cascade"].items():
        assert task["asked"] == pytest.approx(share, abs=0.3)
        assert task["value"] == pytest.approx(found[like][name]["value"], abs=10)


def test_nothing_is_fitted_on_the_fold_that_is_judged(
    models: dict[str, Model], held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What calibrates holds all other folds' rows, and no text of this one."""
    fitted: list[Held] = []

    def overheard(model: TableModel, heads: Sequence[Head], rows: Held) -> Manifest:
        fitted.append(rows)
        return calibrated(model, heads, rows)

    monkeypatch.setattr(tuning_folds, "calibrated", overheard)
    cross_validate_tuning(held, 3, models, _ignore)
    for place, rows in enumerate(fitted):
        for name, part in rows.items():
            folds = fold_of(part.texts, 3)
            assert set(folds) == {0, 1, 2} - {place // 2}
            assert len(folds) == (fold_of(held[name].texts, 3) != place // 2).sum()


def test_a_model_is_as_it_was_before_it_was_calibrated(models: dict[str, Model], held: Held) -> None:
    """Calibrated on the rows that it was calibrated on, it is itself again."""
    for model in models.values():
        assert isinstance(model, TableModel)
        kept = remembered(model, [rows.texts for rows in held.values()], _ignore)
        again = calibrated(_plain(kept), lay_out(held), held)
        for name, task in again.tasks.items():
            own = model.manifest.task(name)
            assert task.slope == pytest.approx(own.slope, rel=1e-4)
            assert task.offsets == pytest.approx(own.offsets, abs=1e-3)
            assert (task.threshold, task.decision_offsets) == (own.threshold, own.decision_offsets)


def test_it_is_the_cascade_that_would_be_written(models: dict[str, Model], held: Held) -> None:
    """Fold by fold, by the class that answers in the job."""
    found = cross_validate_tuning(held, 2, models, _ignore)["cascade"]
    for name in ("sentiment", "hate"):
        rows = held[name]
        counts = np.zeros_like(Asked(models["quick"], name, rows).counts)
        for number in range(2):
            own = fold_of(rows.texts, 2) == number
            fitting = {name: rows.where(~own)}
            kept = [remembered(each, [rows.texts], _ignore) for each in models.values() if isinstance(each, TableModel)]
            stages = [_plain(each) for each in kept]
            quick, strong = (stage.by(calibrated(stage, lay_out(fitting), fitting)) for stage in stages)
            sure = certainty(quick.manifest.task(name), Asked(quick, name, fitting[name]).chances)
            thresholds = {name: threshold(sure, ASKED_SHARES[name])}
            told = Stages(
                first="quick",
                first_digest=quick.digest,
                second="strong",
                second_digest=strong.digest,
                thresholds=thresholds,
            )
            tasks = {name: quick.manifest.task(name)}
            manifest = Manifest(kind="cascade", name="both", tasks=tasks, files={}, cascade=told)
            counts += Asked(Cascade(manifest, "", quick, strong), name, rows.where(own)).counts
        assert found[name]["value"] == measured(datasets.TASKS[name].metric, counts)["value"]


def test_a_model_by_itself(models: dict[str, Model], held: Held) -> None:
    """Its counts are those beside its cascade."""
    found = cross_validate_tuning(held, 3, models, _ignore)
    for model_name, model in models.items():
        assert isinstance(model, TableModel)
        for name, counts in cross_calibrated(model, held, 3).items():
            wanted = found[model_name][name]
            assert measured(datasets.TASKS[name].metric, counts) == {
                key: wanted[key] for key in wanted if key != "folds"
            }


def test_faults(models: dict[str, Model], held: Held) -> None:
    """One fold, one model, and a cascade of a cascade are told."""
    with pytest.raises(EchoPulseError, match="1 folds"):
        cross_validate_tuning(held, 1, models, _ignore)
    with pytest.raises(EchoPulseError) as caught:
        cross_validate_tuning(held, 2, {"default": models["quick"]}, _ignore)
    assert str(caught.value) == "a cascade of default alone (it wants two models)"
    with pytest.raises(EchoPulseError) as caught:
        cross_validate_tuning(held, 2, models | {"strong": load_model(find_artifact("cascade"))}, _ignore)
    assert str(caught.value) == "'strong' is a cascade itself (name the models that it is made of)"
