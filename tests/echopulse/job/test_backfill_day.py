"""A day of a backfill; what it computes and publishes is shown with real engines in tests/system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.job.backfill_day import _Computing

if TYPE_CHECKING:
    import pytest


class CountedLease:
    """Counts how often it was renewed."""

    renewed = 0

    def renew(self) -> None:
        """Count."""
        self.renewed += 1


def test_what_computes_is_told_and_the_lease_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as the engine asks; the lease is renewed once a minute."""
    now = 100.0
    monkeypatch.setattr("echopulse.job.backfill_day.time.monotonic", lambda: now)
    lease, told = CountedLease(), list[str]()
    computing = _Computing(lease, told.append)
    for now in (130.0, 160.0, 160.5, 220.0, 221.0):  # noqa: B007 read by the clock
        computing()
    assert told == ["computing"] * 6
    assert lease.renewed == 2
