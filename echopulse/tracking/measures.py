"""What an evaluation's document says, as a run's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def numbers(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a document of `evaluate`, named TASK.METRIC, with `.low` and `.high` of the interval.

    Those under evasion are TASK.evasion.ATTACK, those on sentences that name a group identity.GROUP.
    """
    found: dict[str, float] = {}
    for name, task in document.get("tasks", {}).items():
        metric = f"{name}.{task['metric']}"
        found |= {metric: task["value"], f"{metric}.low": task["low"], f"{metric}.high": task["high"]}
        found[f"{name}.rows"] = task["rows"]
        if "calibration_error" in task:
            found[f"{name}.calibration_error"] = task["calibration_error"]
    for name, row in document.get("evasion", {}).items():
        found |= {f"{name}.evasion.{attack}": value for attack, value in row.items()}
    if "identity" in document:
        groups = {"all": document["identity"]["all"], **document["identity"]["groups"]}
        found |= {f"identity.{group.replace(' ', '_')}": share for group, share in groups.items()}
    for model, tasks in document.get("cross_validation", {}).items():
        found |= {f"cross_validation.{model}.{name}": task["value"] for name, task in tasks.items()}
    if "texts_per_second" in document:
        found["texts_per_second"] = document["texts_per_second"]
    return {name: float(value) for name, value in found.items()}
