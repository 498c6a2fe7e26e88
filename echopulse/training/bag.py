"""Train the hashed n-gram bag: one table for all tasks, quantised to a byte a weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training import datasets
from echopulse.training.calibration import best_threshold, fit_sigmoid, fit_temperature
from echopulse.training.descent import descend
from schemas.errors import EchoPulseError
from transforms.artifact import Hashing, Manifest, Task, file_digest, write_manifest
from transforms.bag import CHAR_GRAMS, KIND, NORMALISATION, TABLE, WORD_GRAMS, Bag
from transforms.buffers import string_buffers
from transforms.kernels.bag import GRAMS_PER_BYTE, LANES, list_grams
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 18
#: Columns come in eights, so that a row of the table is a machine word or several.
_COLUMNS_STEP = LANES
_BINARY = 2


@dataclass(frozen=True)
class Recipe:
    """What training depends on besides the data: two runs of one recipe give the same bytes."""

    seed: int = 0
    epochs: int = 5
    rate: float = 1.0
    #: Exponent of a label's inverse frequency in its weight: 0 leaves labels as frequent as they are, 1 evens them out.
    evenness: float = 1.0
    #: Weights beyond this quantile of a column's are clipped when a byte must hold them.
    quantile: float = 0.99999


def train(tasks: list[str], data: Path, output: Path, recipe: Recipe, progress: Callable[[str], None]) -> str:
    """Train the tasks (see datasets.chosen_tasks) and write the artifact into `output`; return its digest.

    Raises EchoPulseError where the folder has no training or validation rows for a task.
    """
    columns = _columns(tasks)
    weights, biases = _fit(tasks, columns, _loaded(data, tasks, "train"), recipe, progress)
    table, scales = _quantise(weights, recipe.quantile)
    output.mkdir(parents=True, exist_ok=True)
    np.save(output / TABLE, table, allow_pickle=False)
    manifest = Manifest(
        kind=KIND,
        name=output.resolve().name,
        tasks={name: _uncalibrated(name, columns[name], biases) for name in tasks},
        files={TABLE: file_digest(output / TABLE)},
        hashing=Hashing(bits=BITS, char_grams=CHAR_GRAMS, word_grams=WORD_GRAMS, normalisation=NORMALISATION),
        scales=tuple(float(scale) for scale in scales),
        training=_declaration(tasks, data, recipe),
    )
    progress("calibrating")
    held = _loaded(data, tasks, "val")
    bag = Bag(manifest, "", table)
    calibrated = {name: _calibrate(bag, name, held[name]) for name in tasks}
    return write_manifest(output, manifest.model_copy(update={"tasks": calibrated}))


def _loaded(data: Path, tasks: list[str], split: str) -> dict[str, datasets.Labelled]:
    loaded = {}
    for task in tasks:
        labelled = datasets.load(data, task, split)
        if labelled is None or not len(labelled.labels):
            wanted = ", ".join(f"{stem.rstrip('.')}.{split}.parquet" for stem in datasets.TASKS[task].files)
            raise EchoPulseError(f"{data} has no {split} rows for {task}", f"wanted: {wanted}")
        loaded[task] = labelled
    return loaded


def _columns(tasks: list[str]) -> dict[str, tuple[int, ...]]:
    """Give each task its columns: one for two labels, else one a label."""
    columns = {}
    first = 0
    for task in tasks:
        labels = len(datasets.TASKS[task].labels)
        width = 1 if labels == _BINARY else labels
        columns[task] = tuple(range(first, first + width))
        first += width
    return columns


def _fit(
    tasks: list[str],
    columns: dict[str, tuple[int, ...]],
    examples: dict[str, datasets.Labelled],
    recipe: Recipe,
    progress: Callable[[str], None],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = sum(len(labelled.labels) for labelled in examples.values())
    labels = np.full((rows, len(tasks)), -1, np.int64)
    importance = np.ones((len(tasks), max(len(datasets.TASKS[task].labels) for task in tasks)), np.float32)
    start = 0
    for index, task in enumerate(tasks):
        own = examples[task].labels
        labels[start : start + len(own), index] = own
        frequency = np.bincount(own, minlength=len(datasets.TASKS[task].labels)) / len(own)
        balanced = np.maximum(frequency, 1e-6) ** -recipe.evenness
        importance[index, : len(balanced)] = balanced / (balanced * frequency).sum()
        start += len(own)
    progress(f"hashing {rows:,} texts")
    buckets, starts = hashed(pa.concat_arrays([examples[task].texts for task in tasks]))
    width = max(column for own in columns.values() for column in own) + 1
    weights = np.zeros((1 << BITS, -(-width // _COLUMNS_STEP) * _COLUMNS_STEP), np.float32)
    biases = np.zeros(weights.shape[1], np.float32)
    generator = np.random.default_rng(recipe.seed)
    order = np.concatenate([generator.permutation(rows) for _ in range(recipe.epochs)])
    lows = np.array([columns[task][0] for task in tasks], np.int64)
    highs = np.array([columns[task][-1] + 1 for task in tasks], np.int64)
    progress(f"descending over {recipe.epochs} epochs")
    descend(buckets, starts, labels, lows, highs, importance, order, weights, biases, np.float32(recipe.rate))
    return weights, biases


def hashed(texts: pa.StringArray) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Normalise texts and return their grams' buckets and where each text's begin [texts + 1]."""
    values, offsets = string_buffers(normalise(texts).normalised)
    buckets = np.empty((int(offsets[-1]) + len(texts)) * GRAMS_PER_BYTE, np.uint32)
    starts = np.empty(len(texts) + 1, np.int64)
    total = list_grams(values, offsets, np.uint64(64 - BITS), buckets, starts)
    return buckets[:total], starts


def _quantise(weights: NDArray[np.float32], quantile: float) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    largest = np.quantile(np.abs(weights), quantile, axis=0)
    scales = (np.maximum(largest, 1e-6) / 127).astype(np.float32)
    return np.clip(np.rint(weights / scales), -127, 127).astype(np.int8), scales


def _uncalibrated(name: str, columns: tuple[int, ...], biases: NDArray[np.float32]) -> Task:
    return Task(
        labels=datasets.TASKS[name].labels,
        columns=columns,
        link="sigmoid" if len(columns) == 1 else "softmax",
        slope=1.0,
        offsets=tuple(float(biases[column]) for column in columns),
    )


def _calibrate(bag: Bag, name: str, held: datasets.Labelled) -> Task:
    task = bag.manifest.task(name)
    scores = bag.score(normalise(held.texts).normalised)[:, task.columns].astype(np.float64)
    if task.link == "softmax":
        slope = fit_temperature(scores + np.array(task.offsets), held.labels)
        return task.model_copy(update={"slope": slope, "offsets": tuple(slope * offset for offset in task.offsets)})
    slope, offset = fit_sigmoid(scores[:, 0], held.labels)
    probabilities = np.exp(-np.logaddexp(0.0, -(slope * scores[:, 0] + offset)))
    threshold = best_threshold(probabilities, held.labels)
    return task.model_copy(update={"slope": slope, "offsets": (offset,), "threshold": threshold})


def _declaration(tasks: list[str], data: Path, recipe: Recipe) -> dict[str, Any]:
    return {
        "tasks": tasks,
        "data": datasets.data_digests(data, tasks),
        "seed": recipe.seed,
        "epochs": recipe.epochs,
        "rate": recipe.rate,
        "evenness": recipe.evenness,
        "quantile": recipe.quantile,
    }
