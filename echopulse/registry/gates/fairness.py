"""False positives by group: harmless sentences that name a group of people, taken for bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from echopulse.training.identity import ASKED, TERMS, sentences
from schemas.errors import EchoPulseError
from transforms.model import question

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Case

#: Which label is a false positive on a harmless sentence.
_BAD = {"toxicity": "toxic", "offensive": "offensive", "hate": "hate", "sentiment": "negative"}


class GroupFalsePositives(Gate):
    """The share, in percent, of each group's sentences that are taken for bad: none above the ceiling."""

    name: ClassVar[str] = "group_false_positives"
    ceiling: float = Field(gt=0, le=100)

    def check(self, case: Case) -> Finding:
        """Name the group that fares worst."""
        if case.task not in _BAD:
            raise EchoPulseError(f"a sentence that names a group says nothing of {case.task}", "leave the gate out")
        bad = case.labelled.labels.index(_BAD[case.task])
        texts, groups = sentences(ASKED)
        said = case.model.answer(case.task, question(texts)).chosen == bad
        shares = {group: 100.0 * float(said[groups == group].mean()) for group in TERMS}
        worst = max(shares, key=lambda group: shares[group])
        told = f"{shares[worst]:.2f} % of the sentences on {worst} taken for {_BAD[case.task]}"
        return Finding(shares[worst] <= self.ceiling, f"{told}; the ceiling is {self.ceiling:g}", shares)
