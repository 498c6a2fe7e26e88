"""Make an artifact of somebody else's classifier: labels told in ours, exported, compared, calibrated."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training import datasets
from echopulse.training.calibration import calibrated
from echopulse.training.evaluation import evaluate_rows
from echopulse.training.heads import Head
from echopulse.training.labels import Question, questions
from schemas.errors import EchoPulseError, did_you_mean
from transforms import decision
from transforms.artifact import Manifest, file_digest, write_manifest
from transforms.conformance import TEXTS
from transforms.loading import ONNX
from transforms.model import question
from transforms.reading import STYLES
from transforms.transformer import GRAPH, TOKENIZER, Transformer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from echopulse.training.checkpoint import Checkpoint
    from echopulse.training.datasets import Labelled

#: Texts of the validation rows, evenly picked, on which the artifact is held against the checkpoint.
COMPARED = 200
#: How far a probability may be off on average, and at most where there is nothing to compute in 8 bits.
_FAR, _FAR_IN_FLOATS = 0.03, 1e-3


@dataclass(frozen=True)
class ImportOrder:
    """What to make an artifact of, for which tasks, into which folder; the fields are options of `echopulse train`.

    `labels` is `theirs=ours` with commas between, '' where names tell; `style` one of transforms.reading; `languages`
    ISO 639-1 codes. With `data`, probabilities are calibrated on its validation rows. `floats` keeps 32 bits.
    """

    checkpoint: str
    tasks: tuple[str, ...]
    output: Path
    data: Path | None = None
    labels: str = ""
    style: str = "normalised"
    languages: tuple[str, ...] = ("en",)
    floats: bool = False


def import_checkpoint(order: ImportOrder, progress: Callable[[str], None]) -> dict[str, Any]:
    """Write the artifact; return its digest and, with data, the evaluation on the validation rows.

    Raises EchoPulseError where the checkpoint cannot be had or opened, its labels cannot be told in the tasks', the
    data has no rows of them, or the artifact does not score as the checkpoint does.
    """
    for package in ("torch", "transformers", "onnx", "huggingface_hub"):
        if importlib.util.find_spec(package) is None:
            raise EchoPulseError(f"{package} is not installed", "make train-environment installs the extra `train`")
    from echopulse.training.checkpoint import Checkpoint, columns_of  # noqa: PLC0415 - torch is in the extra `train`
    from echopulse.training.export import export  # noqa: PLC0415 - as above
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - as above

    if order.style not in STYLES:
        raise EchoPulseError(f"no style '{order.style}' of reading", did_you_mean(order.style, STYLES))
    checkpoint = Checkpoint(find_checkpoint(order.checkpoint, progress))
    asked = questions(order.tasks, checkpoint.labels, checkpoint.links, order.labels, checkpoint.source.name)
    heads = _heads(asked)
    held = _held(heads, order.data) if order.data else {}
    order.output.mkdir(parents=True, exist_ok=True)
    progress(f"exporting {checkpoint.architecture} to ONNX, {32 if order.floats else 8} bits a weight")
    columns = columns_of(asked)
    export(checkpoint.in_columns(columns), order.output / GRAPH, quantised=not order.floats)
    checkpoint.write_tokenizer(order.output / TOKENIZER)
    manifest = Manifest(
        kind=ONNX,
        name=order.output.resolve().name,
        tasks={head.name: head.declared().model_copy(update={"languages": order.languages}) for head in heads},
        files={name: file_digest(order.output / name) for name in (GRAPH, TOKENIZER)},
        reading=checkpoint.reading(order.style),
    )
    progress("comparing with the checkpoint")
    model = Transformer(manifest, "", order.output)
    off = _distance(model, checkpoint, columns, _compared(held))
    if off > (_FAR_IN_FLOATS if order.floats else _FAR):
        raise EchoPulseError(
            f"the artifact's probabilities are {off:.3f} off those of {checkpoint.source.name} on average",
            "this network cannot be scored here" if order.floats else "--floats keeps its weights in 32 bits",
        )
    if held:
        progress("calibrating")
        manifest = calibrated(model, [head for head in heads if head.task.name in held], held)
    declared = _declared(order, checkpoint, asked, held) | {"off": round(off, 4)}
    manifest = manifest.model_copy(update={"training": declared})
    document: dict[str, Any] = {"model": str(order.output), "digest": write_manifest(order.output, manifest)}
    if not held:
        return document | {"tasks": {}}
    progress("evaluating on the validation rows")
    return document | evaluate_rows(Transformer(manifest, document["digest"], order.output), held)


def _heads(asked: Sequence[Question]) -> list[Head]:
    heads, first = [], 0
    for one in asked:
        heads.append(Head(one.name, one.task, one.target, tuple(range(first, first + one.width))))
        first += one.width
    return heads


def _held(heads: Sequence[Head], data: Path) -> dict[str, Labelled]:
    """Return the validation rows of the tasks that the folder has some of, those about the heads' targets."""
    held = {}
    for head in heads:
        labelled = datasets.load(data, head.task.name, "val")
        own = labelled and head.own(labelled)
        if own is not None and len(own.labels):
            held[head.task.name] = own
    if not held:
        wanted = ", ".join(f"{name}.val.parquet" for name in dict.fromkeys(head.task.name for head in heads))
        raise EchoPulseError(f"{data} has no validation rows of the checkpoint's tasks", f"wanted: {wanted}")
    return held


def _compared(held: Mapping[str, Labelled]) -> pa.StringArray:
    texts = [pa.array(TEXTS, pa.string())]
    for labelled in held.values():
        rows = np.unique(np.linspace(0, len(labelled.texts) - 1, COMPARED).astype(np.int64))
        texts.append(labelled.texts.take(pa.array(rows)))
    return pa.concat_arrays(texts)


def _distance(model: Transformer, checkpoint: Checkpoint, columns: Sequence[Any], texts: pa.StringArray) -> float:
    """Return how far the artifact's probabilities are from the checkpoint's on average, the task with the most."""
    batch = question(texts)
    read = STYLES[model.manifest.reading.style][1](batch.column(model.reads)).to_pylist()
    theirs = checkpoint.scores(read, columns, model.manifest.reading)
    ours = model.score_batch(batch)

    def chances(scores: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        return [decision.probabilities(task, scores) for task in model.manifest.tasks.values()]

    return max(float(np.abs(one - other).mean()) for one, other in zip(chances(ours), chances(theirs), strict=True))


def _declared(
    order: ImportOrder, checkpoint: Checkpoint, asked: Sequence[Question], held: Mapping[str, Labelled]
) -> dict[str, Any]:
    """Return what the manifest says of where the artifact comes from and what its labels were."""
    labels = {
        one.name: {
            ours: [checkpoint.labels[index] for index in theirs]
            for ours, theirs in zip(one.task.labels, one.theirs, strict=True)
        }
        for one in asked
    }
    data = datasets.data_digests(order.data, list(held), ("val",)) if order.data and held else {}
    return {
        "tasks": list(order.tasks),
        **checkpoint.source.declared(),
        "architecture": checkpoint.architecture,
        "labels": labels,
        "floats": order.floats,
        **({"data": data} if data else {}),
    }
