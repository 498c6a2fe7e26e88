"""Search for the bag's recipe: Optuna's trials, in several processes, in a study that can be gone on with."""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from echopulse.training import bag, datasets
from echopulse.training.heads import load_all
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.context import SpawnProcess

_STARTUP_TRIALS = 5
_WARMUP_EPOCHS = 1
_END_S = 10.0
_ASKED = "asked"
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Search:
    """What is searched for: the tasks, on which files, how many trials in all, in how many processes.

    `folder` holds the studies, each in a file that only grows.
    """

    name: str
    tasks: tuple[str, ...]
    data: Path
    folder: Path
    trials: int
    workers: int = 1
    seed: int = 0

    def declared(self) -> dict[str, Any]:
        """Return what trials of one study have in common."""
        tasks = datasets.chosen_tasks(list(self.tasks))
        return {"tasks": tasks, "data": datasets.data_digests(self.data, tasks), "seed": self.seed}


def search(order: Search, say: Callable[[str], None]) -> optuna.Study:
    """Run what is missing of the trials and return the study.

    A study that was broken off is gone on with; trials that were under way then count as failed. Raises EchoPulseError
    where the study has searched on other files or for other tasks, another process searches in it, no trial came to an
    end, or a worker died.
    """
    load_all(order.data, order.declared()["tasks"], "val")
    order.folder.mkdir(parents=True, exist_ok=True)
    with _alone(order):
        study = opened(order)
        _check_same(study, order)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        missing = order.trials - len(study.get_trials(deepcopy=False, states=_FINISHED))
        if missing > 0:
            say(f"study {order.name}: {missing} trials to go, {min(order.workers, missing)} at once")
            _run(order, missing)
        study = opened(order)
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise EchoPulseError(f"study {order.name}: no trial came to an end", "ask for more --trials")
    return study


def recipe_of(trial: optuna.trial.FrozenTrial) -> dict[str, float]:
    """Return what a trial tried, as fields of the bag's recipe."""
    return dict(trial.params)


def opened(order: Search) -> optuna.Study:
    """Open the study, made where there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(order.folder / f"{order.name}.log"))),
        study_name=order.name,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(_STARTUP_TRIALS, n_warmup_steps=_WARMUP_EPOCHS),
    )


def trial_id(study: optuna.Study, number: int) -> str:
    """Return 32 hex digits that stand for one trial of one study, whoever asks."""
    started = study.user_attrs[_ASKED]
    return hashlib.sha256(f"{study.study_name} {started} {number}".encode()).hexdigest()[:32]


@contextmanager
def _alone(order: Search) -> Iterator[None]:
    with (order.folder / f"{order.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EchoPulseError(f"study {order.name} is searched in already", "--study names another") from error
        yield


def _check_same(study: optuna.Study, order: Search) -> None:
    told = json.dumps(order.declared(), sort_keys=True)
    if _ASKED not in study.user_attrs:
        study.set_user_attr(_ASKED, told)
    elif study.user_attrs[_ASKED] != told:
        raise EchoPulseError(
            f"study {order.name} has searched on other files, for other tasks or with another seed",
            "--study names another",
        )


def _run(order: Search, missing: int) -> None:
    context = multiprocessing.get_context("spawn")
    workers = min(order.workers, missing)
    shares = [missing // workers + (place < missing % workers) for place in range(workers)]
    processes = [
        context.Process(target=_work, args=(order, share, place), name=f"trials-{place}", daemon=True)
        for place, share in enumerate(shares)
    ]
    try:
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    finally:
        _end(processes)
    died = [process.name for process in processes if process.exitcode]
    if died:
        raise EchoPulseError(
            f"{', '.join(died)} ended with status {processes[0].exitcode}", "the same command goes on with the rest"
        )


def _end(processes: list[SpawnProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.terminate()
            process.join(_END_S)
            process.kill()


def _work(order: Search, trials: int, place: int) -> None:
    """Run trials in a process of its own."""
    study = opened(order)
    finished = len(study.get_trials(deepcopy=False))
    # Each worker draws its own; the numbers of trials before keep one that goes on from drawing the same again.
    study.sampler = optuna.samplers.TPESampler(seed=order.seed + 1_000 * place + finished)
    tasks = order.declared()["tasks"]
    examples, held = (load_all(order.data, tasks, split) for split in ("train", "val"))

    def objective(trial: optuna.Trial) -> float:
        recipe = replace(bag.Recipe(seed=order.seed), **suggested(trial, tasks))
        mean = 0.0

        def watch(epoch: int, quality: Mapping[str, float]) -> None:
            nonlocal mean
            mean = sum(quality.values()) / len(quality)
            trial.set_user_attr("quality", dict(quality))
            trial.report(mean, epoch)
            if epoch < recipe.epochs and trial.should_prune():
                raise optuna.TrialPruned

        with tempfile.TemporaryDirectory(prefix="trial-") as folder:
            bag.fit(examples, held, Path(folder) / "model", recipe, lambda _: None, watch=watch)
        return mean

    study.optimize(objective, n_trials=trials)


def suggested(trial: optuna.Trial, tasks: list[str]) -> dict[str, Any]:
    """Return the recipe's fields that are searched; those of one task alone where that task is learnt."""
    fields: dict[str, Any] = {
        "rate": trial.suggest_float("rate", 0.01, 0.2, log=True),
        "epochs": trial.suggest_int("epochs", 2, 8),
        "evenness": trial.suggest_float("evenness", 0.0, 1.0),
        "chat_per_thousand": trial.suggest_int("chat_per_thousand", 0, 200, step=20),
    }
    if len(tasks) > 1:
        fields["repeats"] = trial.suggest_int("repeats", 1, 6)
    if "stance" in tasks:
        fields["off_topic"] = trial.suggest_float("off_topic", 0.005, 0.2, log=True)
    return fields
