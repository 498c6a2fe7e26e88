"""What strategies that score by an artifact share: how they open it and which languages it reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact
from transforms.loading import load_model
from transforms.shedding import parse_shedding
from transforms.strategy import Context, Strategy
from transforms.timed import TimedModel

if TYPE_CHECKING:
    from transforms.model import Model


class ModelStrategy(Strategy):
    """A strategy by an artifact: the one of its option `model` (a name or a folder), else `artifact`.

    An `artifact` of '' is the job's own model. The option `shed` makes a cascade shed load (transforms.shedding). With
    the option `timeline`, a folder of the registry's follower, each event is scored by the model of its time.
    """

    artifact: ClassVar[str] = ""

    _model: Model

    def open(self, context: Context) -> None:
        """Load the artifact, shared with the other tasks it serves; raises EchoPulseError where it lacks the task."""
        shed = context.options.get("shed")
        if timeline := context.options.get("timeline"):
            if shed or "model" in context.options:
                raise EchoPulseError("timeline: it names the models itself", "leave out the options model and shed")
            self._model = TimedModel(Path(timeline), self.kind)
            self.languages = self._model.manifest.task(self._task()).languages
            return
        self._model = load_model(self._folder(context), parse_shedding(shed) if shed else None)
        self.languages = self._model.manifest.task(self._task()).languages

    def _task(self) -> str:
        """Return the task whose languages are the strategy's."""
        return self.kind

    def _folder(self, context: Context) -> Path:
        if "model" in context.options:
            return find_artifact(context.options["model"])
        return find_artifact(self.artifact) if self.artifact else context.artifact
