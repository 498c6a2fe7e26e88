"""Score a model on labelled files it may never have seen: each task's metric with its interval, and the speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from echopulse.training import datasets
from echopulse.training.metrics import METRICS, calibration_error, confusion, interval
from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact
from transforms.bag import Bag, load_bag
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from pathlib import Path

BATCH_ROWS = 20_000


def evaluate(model: str, data: Path, split: str) -> dict[str, Any]:
    """Evaluate a model (`default` or a folder) on every task it has and the folder holds; metrics in percent.

    Raises EchoPulseError where the model is unknown or the folder holds none of its tasks.
    """
    if not data.is_dir():
        raise EchoPulseError(f"{data} is not a folder", "--data names a folder of TASK.SPLIT.parquet")
    bag = load_bag(find_artifact(model).resolve())
    tasks = {}
    seen: list[pa.StringArray] = []
    for name in bag.manifest.tasks:
        labelled = datasets.load(data, name, split) if name in datasets.TASKS else None
        if labelled is not None and len(labelled.labels):
            tasks[name] = _measure(bag, name, labelled)
            seen.append(labelled.texts)
    if not tasks:
        wanted = ", ".join(f"{name}.{split}.parquet" for name in bag.manifest.tasks)
        raise EchoPulseError(f"{data} holds none of the model's tasks", f"wanted: {wanted}")
    return {
        "model": model,
        "digest": bag.digest,
        "texts_per_second": round(texts_per_second(bag, pa.concat_arrays(seen))),
        "tasks": tasks,
    }


def texts_per_second(bag: Bag, texts: pa.StringArray) -> float:
    """Return how many texts a second are normalised and scored for all tasks, one thread, batches of 20,000 rows."""
    batches = [texts.slice(start, BATCH_ROWS) for start in range(0, len(texts), BATCH_ROWS)]
    bag.score(normalise(batches[0].slice(0, 100)).normalised)
    begun = time.perf_counter()
    for batch in batches:
        bag.score(normalise(batch).normalised)
    return len(texts) / (time.perf_counter() - begun)


def _measure(bag: Bag, name: str, labelled: datasets.Labelled) -> dict[str, Any]:
    task = datasets.TASKS[name]
    probabilities = bag.probabilities(name, bag.score(normalise(labelled.texts).normalised))
    counts = confusion(labelled.labels, bag.decide(name, probabilities), len(task.labels))
    low, high = interval(task.metric, counts)
    document: dict[str, Any] = {
        "metric": task.metric,
        "value": round(float(METRICS[task.metric](counts)), 2),
        "low": round(low, 2),
        "high": round(high, 2),
        "rows": len(labelled.labels),
    }
    if bag.manifest.task(name).link == "sigmoid":
        document["calibration_error"] = round(calibration_error(probabilities[:, 1], labelled.labels), 4)
    return document
