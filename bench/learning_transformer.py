"""How the transformer gains from more labelled rows: wants torch, and ten minutes on two cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.embedded import step
from bench.learning import FOLDS, LEARNT, SHOWN, drawn, figure, opened
from bench.measure import Figure, Section
from echopulse.training import datasets
from echopulse.training.heads import load_all
from echopulse.training.transformer import Recipe, fit
from echopulse.training.tuning_folds import cross_calibrated

if TYPE_CHECKING:
    from pathlib import Path

NAME = "learning-transformer"
_SEED = 0
#: Half of the rows takes longer than both, and all of them twice that.
_SHARES = (0.125, 0.25)


def measure(data: Path, folder: Path) -> Section:
    """Train transformers into `folder` on shares of the files in `data`, and ask them about the validation rows."""
    tasks = datasets.chosen_tasks(LEARNT)
    examples, held = (load_all(data, tasks, split) for split in ("train", "val"))
    figures: list[Figure] = []
    for share in _SHARES:
        step(f"a transformer on {100 * share:g} % of the rows")
        place = folder / f"{share}"
        fit(drawn(examples, share, _SEED), held, place, Recipe(seed=_SEED), step)
        found = cross_calibrated(opened(place), held, FOLDS)
        figures += [figure(name, share, "transformer", [found[name]]) for name in SHOWN]
    return Section(
        NAME,
        "The transformer on more and more labelled rows (`learning-transformer`)",
        "The rows, their draw, the folds that calibrate and the interval are those of `learning`; one seed, and one "
        "pass over the rows, and no larger teachers, which the shipped transformer had.",
        tuple(figures),
        ("with one pass, fewer rows are fewer steps too: a small share might gain from a second one",),
    )
