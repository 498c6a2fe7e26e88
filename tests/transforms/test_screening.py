"""Stages and reasons."""

from __future__ import annotations

import numpy as np

from transforms.screening import Outcome


def test_first_refusal_stays() -> None:
    """A row keeps the first stage that refused it, and each its own reason."""
    outcome = Outcome(4)
    outcome.refuse([1, 3], "decode", lambda index: f"reason {index}")
    outcome.refuse(np.array([0, 1]), "time", "late")
    assert outcome.stages().to_pylist() == ["time", "decode", "", "decode"]
    assert outcome.reasons().to_pylist() == ["late", "reason 0", "", "reason 1"]
    assert outcome.passed.tolist() == [False, False, True, False]


def test_nothing_refused() -> None:
    """All rows of a good batch have an empty stage and reason."""
    assert Outcome(2).stages().to_pylist() == Outcome(2).reasons().to_pylist() == ["", ""]
