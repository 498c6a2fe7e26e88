"""`echopulse tune`: a search for the recipe of a better model, its best one trained and made the challenger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.cli.steps import step
from echopulse.cli.train import check_output, told, tracked_training
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from echopulse.settings import Settings
    from echopulse.tracking.record import RunRecord


def tune(
    *tasks: str,
    data: Path,
    output: Path,
    trials: int = 20,
    workers: int = 1,
    study: str = "",
    seed: int = 0,
    overwrite: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Search for the recipe of a bag, train the best one, and register it as the challenger.

    Trials that do worse than half of the others are given up early. The
    search is on the validation rows, so figures on them flatter its best
    model. Broken off, the same command goes on.

    Parameters
    ----------
    tasks
        What the model learns, as for train.
    data
        Folder of <task>.train.parquet and <task>.val.parquet.
    output
        Folder for the best model's artifact: a new one, or an empty one.
    trials
        How many there shall be in all, those of earlier calls counted.
    workers
        How many run at once, each in a process of its own.
    study
        Name of the search; default: the tasks.
    seed
        Of the search, and of the order of the rows.
    overwrite
        Write into a folder that holds something, over the files of an earlier artifact.
    """
    from echopulse.tracking.publish import publish, recorded
    from echopulse.tracking.search_run import note_search, trial_records
    from echopulse.training.order import Order
    from echopulse.training.search import Search, recipe_of, search

    if not tasks:
        raise UsageError("no task given", "echopulse tune sentiment --data DIR --output DIR")
    if trials < 1 or workers < 1:
        raise UsageError(f"--trials {trials} --workers {workers}: both are at least 1")
    check_output(output, overwrite=overwrite)
    settings = options.settings()
    order = Search(study or "-".join(tasks), tasks, data, settings.home / "tuning", trials, workers, seed)
    nested: list[RunRecord] = []
    with recorded("tune", f"tune {order.name}", lambda record: publish(settings, [record, *nested], step)) as record:
        found = search(order, step)
        best = found.best_trial
        step(f"the best is trial {best.number} with {best.value:.2f}; training it fully")
        record.parameters(tasks=" ".join(tasks), trials=trials, workers=workers, seed=seed)
        note_search(record, found)
        nested += trial_records(found, record)
        trained = Order("bag", tasks, data, output, seed, recipe=recipe_of(best))
        document = tracked_training(settings, trained, parent=record.id, publish=nested.append)
    document = {
        "output": str(output),
        "study": order.name,
        "trials": len(found.get_trials(deepcopy=False)),
        "best_trial": best.number,
        "recipe": recipe_of(best),
        "challenger": _registered(settings, output),
        **document,
    }
    emit(document, options.json, lambda: _text(document))


def _registered(settings: Settings, output: Path) -> list[str]:
    """Make the model the challenger of its tasks where there is a registry; return the tasks."""
    from echopulse.registry.opening import opened_store
    from echopulse.registry.registration import register
    from echopulse.tracking.publish import is_expected, yet_to_come

    if not is_expected(settings) and not yet_to_come(settings):
        step("not registered: there is no MLflow; `echopulse registry register` does it later")
        return []
    try:
        with opened_store(settings) as store:
            return [one.task for one in register(store, output)[1]]
    except EchoPulseError as error:
        step(f"not registered: {error}; `echopulse registry register {output}` does it later")
        return []


def _text(document: dict[str, Any]) -> str:
    recipe = ", ".join(f"{name} {value:.4g}" for name, value in document["recipe"].items())
    challenger = f"challenger of {', '.join(document['challenger'])}" if document["challenger"] else "not registered"
    return (
        f"{document['output']}: {document['digest']}, {challenger}\n"
        f"trial {document['best_trial']} of {document['trials']}: {recipe}\n{told(document)}"
    )
