"""Documents as numbers."""

from __future__ import annotations

from echopulse.tracking.measures import numbers


def test_every_figure_has_its_name() -> None:
    """Metric and interval, calibration, evasion, groups, folds and speed."""
    task = {"metric": "macro_f1", "value": 70.0, "low": 68.0, "high": 72.0, "rows": 10, "calibration_error": 0.01}
    document = {
        "tasks": {"hate": task},
        "evasion": {"hate": {"plain": 70.0, "leetspeak": 60.0}},
        "identity": {"all": 1.0, "groups": {"sex and age": 2.0}},
        "cross_validation": {"bag": {"hate": {"value": 66.0}}},
        "texts_per_second": 100_000,
    }
    assert numbers(document) == {
        "hate.macro_f1": 70.0,
        "hate.macro_f1.low": 68.0,
        "hate.macro_f1.high": 72.0,
        "hate.rows": 10.0,
        "hate.calibration_error": 0.01,
        "hate.evasion.plain": 70.0,
        "hate.evasion.leetspeak": 60.0,
        "identity.all": 1.0,
        "identity.sex_and_age": 2.0,
        "cross_validation.bag.hate": 66.0,
        "texts_per_second": 100_000.0,
    }
