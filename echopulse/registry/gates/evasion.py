"""Evasion: what is left of the metric when writers disguise their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from echopulse.training.datasets import Labelled
from echopulse.training.evaluation import Asked
from echopulse.training.metrics import METRICS
from transforms.evasion import ATTACKS, evade

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Case


class Evasion(Gate):
    """How many points of percent the metric loses under each attack on the first `rows` labelled rows, at most."""

    name: ClassVar[str] = "evasion"
    split: str = "val"
    rows: int = Field(default=2_000, ge=100)
    ceiling_loss: float = Field(gt=0, le=100)

    def check(self, case: Case) -> Finding:
        """Attack the rows and name the attack that costs most."""
        whole = case.rows(self.split)
        targets = None if whole.targets is None else whole.targets.slice(0, self.rows)
        rows = Labelled(whole.texts.slice(0, self.rows), whole.labels[: self.rows], targets)
        metric = METRICS[case.labelled.metric]
        plain = float(metric(Asked(case.model, case.task, rows).counts))
        numbers = {"plain": plain}
        for attack in ATTACKS:
            disguised = Labelled(evade(rows.texts, attack, 0), rows.labels, rows.targets)
            numbers[attack] = float(metric(Asked(case.model, case.task, disguised).counts))
        worst = min(ATTACKS, key=lambda attack: numbers[attack])
        loss = plain - numbers[worst]
        told = f"{plain:.2f}, under {worst} {numbers[worst]:.2f}; the ceiling of the loss is {self.ceiling_loss:g}"
        return Finding(loss <= self.ceiling_loss, told, numbers)
