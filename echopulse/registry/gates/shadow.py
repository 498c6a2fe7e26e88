"""Agreement in shadow: what the model said of live events, beside what the champion said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from echopulse.registry.shadow import compare
from schemas.errors import EchoPulseError
from schemas.topics import SHADOW

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Case


class ShadowAgreement(Gate):
    """The share of the newest `events` that the model scored in shadow on which it said what the champion said."""

    name: ClassVar[str] = "shadow_agreement"
    events: int = Field(ge=1, le=100_000)
    least: float = Field(gt=0, le=1)

    def check(self, case: Case) -> Finding:
        """Read the topic from its end."""
        seen = compare(case.settings, case.task, case.model.digest, self.events)
        if seen.events < self.events:
            raise EchoPulseError(
                f"{SHADOW} holds {seen.events} events that {case.model.digest[:19]} scored of {seen.kind}",
                f"{self.events} are wanted; let it score in shadow for longer",
            )
        told = f"agrees on {100 * seen.agreement:.1f} % of {seen.events:,} events; {100 * self.least:g} % are wanted"
        return Finding(seen.agreement >= self.least, told, {"agreement": seen.agreement, "events": float(seen.events)})
