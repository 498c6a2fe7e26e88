"""Texts scored on demand, by the model of any digest; a few opened models are kept at hand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from echopulse.registry.probe import probe
from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import STANCE
from transforms.model import question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transforms.model import Model

#: A transformer takes some 60 MB.
MOST_OPEN = 4
MOST_TEXTS = 1_000


@dataclass(frozen=True)
class TextScores:
    """Labels in order, and for each text the one said and the chances of all."""

    digest: str
    labels: tuple[str, ...]
    said: list[str]
    chances: list[list[float]]


class Scorer:
    """Opened models by digest, the ones asked longest ago let go first. Models score one batch at a time."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._open: OrderedDict[str, Model] = OrderedDict()
        self._lock = threading.Lock()

    def score(self, folder: Path, digest: str, task: str, texts: Sequence[str], target: str = "") -> TextScores:
        """Score texts; raises EchoPulseError for too many of them, a damaged artifact, or a target unknown to it."""
        if len(texts) > MOST_TEXTS:
            raise EchoPulseError(f"{len(texts):,} texts in one request", f"at most {MOST_TEXTS:,}")
        with self._lock:
            model = self._opened(folder, digest)
            head = _head(model, task, target)
            answer = model.answer(head, question(pa.array(list(texts), pa.string()))) if texts else None
        labels = model.manifest.task(head).labels
        if answer is None:
            return TextScores(digest, labels, [], [])
        said = [labels[place] for place in answer.chosen]
        return TextScores(digest, labels, said, answer.probabilities.tolist())

    def _opened(self, folder: Path, digest: str) -> Model:
        if digest not in self._open:
            self._open[digest] = probe(folder, digest)
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        self._open.move_to_end(digest)
        return self._open[digest]


def _head(model: Model, task: str, target: str) -> str:
    if task != STANCE.rstrip("."):
        if target:
            raise EchoPulseError(f"{task} is toward nobody", "leave out the target")
        return task
    known = model.manifest.stance_targets()
    if target not in known:
        name = model.manifest.name
        raise EchoPulseError(f"model '{name}' knows no stance toward '{target}'", did_you_mean(target, known))
    return STANCE + target
