"""`echopulse train` and `echopulse evaluate`: from labelled Parquet files to an artifact, and what it is worth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from schemas.errors import UsageError


def train(
    *tasks: str,
    data: Path,
    output: Path,
    seed: int = 0,
    epochs: Annotated[int | None, Parameter(show_default=False)] = None,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Train the bag for the tasks named (sentiment, toxicity, offensive, hate) and write its artifact and card.

    The same data, seed and epochs give the same digest.

    Parameters
    ----------
    tasks
        What the model learns; toxicity brings offensive and hate along.
    data
        Folder of <task>.train.parquet and <task>.val.parquet, columns text and label.
    output
        Folder for the artifact.
    seed
        Of the order of the rows.
    epochs
        Passes over the rows; default: the recipe's.
    """
    from dataclasses import replace

    from echopulse.training.bag import Recipe
    from echopulse.training.bag import train as train_bag
    from echopulse.training.card import write_card
    from echopulse.training.datasets import chosen_tasks
    from echopulse.training.evaluation import evaluate as evaluate_bag

    if not tasks:
        raise UsageError("no task given", "echopulse train sentiment toxicity --data DIR --output DIR")
    recipe = Recipe(seed=seed) if epochs is None else replace(Recipe(seed=seed), epochs=epochs)
    digest = train_bag(chosen_tasks(list(tasks)), data, output, recipe, _say)
    _say("evaluating on the validation rows")
    document = evaluate_bag(str(output), data, "val")
    write_card(output, document)
    emit({"output": str(output), **document}, options.json, lambda: f"{output}: {digest}\n{_table(document)}")


def evaluate(model: str, *, data: Path, split: str = "test", options: GlobalOptions = NO_OPTIONS) -> None:
    """Score a model on labelled texts: each task's metric in percent with its 95 % interval, and texts a second.

    Parameters
    ----------
    model
        The name of a model that ships (default) or the folder of an artifact.
    data
        Folder of <task>.<split>.parquet, columns text and label.
    split
        Which split to read.
    """
    from echopulse.training.evaluation import evaluate as evaluate_bag

    document = evaluate_bag(model, data, split)
    emit(document, options.json, lambda: f"{document['model']}: {document['digest']}\n{_table(document)}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _table(document: dict[str, Any]) -> str:
    lines = [
        f"{name:<12}{task['metric']:<14}{task['value']:6.2f}  [{task['low']:.2f}, {task['high']:.2f}]"
        f"  {task['rows']} rows"
        for name, task in document["tasks"].items()
    ]
    return "\n".join([*lines, f"{document['texts_per_second']:,} texts/s on one core, normalisation included"])
