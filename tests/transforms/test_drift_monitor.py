"""Many series: which values are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from transforms import drift_monitor
from transforms.drift_measures import MEASURES, Observed
from transforms.drift_monitor import Monitor, SeriesKey
from transforms.drift_series import Rules

if TYPE_CHECKING:
    import pytest

RULES = Rules(pane_events=50, baseline_panes=10, false_alarms=0.01)


def seen(channels: list[str], values: list[float], models: list[str] | None = None) -> Observed:
    """Toxicities of channels, whose source is what stands before the dash."""
    sources = pa.array([channel.partition("-")[0] for channel in channels])
    scored = {} if models is None else {"toxicity": pa.array(models)}
    times = np.arange(len(channels))
    return Observed(pa.array(channels), sources, times, {"toxicity": np.array(values)}, scored)


def held(monitor: Monitor) -> dict[SeriesKey, int]:
    """How many values each series has taken, of panes that are not full."""
    return {key: series.pane.rows for key, series in monitor.series.items() if series.pane}


def test_values_go_by_source_and_model() -> None:
    """NaN goes nowhere; a new model begins a series of its own."""
    monitor = Monitor(RULES)
    monitor.observe(seen(["x-1", "x-2", "t-1", "x-1"], [0.1, 0.2, 0.3, np.nan], ["m1", "m2", "m1", "m1"]))
    assert held(monitor) == {
        SeriesKey("toxicity", "x", "m1"): 1,
        SeriesKey("toxicity", "x", "m2"): 1,
        SeriesKey("toxicity", "t", "m1"): 1,
    }


def test_groups_are_named_by_patterns() -> None:
    """The first that fits; the rest by source."""
    monitor = Monitor(RULES, {"loud": ["t-1*", "x-9"], "others here": ["t-*"]})
    monitor.observe(seen(["t-11", "t-2", "x-9", "x-1"], [0.1] * 4))
    assert {key.group: rows for key, rows in held(monitor).items()} == {"loud": 2, "others here": 1, "x": 1}


def test_drift_is_told_of_its_group_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its task; the rate of false alarms is shared by the measures."""
    monitor = Monitor(RULES)
    random = np.random.default_rng(1)
    for level, alarms in ((0.2, 0), (0.7, 1)):
        values = np.where(
            np.arange(1_500) % 2, random.beta(4, 16, 1_500), random.beta(20 * level, 20 - 20 * level, 1_500)
        )
        found = monitor.observe(seen(["a-1", "b-1"] * 750, values.tolist()))
        told = [each for each in found if each.shift.method == "distribution"]
        assert [(each.key.group, each.task) for each in told] == [("a", "toxicity")] * alarms
    assert monitor.series[SeriesKey("toxicity", "a", "")].rules.false_alarms == RULES.false_alarms / len(MEASURES)
    monkeypatch.setattr(drift_monitor, "MOST_SERIES", 2)
    monitor.observe(seen(["c-1", "d-1"], [0.5, 0.5]))
    assert set(held(monitor)) & {SeriesKey("toxicity", "others", "")}
    assert len(monitor.series) == 3
