"""What every gate is: declared with its limits, asked about a case, answering with what it measured."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from echopulse.training import datasets
from echopulse.training.evaluation import SPLITS
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from echopulse.settings import Settings
    from transforms.model import Model


@dataclass(frozen=True)
class Case:
    """What is judged: a model for a task, beside the champion it would follow, on the folder of labelled files."""

    task: str
    model: Model
    folder: Path
    champion: Model | None
    data: Path
    settings: Settings

    @property
    def labelled(self) -> datasets.LabelledTask:
        """The task's declaration."""
        return datasets.TASKS[self.task]

    def rows(self, split: str) -> datasets.Labelled:
        """Return the task's labelled rows; raises EchoPulseError where there are none."""
        if split not in SPLITS:
            raise EchoPulseError(f"no split '{split}'", f"known: {', '.join(SPLITS)}")
        labelled = datasets.load(self.data, self.task, split) if self.data.is_dir() else None
        if labelled is None or not len(labelled.labels):
            raise EchoPulseError(f"{self.data} has no {split} rows for {self.task}", "--data names the folder")
        return labelled


@dataclass(frozen=True)
class Finding:
    """What a gate found: whether the model passes, why in one line, and the numbers."""

    passed: bool
    told: str
    numbers: Mapping[str, float] = field(default_factory=dict)


class Gate(BaseModel):
    """A gate; its fields are its limits in YAML. `check` may raise: a gate that cannot run counts as failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]

    @abstractmethod
    def check(self, case: Case) -> Finding:
        """Measure the case and compare it with the limits."""
