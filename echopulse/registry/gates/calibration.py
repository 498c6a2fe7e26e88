"""Calibration: chances that mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from echopulse.training.evaluation import Asked
from echopulse.training.metrics import calibration_error

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Case


class Calibration(Gate):
    """The expected calibration error (0 to 1) of the likeliest label, at most the ceiling."""

    name: ClassVar[str] = "calibration"
    split: str = "val"
    ceiling: float = Field(gt=0, le=1)

    def check(self, case: Case) -> Finding:
        """Measure it on the labelled rows."""
        asked = Asked(case.model, case.task, case.rows(self.split))
        right = (asked.chances.argmax(axis=1) == asked.gold).astype(int)
        error = calibration_error(asked.chances.max(axis=1), right)
        return Finding(error <= self.ceiling, f"error {error:.4f}; the ceiling is {self.ceiling:g}", {"error": error})
