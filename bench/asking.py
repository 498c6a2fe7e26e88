"""How the cascade's metrics grow with the share of rows that its second model is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.embedded import step
from bench.measure import Figure, Section
from echopulse.training import datasets
from echopulse.training.heads import load_all
from echopulse.training.remembered import remembered
from echopulse.training.tuning_folds import CASCADE, cross_validate_tuning
from transforms.artifact import find_artifact
from transforms.loading import load_model
from transforms.model import TableModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from transforms.model import Model

NAME = "asking"
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
_FOLDS = 5
_FIRST, _SECOND = "default", "transformer"


def measure(data: Path, folder: Path) -> Section:
    """Tune cascades of the shipped models on the validation rows of `data`, fold by fold; `folder` is not used."""
    del folder
    step("the cascade with more and more asked")
    held = load_all(data, list(datasets.TASKS), "val")
    models: dict[str, Model] = {}
    for name in (_FIRST, _SECOND):
        model = load_model(find_artifact(name))
        if isinstance(model, TableModel):
            models[name] = remembered(model, [rows.texts for rows in held.values()], step)
    by_share = {
        share: cross_validate_tuning(held, _FOLDS, models, lambda _: None, dict.fromkeys(held, share))[CASCADE]
        for share in SHARES
    }
    rows = ", ".join(f"{name} {len(part.labels):,}" for name, part in held.items())
    return Section(
        NAME,
        "The cascade with more and more asked (`asking`)",
        f"`{_FIRST}` answers, `{_SECOND}` is asked where it is least certain. {_FOLDS} folds of the validation rows "
        f"({rows}): calibration, decisions and threshold are fitted on all but one and judged on that one. In percent; "
        f"held against `{_SECOND}` on the same rows.",
        tuple(figure(name, share, found[name]) for name in held for share, found in by_share.items()),
        ("the two models were trained once, on training rows alone; the interval is by the paired bootstrap",),
    )


def figure(name: str, share: float, found: Mapping[str, Any]) -> Figure:
    """Return a task's metric where a share of its rows is asked about."""
    difference = found["difference"]
    return Figure(
        f"{name}, {100 * share:g} % asked",
        (float(found["value"]),),
        found["metric"],
        f"{difference['value']:+.1f} ({difference['low']:+.1f} to {difference['high']:+.1f})",
    )
