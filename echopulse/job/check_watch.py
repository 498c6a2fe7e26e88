"""The check of consistency made over and over while the job runs, as counters for Prometheus."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from echopulse.job.submit import FEATURES
from echopulse.telemetry import logger
from features.machinery.outcomes import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from echopulse.job.check import Checked
    from echopulse.settings import Settings

_LOG = logger(__name__)
_END_S = 1.0


class ConsistencyCounts:
    """What the checks of this process came to; labels are views, features and outcomes, never an entity."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Show them in a registry."""
        self._rows = Counter(
            "feature_consistency_rows",
            "Values online that were held against the lake's events, by what came of it",
            ["view", "feature", "outcome"],
            registry=registry,
        )
        self._failures = Counter(
            "feature_consistency_failures",
            "Checks that could not be made: lake or store did not answer",
            registry=registry,
        )
        self._checked = Gauge(
            "feature_consistency_last_check_timestamp_seconds", "When the last check was made", registry=registry
        )

    def add(self, found: Checked) -> None:
        """Count what a check found."""
        for view, report in found.views.items():
            for feature, counts in report.features.items():
                for outcome in OUTCOMES:
                    self._rows.labels(view, feature, outcome).inc(counts[outcome])
        self._checked.set(time.time())

    def failed(self) -> None:
        """Count a check that could not be made."""
        self._failures.inc()


class ConsistencyWatch(threading.Thread):
    """Makes a check every `consistency.check_every_seconds`, one at a time; each is bounded as `check` is."""

    def __init__(self, settings: Settings, counts: ConsistencyCounts) -> None:
        """Prepare it; `start` begins with a pause."""
        super().__init__(name="consistency-watch", daemon=True)
        self._settings = settings
        self._counts = counts
        self._ended = threading.Event()

    def run(self) -> None:
        """Check until told to end; one that fails is logged and counted, and the next is made all the same."""
        while not self._ended.wait(self._settings.consistency.check_every_seconds):
            self.check_once()

    def end(self) -> None:
        """Begin no further check; one under way ends with the process."""
        self._ended.set()
        self.join(_END_S)

    def check_once(self) -> None:
        """Make one check and count it."""
        from echopulse.job.check import Request, check
        from features.machinery.catalog import declared_views

        try:
            views = declared_views(FEATURES, self._settings.home)
            found = check(self._settings, views, Request(self._settings.consistency.sample))
        except Exception as error:  # noqa: BLE001 a watch that dies unseen would look like a watch that sees nothing
            self._counts.failed()
            _LOG.warning("consistency was not checked", reason=f"{type(error).__name__}: {error}")
            return
        self._counts.add(found)
        if found.wrong:
            worst = found.worst
            _LOG.warning(
                "values online are not what they should be",
                values=found.wrong,
                **({"view": worst.view, "feature": worst.feature, "outcome": worst.outcome} if worst else {}),
            )


@contextmanager
def consistency_watched(settings: Settings, registry: CollectorRegistry) -> Iterator[None]:
    """Check consistency over and over inside the block, where the settings say how often."""
    if not settings.consistency.check_every_seconds:
        yield
        return
    watch = ConsistencyWatch(settings, ConsistencyCounts(registry))
    watch.start()
    try:
        yield
    finally:
        watch.end()
