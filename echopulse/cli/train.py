"""`echopulse train`: from labelled Parquet files to an artifact, with what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import step
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.settings import Settings
    from echopulse.tracking.record import RunRecord
    from echopulse.training.order import Order

_CHECKPOINT = Group("Of a checkpoint of somebody else's")


@Parameter(name="*")
@dataclass(frozen=True)
class CheckpointOptions:
    """What an artifact is made of instead of trained, and how."""

    checkpoint: Annotated[str | None, Parameter(group=_CHECKPOINT)] = None
    """Train nothing: make the artifact of this classifier in Hugging Face's form, a folder or OWNER/NAME[@REVISION] of
    the hub, for these tasks (stance.TARGET of stance). With --data it is calibrated on the validation rows."""

    labels: Annotated[str, Parameter(group=_CHECKPOINT, show_default=False)] = ""
    """THEIRS=OURS,… where the checkpoint's labels do not tell by their names; THEIRS may be its number."""

    reads: Annotated[Literal["normalised", "tweet", "written"], Parameter(group=_CHECKPOINT)] = "normalised"
    """What it reads: texts as the shipped models do, texts as written with http and @user as TweetEval's models, or
    texts as written."""

    languages: Annotated[str, Parameter(group=_CHECKPOINT)] = "en"
    """ISO 639-1 codes of the languages it knows, with commas between."""

    floats: Annotated[bool, Parameter(group=_CHECKPOINT, negative=(), show_default=False)] = False
    """Keep its weights in 32 bits: closer to the checkpoint, several times slower."""

    def made(self, tasks: tuple[str, ...], data: Path | None, output: Path) -> dict[str, Any]:
        """Make the artifact; return what is told of it."""
        from echopulse.training.imported import ImportOrder, import_checkpoint

        languages = tuple(filter(None, (code.strip() for code in self.languages.split(","))))
        order = ImportOrder(self.checkpoint or "", tasks, output, data, self.labels, self.reads, languages, self.floats)
        return import_checkpoint(order, step)


NO_CHECKPOINT = CheckpointOptions()


