"""Consistency of features: what is served is what the lake's events give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from echopulse.registry.gates.gate import Case

_REPO = Path(__file__).parents[3] / "features"


class FeatureConsistency(Gate):
    """Of the values of views online, the share that is not what the lake's events give, at most; by `feature check`."""

    name: ClassVar[str] = "feature_consistency"
    views: tuple[str, ...]
    sample: int = Field(default=100, ge=1)
    ceiling: float = Field(default=0.0, ge=0, lt=1)

    def check(self, case: Case) -> Finding:
        """Compute a sample anew."""
        # Feast costs seconds to import.
        from echopulse.job.check import Request  # noqa: PLC0415
        from echopulse.job.check import check as compare  # noqa: PLC0415
        from features.machinery.catalog import declared_views  # noqa: PLC0415

        declared = {view.name: view for view in declared_views(_REPO, case.settings.home)}
        for view in self.views:
            if view not in declared:
                raise EchoPulseError(f"no feature view '{view}'", did_you_mean(view, declared))
        found = compare(case.settings, [declared[view] for view in self.views], Request(self.sample, 1, None))
        values = sum(found.totals.values())
        if not values:
            raise EchoPulseError(f"no value of {', '.join(self.views)} could be checked", "let the job run for longer")
        share = found.wrong / values
        told = f"{found.wrong:,} of {values:,} values are wrong; the ceiling of their share is {self.ceiling:g}"
        return Finding(share <= self.ceiling, told, {"share": share, "values": float(values)})
