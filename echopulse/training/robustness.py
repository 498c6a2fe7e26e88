"""What is left of a metric when writers disguise their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from echopulse.training import datasets
from echopulse.training.evaluation import Asked
from echopulse.training.identity import identity_false_positives
from transforms.artifact import find_artifact
from transforms.evasion import ATTACKS, evade
from transforms.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from transforms.model import Model

#: Tasks that somebody would want to evade.
TASKS = ("offensive", "hate", "toxicity")


def robustness(model: str, data: Path, split: str, on_step: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return what `under_evasion` and `identity_false_positives` say, as `evasion` and, of a toxic head, `identity`."""
    opened = load_model(find_artifact(model))
    found: dict[str, Any] = {"evasion": under_evasion(opened, data, split, on_step=on_step)}
    if "toxicity" in opened.manifest.tasks:
        on_step("sentences that name a group of people")
        found["identity"] = identity_false_positives(opened)
    return found


def under_evasion(
    model: Model, data: Path, split: str, seed: int = 0, on_step: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, float]]:
    """Return each task's metric in percent on a split as it is ('plain') and under each attack, by task.

    Tasks that the model or the folder lacks are left out.
    """
    table = {}
    for name in TASKS:
        labelled = datasets.load(data, name, split) if name in model.manifest.tasks else None
        if labelled is None or not len(labelled.labels):
            continue
        on_step(f"{name}, as written")
        row = {"plain": Asked(model, name, labelled).document()["value"]}
        for attack in ATTACKS:
            on_step(f"{name}, disguised by {attack}")
            disguised = datasets.Labelled(evade(labelled.texts, attack, seed), labelled.labels)
            row[attack] = Asked(model, name, disguised).document()["value"]
        table[name] = row
    return table
