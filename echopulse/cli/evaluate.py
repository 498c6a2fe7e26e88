"""`echopulse evaluate`: what a model is worth on labelled Parquet files."""

from __future__ import annotations

from pathlib import Path

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.cli.steps import redrawn_steps, step
from echopulse.cli.train import told


def evaluate(
    model: str, *, data: Path, split: str = "test", robustness: bool = False, options: GlobalOptions = NO_OPTIONS
) -> None:
    """Score a model on labelled texts: each task's metric in percent with its 95 % interval, and texts a second.

    Parameters
    ----------
    model
        The name of a model that ships (default), the folder of an artifact, or one of the registry:
        TASK@champion, TASK@challenger, TASK@sha256:PREFIX.
    data
        Folder of <task>.<split>.parquet, columns text and label.
    split
        Which split to read.
    robustness
        Say, too, what is left of the metrics when words are disguised, and how often harmless sentences that name a
        group of people are taken for toxic.
    """
    from echopulse.registry.opening import model_folder
    from echopulse.tracking.model_run import Watched, note_data, note_model, task_names
    from echopulse.tracking.publish import publish, recorded
    from echopulse.training.evaluation import evaluate as evaluate_model
    from transforms.artifact import read_manifest

    settings = options.settings()
    folder = model_folder(settings, model)
    with recorded("evaluate", f"evaluate {model}", lambda record: publish(settings, [record], step)) as record:
        watched = Watched(record)
        record.parameters(model=model, split=split)
        if data.is_dir():
            note_data(record, data, task_names(read_manifest(folder)[0].tasks), (split,))
        with redrawn_steps() as on_step:
            document = evaluate_model(folder, data, split, watched.answers, on_step) | {"model": model}
            if robustness:
                from echopulse.training.robustness import robustness as measure

                document |= measure(str(folder), data, split, on_step)
        note_model(record, folder, document, kept=False)
    emit(document, options.json, lambda: f"{document['model']}: {document['digest']}\n{told(document)}")