def train(  # noqa: PLR0913 - a command has as many options as it has
    *tasks: str,
    output: Path,
    data: Path | None = None,
    kind: Annotated[Literal["bag", "transformer", "cascade"] | None, Parameter(show_default=False)] = None,
    seed: int = 0,
    epochs: Annotated[float | None, Parameter(show_default=False)] = None,
    teacher: str | None = None,
    unlabelled: Annotated[tuple[Path, ...], Parameter(negative=())] = (),
    folds: int = 0,
    first: str | None = None,
    second: str | None = None,
    teachers: int = 0,
    teacher_base: str | None = None,
    overwrite: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    imported: CheckpointOptions = NO_CHECKPOINT,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Train a model for the tasks named (sentiment, toxicity, stance, offensive, hate); write artifact and card.

    The same data, seed and epochs give the same digest on the same machine.

    Parameters
    ----------
    tasks
        What the model learns; toxicity brings offensive and hate along. A cascade has its models' own.
    output
        Folder for the artifact: a new one, or an empty one.
    data
        Folder of <task>.train.parquet and <task>.val.parquet, columns text and label (stance: and target).
    kind
        The fast bag (default), a transformer (wants the extra `train`), or a cascade of two models, tuned on the
        validation rows.
    seed
        Of the order of the rows.
    epochs
        Passes over the rows; default: the recipe's.
    teacher
        A model, by name or folder, whose probabilities the bag learns beside the labels.
    unlabelled
        Parquet files with a column text, or replay files, which the teacher or the teachers label.
    folds
        Cross-validate over so many folds, and put it into the card; of a cascade with models of their own in each, or,
        with --first or --second, of these models' calibration and the thresholds alone, in minutes.
    first
        The model of a cascade that answers, by name or folder; default: default.
    second
        The one that is asked where the first is less certain; default: transformer.
    teachers
        Of a transformer: so many larger networks are fine-tuned first, and it learns their word beside the labels.
        That wants a GPU.
    teacher_base
        The weights that those start from: a folder in Hugging Face's form, or OWNER/NAME[@REVISION] of the hub.
    overwrite
        Write into a folder that holds something, over the files of an earlier artifact.
    """
    from echopulse.training.order import Order

    if not tasks and kind != "cascade":
        raise UsageError("no task given", "echopulse train sentiment toxicity stance --data DIR --output DIR")
    if imported.checkpoint is not None:
        if any((kind, seed, epochs, teacher, unlabelled, folds, first, second, teachers, teacher_base)):
            raise UsageError(
                "a checkpoint is not trained", "of all options it takes --data, --output, --overwrite and its own"
            )
        check_output(output, overwrite=overwrite)
        document = _tracked_import(tasks, data, output, imported, options)
    elif imported != NO_CHECKPOINT:
        raise UsageError("--labels, --reads, --languages, --floats without --checkpoint", "they are about one")
    elif data is None:
        raise UsageError("no data given", "--data names a folder of TASK.train.parquet and TASK.val.parquet")
    else:
        check_output(output, overwrite=overwrite)
        order = Order(
            *(kind or "bag", tasks, data, output, seed, epochs, teacher, unlabelled, folds, first, second),
            *(teachers, teacher_base),
        )
        document = tracked_training(options.settings(), order)
    emit({"output": str(output), **document}, options.json, lambda: f"{output}: {document['digest']}\n{told(document)}")


def tracked_training(
    settings: Settings, order: Order, parent: str = "", publish: Callable[[RunRecord], object] | None = None
) -> dict[str, Any]:
    """Train, write the card, and give the run to `publish`, which by default tells MLflow of it."""
    from echopulse.tracking import publish as publishing
    from echopulse.tracking.model_run import Watched, note_model, note_order
    from echopulse.tracking.traces import trace_training
    from echopulse.training.card import write_card
    from echopulse.training.trainers import train_model

    send = publish or (lambda record: publishing.publish(settings, [record], step))
    with publishing.recorded("train", f"train {order.output.resolve().name}", send) as record:
        record.parent = parent
        note_order(record, order)
        watched = Watched(record)
        document = train_model(order, step, watched.observer)
        write_card(order.output, document)
        watched.finish()
        note_model(record, order.output, document, kept=True)
    trace_training(record, order.output)
    return document


def _tracked_import(
    tasks: tuple[str, ...], data: Path | None, output: Path, imported: CheckpointOptions, options: GlobalOptions
) -> dict[str, Any]:
    """Make an artifact of a checkpoint, write its card, and tell MLflow of it."""
    from echopulse.tracking.model_run import note_data, note_model
    from echopulse.tracking.publish import publish, recorded
    from echopulse.tracking.traces import trace_training
    from echopulse.training.card import write_card
    from echopulse.training.datasets import TASKS

    settings = options.settings()
    name = f"train {output.resolve().name}"
    with recorded("train", name, lambda record: publish(settings, [record], step)) as record:
        record.parameters(checkpoint=imported.checkpoint, tasks=" ".join(tasks), reads=imported.reads)
        if data is not None:
            note_data(record, data, [task for task in tasks if task in TASKS], ("val",))
        document = imported.made(tasks, data, output)
        write_card(output, document)
        note_model(record, output, document, kept=True)
    trace_training(record, output)
    return document


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raise EchoPulseError where the artifact would lie over something; before the hours of a training, not after."""
    if output.exists() and not output.is_dir():
        raise EchoPulseError(f"--output {output} is a file", "name a folder")
    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise EchoPulseError(f"--output {output} is not empty", "name another folder, or add --overwrite")


def told(document: dict[str, Any]) -> str:
    """Return what an evaluation came to, a line a task."""
    lines = [
        f"{name:<12}{task['metric']:<18}{task['value']:6.2f}  [{task['low']:.2f}, {task['high']:.2f}]"
        f"  {counted(task['rows'], 'row')}"
        for name, task in document["tasks"].items()
    ]
    for name, row in document.get("evasion", {}).items():
        lines.append(f"{name:<12}{'under evasion':<18}" + ", ".join(f"{how} {value:.2f}" for how, value in row.items()))
    if "identity" in document:
        lines.append(f"{'toxicity':<12}{'naming a group':<18}{document['identity']['all']:.2f} % taken for toxic")
    if "texts_per_second" in document:
        lines.append(f"{document['texts_per_second']:,} texts/s on one core, normalisation included")
    return "\n".join(lines)
