"""`echopulse train` and `echopulse evaluate`: from labelled Parquet files to an artifact, and what it is worth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from schemas.errors import UsageError


def train(  # noqa: PLR0913 - a command has as many options as it has
    *tasks: str,
    data: Path,
    output: Path,
    kind: Literal["bag", "transformer", "cascade"] = "bag",
    seed: int = 0,
    epochs: Annotated[float | None, Parameter(show_default=False)] = None,
    teacher: str | None = None,
    unlabelled: tuple[Path, ...] = (),
    folds: int = 0,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Train a model for the tasks named (sentiment, toxicity, stance, offensive, hate); write artifact and card.

    The same data, seed and epochs give the same digest on the same machine.

    Parameters
    ----------
    tasks
        What the model learns; toxicity brings offensive and hate along. A cascade has its models' own.
    data
        Folder of <task>.train.parquet and <task>.val.parquet, columns text and label (stance: and target).
    output
        Folder for the artifact.
    kind
        The fast bag, a transformer (wants the extra `train`), or a cascade of the shipped two, tuned on the validation
        rows.
    seed
        Of the order of the rows.
    epochs
        Passes over the rows; default: the recipe's.
    teacher
        A model, by name or folder, whose probabilities the bag learns beside the labels.
    unlabelled
        Parquet files with a column text, which the teacher labels.
    folds
        Cross-validate over so many folds, and put it into the card; of a cascade with models of their own in each.
    """
    from echopulse.training.card import write_card
    from echopulse.training.trainers import Order, train_model

    if not tasks and kind != "cascade":
        raise UsageError("no task given", "echopulse train sentiment toxicity stance --data DIR --output DIR")
    document = train_model(Order(kind, tasks, data, output, seed, epochs, teacher, unlabelled, folds), _say)
    write_card(output, document)
    emit(
        {"output": str(output), **document}, options.json, lambda: f"{output}: {document['digest']}\n{_table(document)}"
    )


def evaluate(
    model: str, *, data: Path, split: str = "test", robustness: bool = False, options: GlobalOptions = NO_OPTIONS
) -> None:
    """Score a model on labelled texts: each task's metric in percent with its 95 % interval, and texts a second.

    Parameters
    ----------
    model
        The name of a model that ships (default) or the folder of an artifact.
    data
        Folder of <task>.<split>.parquet, columns text and label.
    split
        Which split to read.
    robustness
        Say, too, what is left of the metrics when words are disguised, and how often harmless sentences that name a
        group of people are taken for toxic.
    """
    from echopulse.training.evaluation import evaluate as evaluate_model

    document = evaluate_model(model, data, split)
    if robustness:
        from echopulse.training.robustness import robustness as measure

        document |= measure(model, data, split)
    emit(document, options.json, lambda: f"{document['model']}: {document['digest']}\n{_table(document)}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _table(document: dict[str, Any]) -> str:
    lines = [
        f"{name:<12}{task['metric']:<18}{task['value']:6.2f}  [{task['low']:.2f}, {task['high']:.2f}]"
        f"  {task['rows']} rows"
        for name, task in document["tasks"].items()
    ]
    for name, row in document.get("evasion", {}).items():
        lines.append(f"{name:<12}{'under evasion':<18}" + ", ".join(f"{how} {value:.2f}" for how, value in row.items()))
    if "identity" in document:
        lines.append(f"{'toxicity':<12}{'naming a group':<18}{document['identity']['all']:.2f} % taken for toxic")
    return "\n".join([*lines, f"{document['texts_per_second']:,} texts/s on one core, normalisation included"])
