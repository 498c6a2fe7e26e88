"""Runs that take turns, and a model's answers to all its tasks, which is what they time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from bench.measure import Cost, Figure, rates, repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from transforms.model import Answer, Model


def interleaved(
    calls: Mapping[str, Callable[[], object]], runs: int, *, together: int = 1, warm: bool = False
) -> dict[str, list[Cost]]:
    """Time `runs` rounds of the calls, one of each in turn: what slows the machine for a while slows all of them.

    A turn may be `together` calls, after one that is not counted where `warm`: for calls that slow the next of another.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            costs[name] += repeated(call, together, warm=warm)
    return costs


def per_core(what: str, texts: int, costs: list[Cost]) -> Figure:
    """Return texts a second of a core: by the CPU time of the process, all threads."""
    return Figure(what, rates(texts, [cost.cpu for cost in costs]), "texts/s of a core")


def answer_all(model: Model, texts: pa.StringArray, tasks: Iterable[str] | None = None) -> dict[str, Answer]:
    """Answer for every task, or those named, on a batch that the model has not seen: it keeps its scores of one."""
    batch = pa.RecordBatch.from_arrays([texts], names=["normalised"])
    return {task: model.answer(task, batch) for task in tasks or model.manifest.tasks}
