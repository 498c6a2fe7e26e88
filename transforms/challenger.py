"""Who is a task's challenger: a file that the registry's follower writes, and the model in shadow that goes by it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError
from transforms.loading import load_model
from transforms.model import Answer, Model
from transforms.model_strategy import ModelStrategy
from transforms.timeline_file import artifact_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from transforms.artifact import Manifest
    from transforms.strategy import Context

_FOLDER = "challenger"
_READ_EVERY_S = 2.0


def write_challenger(folder: Path, task: str, digest: str) -> None:
    """Replace a task's challenger in one step; '' says that there is none."""
    path = _path(folder, task)
    if not digest:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps({"digest": digest}), encoding="utf-8")
    partial.replace(path)


def read_challenger(folder: Path, task: str) -> str:
    """Return the digest of a task's challenger, '' where there is none; raises EchoPulseError for a damaged file."""
    path = _path(folder, task)
    try:
        return str(json.loads(path.read_bytes())["digest"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EchoPulseError(f"{path} names no challenger: {error}", "echopulse registry follow writes it") from error


class ChallengerModel(Model):
    """The model that the file names, looked at every two seconds and opened anew where it is another one."""

    manifest: Manifest

    def __init__(self, folder: Path, task: str) -> None:
        """Read nothing yet: manifest and digest are those of the challenger once there is one."""
        self._folder, self._task = folder, task
        self._read_at = float("-inf")
        self._model: Model | None = None
        self._fault: EchoPulseError | None = None
        self.digest = ""

    def refresh(self) -> bool:
        """Look who is challenger where that is due; say whether there is one, be it one that cannot be opened."""
        if time.monotonic() - self._read_at >= _READ_EVERY_S:
            self._read_at = time.monotonic()
            try:
                self._open(read_challenger(self._folder, self._task))
                self._fault = None
            except EchoPulseError as error:
                self._fault = error
        return self._model is not None or self._fault is not None

    def answer(self, task: str, batch: pa.RecordBatch) -> Answer:
        """Answer as the challenger; raises EchoPulseError where there is none, or it cannot be opened."""
        return self.current().answer(task, batch)

    def current(self) -> Model:
        """Return the challenger's model; raises EchoPulseError where there is none, or it cannot be opened."""
        if self._fault is not None or self._model is None:
            raise self._fault or EchoPulseError(f"{self._task} has no challenger")
        return self._model

    def _open(self, digest: str) -> None:
        if not digest:
            self._model, self.digest = None, ""
        elif digest != self.digest:
            folder = artifact_folder(self._folder, digest)
            model = load_model(folder)
            if model.digest != digest:
                raise EchoPulseError(f"{folder} is {model.digest}, not {digest}")
            self._model, self.manifest, self.digest = model, model.manifest, digest


class ChallengerStrategy(ModelStrategy):
    """Scores in shadow by whoever is challenger, and not at all where nobody is.

    The option `timeline` is the folder of the registry's follower, as for the active strategy.
    """

    _challenger: ChallengerModel

    def open(self, context: Context) -> None:
        """Keep the folder; raises EchoPulseError where none is named."""
        folder = context.options.get("timeline")
        if not folder:
            raise EchoPulseError(
                f"challenger of {self.kind}: no folder is named",
                f"strategy_options.{self.kind}.timeline is that of `echopulse registry follow`",
            )
        self._model = self._challenger = ChallengerModel(Path(folder), self.kind)

    def ready(self) -> bool:
        """Say whether there is a challenger; each text that one which cannot be opened was to score tells why."""
        there = self._challenger.refresh()
        if self._challenger.digest:
            self.languages = self._challenger.manifest.task(self._task()).languages
        return there


def _path(folder: Path, task: str) -> Path:
    return folder / _FOLDER / f"{task}.json"
