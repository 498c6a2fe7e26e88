"""Train the hashed n-gram bag: one table for all heads, quantised to a byte a weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from echopulse.training.calibration import calibrated
from echopulse.training.chat import chat_lessons
from echopulse.training.descent import descend
from echopulse.training.distillation import distilled
from echopulse.training.evaluation import Asked
from echopulse.training.heads import Head, Lessons, lay_out, lessons, width
from echopulse.training.identity import identity_lessons
from transforms.artifact import Hashing, Manifest, file_digest, write_manifest
from transforms.bag import CHAR_GRAMS, KIND, NORMALISATION, TABLE, WORD_GRAMS, Bag
from transforms.buffers import string_buffers
from transforms.kernels.bag import GRAMS_PER_BYTE, LANES, list_grams
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    #: Hears, after each epoch, its number and each task's metric.
    Watch = Callable[[int, Mapping[str, float]], None]

    import pyarrow as pa
    from numpy.typing import NDArray

    from echopulse.training import datasets
    from echopulse.training.distillation import Teaching

BITS = 18
#: Columns come in eights, so that a row of the table is a machine word or several.
_COLUMNS_STEP = LANES
#: What a bucket's squared gradients begin at, which bounds its first steps.
_FIRST_SQUARE = 1e-3


@dataclass(frozen=True)
class Recipe:
    """What training depends on besides the data: two runs of one recipe give the same bytes."""

    seed: int = 0
    epochs: int = 5
    rate: float = 0.05
    #: Exponent of a label's inverse frequency in its weight: 0 leaves labels as frequent as they are, 1 evens them out.
    evenness: float = 1.0
    #: How often a row of a small task comes in an epoch.
    repeats: int = 3
    #: What a text that is not about a target weighs in teaching that there is no stance in it.
    off_topic: float = 0.02
    #: Made-up chat lines, whose moods the lexicon tells, for each thousand rows.
    chat_per_thousand: int = 100
    #: Weights beyond this quantile of a column's are clipped when a byte must hold them.
    quantile: float = 0.99999


#: A task is small, and its rows come `repeats` times, below this share of the largest one's.
_SMALL = 0.1


def fit(
    examples: Mapping[str, datasets.Labelled],
    held: Mapping[str, datasets.Labelled],
    output: Path,
    recipe: Recipe,
    progress: Callable[[str], None],
    *,
    teaching: Teaching | None = None,
    declared: dict[str, Any] | None = None,
    watch: Watch | None = None,
) -> str:
    """Train on `examples`, calibrate on `held`, write the artifact into `output` and return its digest.

    With `teaching`, its teacher's probabilities are wanted beside the labels, on unlabelled texts as well. `declared`
    is what the manifest says of the training. `watch` is told after each epoch what each task's metric on `held` is,
    in percent and not yet calibrated; what it raises ends the training. The same rows and recipe give the same bytes.
    """
    heads = lay_out(examples)
    learnt = lessons(heads, examples, recipe.evenness, recipe.off_topic)
    if teaching is not None:
        progress(f"asking {teaching.teacher.manifest.name} about {len(learnt.texts) + len(teaching.texts):,} texts")
        learnt = distilled(learnt, heads, teaching, held, recipe.off_topic)
    learnt = learnt.followed_by(chat_lessons(heads, learnt.texts, recipe.chat_per_thousand, recipe.seed))
    learnt = learnt.followed_by(identity_lessons(heads))

    def watched(epoch: int, weights: NDArray[np.float32], biases: NDArray[np.float32]) -> None:
        if watch is not None:
            watch(epoch, _quality(heads, held, recipe, weights, biases))

    weights, biases = _fit(heads, learnt, examples, recipe, progress, watched)
    table, scales = _quantise(weights, recipe.quantile)
    output.mkdir(parents=True, exist_ok=True)
    np.save(output / TABLE, table, allow_pickle=False)
    files = {TABLE: file_digest(output / TABLE)}
    manifest = _manifest(heads, biases, scales, name=output.resolve().name, files=files, training=declared or {})
    progress("calibrating")
    return write_manifest(output, calibrated(Bag(manifest, "", table), heads, held))


def _manifest(
    heads: Sequence[Head],
    biases: NDArray[np.float32],
    scales: NDArray[np.float32],
    **named: Any,  # noqa: ANN401 - fields of Manifest
) -> Manifest:
    return Manifest(
        kind=KIND,
        tasks={head.name: head.declared(biases) for head in heads},
        hashing=Hashing(bits=BITS, char_grams=CHAR_GRAMS, word_grams=WORD_GRAMS, normalisation=NORMALISATION),
        scales=tuple(float(scale) for scale in scales),
        **named,
    )


def _quality(
    heads: Sequence[Head],
    held: Mapping[str, datasets.Labelled],
    recipe: Recipe,
    weights: NDArray[np.float32],
    biases: NDArray[np.float32],
) -> dict[str, float]:
    """Return each task's metric on the rows held back, of the table as it stands."""
    table, scales = _quantise(weights, recipe.quantile)
    bag = Bag(_manifest(heads, biases, scales, name="unfinished", files={}), "", table)
    return {name: float(Asked(bag, name, rows).document()["value"]) for name, rows in held.items()}


def _fit(
    heads: Sequence[Head],
    learnt: Lessons,
    examples: Mapping[str, datasets.Labelled],
    recipe: Recipe,
    progress: Callable[[str], None],
    watch: Callable[[int, NDArray[np.float32], NDArray[np.float32]], None],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = len(learnt.texts)
    progress(f"hashing {rows:,} texts")
    buckets, starts = hashed(learnt.texts)
    weights = np.zeros((1 << BITS, -(-width(heads) // _COLUMNS_STEP) * _COLUMNS_STEP), np.float32)
    biases = np.zeros(weights.shape[1], np.float32)
    wanted = np.zeros((rows, weights.shape[1]), np.float32)
    wanted[:, : learnt.wanted.shape[1]] = learnt.wanted
    generator = np.random.default_rng(recipe.seed)
    seen = np.concatenate([np.arange(rows)] + [_small_rows(examples)] * (recipe.repeats - 1))
    order = np.concatenate([generator.permutation(seen) for _ in range(recipe.epochs)])
    lows = np.array([head.columns[0] for head in heads], np.int64)
    highs = np.array([head.columns[-1] + 1 for head in heads], np.int64)
    progress(f"descending over {recipe.epochs} epoch{'s' * (recipe.epochs != 1)} of {len(seen):,} rows")
    squares = np.full(len(weights), _FIRST_SQUARE, np.float32)
    rate = np.float32(recipe.rate)
    for epoch in range(recipe.epochs):
        done = epoch * len(seen)
        rows_now = order[done : done + len(seen)]
        descend(
            *(buckets, starts, wanted, learnt.weights, lows, highs, rows_now),
            *(weights, squares, biases, rate, done, len(order)),
        )
        watch(epoch + 1, weights, biases)
    return weights, biases


def _small_rows(examples: Mapping[str, datasets.Labelled]) -> NDArray[np.int64]:
    largest = max(len(part.labels) for part in examples.values())
    rows: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    start = 0
    for part in examples.values():
        if len(part.labels) < _SMALL * largest:
            rows.append(np.arange(start, start + len(part.labels)))
        start += len(part.labels)
    return np.concatenate(rows)


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
