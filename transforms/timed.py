"""The models of a timeline as one: the model of a row is that of its event time, in a replay as in the stream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from schemas.errors import EchoPulseError
from transforms.loading import load_model
from transforms.model import Answer, Model, question
from transforms.timeline_file import TimelineFile, artifact_folder, read_timeline

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.artifact import Manifest

#: Reads of the file within the lead of a change, at least.
_READS_A_LEAD = 3
#: How long a worker waits for a timeline that it may believe again; its events wait with it.
PATIENCE_S = 600.0
_POLL_S = 0.1
_WARM = "good morning"

_Parts = list[tuple["NDArray[np.bool_]", pa.RecordBatch, Model]]


class TimedModel(Model):
    """Answers by event time (column `ts`, ms) alone: a change holds from one instant on, on every worker.

    The file is read again every third of its lead, and a model that it newly names is opened and asked once before its
    time comes. A timeline that has not been renewed in time may lack a change: then nothing is scored until it is.
    Where the model of a row lacks a task, its probabilities are NaN.
    """

    def __init__(self, folder: Path, task: str, patience_s: float = PATIENCE_S) -> None:
        """Open the models of today's timeline; raises EchoPulseError where it or one of them cannot be read."""
        self._folder, self._task, self._patience_s = folder, task, patience_s
        self._read_at = time.monotonic()
        self._timeline = read_timeline(folder, task)
        self._models = self._opened(self._timeline)
        super().__init__(self._joint_manifest(), "")
        self._last: tuple[pa.RecordBatch, _Parts] | None = None

    def answer(self, task: str, batch: pa.RecordBatch) -> Answer:
        """Answer each row by the model of its time. Raises EchoPulseError where the timeline stays out of date."""
        parts = self._parts(batch)
        if len(parts) == 1:
            return self._answered(task, parts[0][1], parts[0][2])
        answers = [(rows, self._answered(task, part, model)) for rows, part, model in parts]
        width = answers[0][1].probabilities.shape[1]
        probabilities, chosen = np.empty((batch.num_rows, width)), np.zeros(batch.num_rows, np.int64)
        names: NDArray[np.object_] = np.empty(batch.num_rows, object)
        for rows, one in answers:
            probabilities[rows], chosen[rows] = one.probabilities, one.chosen
            names[rows] = one.models.to_numpy(zero_copy_only=False)
        return Answer(probabilities, chosen, pa.array(names, pa.string()))

    def _answered(self, task: str, batch: pa.RecordBatch, model: Model) -> Answer:
        if task in model.manifest.tasks:
            return model.answer(task, batch)
        nothing = np.full((batch.num_rows, len(self.manifest.task(task).labels)), np.nan)
        names = pa.array([model.digest] * batch.num_rows, pa.string())
        return Answer(nothing, np.zeros(batch.num_rows, np.int64), names)

    def _parts(self, batch: pa.RecordBatch) -> _Parts:
        """Return (rows, their part of the batch, the model of their time); once a batch, however many tasks ask."""
        if self._last is not None and self._last[0] is batch:
            return self._last[1]
        self._refresh()
        begins = np.array([from_ms for from_ms, _ in self._timeline.entries], np.int64)
        times = batch.column("ts").cast(pa.int64()).to_numpy()
        places = np.maximum(np.searchsorted(begins, times, side="right") - 1, 0)
        parts: _Parts = []
        for place in np.unique(places) if batch.num_rows else [0]:
            rows = places == place
            part = batch if rows.all() else batch.filter(pa.array(rows))
            parts.append((rows, part, self._models[self._timeline.entries[place][1]]))
        self._last = (batch, parts)
        return parts

    def _refresh(self) -> None:
        """Read the timeline where that is due; wait where it may not be believed any more."""
        if time.monotonic() - self._read_at >= self._timeline.lead_ms / 1_000 / _READS_A_LEAD or self._lapsed():
            self._read()
        deadline = time.monotonic() + self._patience_s
        while self._lapsed():
            if time.monotonic() > deadline:
                raise EchoPulseError(
                    f"the timeline of {self._task} in {self._folder} has not been renewed for {self._patience_s:g} s",
                    "is `echopulse registry follow` running, and MLflow?",
                )
            time.sleep(_POLL_S)
            self._read()

    def _lapsed(self) -> bool:
        return time.time_ns() // 1_000_000 > self._timeline.valid_until_ms

    def _read(self) -> None:
        timeline = read_timeline(self._folder, self._task)
        self._read_at = time.monotonic()
        if timeline.entries != self._timeline.entries:
            self._models = self._opened(timeline)
        self._timeline = timeline
        self.manifest = self._joint_manifest()

    def _opened(self, timeline: TimelineFile) -> dict[str, Model]:
        models: dict[str, Model] = {}
        for _, digest in timeline.entries:
            model = models.get(digest) or load_model(artifact_folder(self._folder, digest))
            if model.digest != digest:
                raise EchoPulseError(f"{artifact_folder(self._folder, digest)} is {model.digest}, not {digest}")
            if digest not in models:
                _warm(model)
            models[digest] = model
        return models

    def _joint_manifest(self) -> Manifest:
        """Return the last model's manifest with the tasks of all."""
        last = self._models[self._timeline.entries[-1][1]].manifest
        tasks = {name: task for model in self._models.values() for name, task in model.manifest.tasks.items()}
        return last.model_copy(update={"tasks": tasks | last.tasks})


def _warm(model: Model) -> None:
    """Let a model do what it does at its first text."""
    batch = question(pa.array([_WARM], pa.string()))
    for task in model.manifest.tasks:
        model.answer(task, batch)
