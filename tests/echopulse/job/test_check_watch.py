"""The check made over and over: what it counts, and that nothing ends it but its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest

from echopulse.job.check import Checked
from echopulse.job.check_watch import ConsistencyCounts, ConsistencyWatch, consistency_watched
from echopulse.settings import Settings
from echopulse.settings_sections import Consistency, Lake
from features.machinery.consistency import Disagreement, ViewReport

if TYPE_CHECKING:
    from pathlib import Path

_DEADLINE_S = 60
COUNTS = {"checked": 9, "equal": 5, "mismatch": 1, "missing": 2, "extra": 0, "late": 0, "error": 1}
WORST = Disagreement("user_1m", {"user_id": "somebody"}, "repeats", "mismatch", 3, 4, 60_000)


def report() -> ViewReport:
    """A view of two features."""
    return ViewReport(9, 9, 0, 0, 0, 0, 0, 0, {"repeats": COUNTS, "toxicity": COUNTS}, WORST)


def shown(registry: CollectorRegistry) -> list[str]:
    """The lines that Prometheus reads."""
    return generate_latest(registry).decode().splitlines()


def test_values_are_counted_by_view_feature_and_outcome() -> None:
    """Checks add up; no entity is named."""
    registry = CollectorRegistry()
    counts = ConsistencyCounts(registry)
    for _ in range(2):
        counts.add(Checked(60_000, {"user_1m": report()}))
    lines = shown(registry)
    assert 'feature_consistency_rows_total{feature="repeats",outcome="mismatch",view="user_1m"} 2.0' in lines
    assert 'feature_consistency_rows_total{feature="toxicity",outcome="equal",view="user_1m"} 10.0' in lines
    assert 'feature_consistency_rows_total{feature="toxicity",outcome="extra",view="user_1m"} 0.0' in lines
    assert "somebody" not in "".join(lines)


def test_a_check_that_cannot_be_made_is_counted(tmp_path: Path) -> None:
    """Here the lake is empty; the next check is made all the same, until the block ends."""
    registry = CollectorRegistry()
    settings = Settings(
        home=tmp_path / "home", lake=Lake(path=str(tmp_path / "lake")), consistency=Consistency(check_every_seconds=1)
    )
    with consistency_watched(settings, registry):
        deadline = time.monotonic() + _DEADLINE_S
        while _failures(registry) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert _failures(registry) >= 2


def test_nothing_is_watched_where_nobody_asked(tmp_path: Path) -> None:
    """Not even shown as zero."""
    registry = CollectorRegistry()
    with consistency_watched(Settings(home=tmp_path), registry):
        assert shown(registry) == []


def test_the_watch_ends_when_told(tmp_path: Path) -> None:
    """Though its pause is an hour."""
    settings = Settings(home=tmp_path, consistency=Consistency(check_every_seconds=3_600))
    watch = ConsistencyWatch(settings, ConsistencyCounts(CollectorRegistry()))
    watch.start()
    watch.end()
    assert not watch.is_alive()


def _failures(registry: CollectorRegistry) -> float:
    value = registry.get_sample_value("feature_consistency_failures_total")
    assert value is not None
    return value
