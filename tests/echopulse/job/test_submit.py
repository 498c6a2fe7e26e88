"""Which jobs there are, and what a refusal of Flink says."""

from __future__ import annotations

import pytest

from echopulse.job.submit import FEATURES, innermost, known_job
from schemas.errors import UsageError


def test_a_known_job_is_itself() -> None:
    """Its name goes on as it is."""
    assert known_job("signals") == "signals"


def test_an_unknown_job_is_wrong_usage_with_the_near_miss() -> None:
    """The name and the near miss stand in the line."""
    with pytest.raises(UsageError, match=r"no job is called 'signal' \(did you mean 'signals'\?\)"):
        known_job("signal")


def test_the_views_are_those_of_the_package() -> None:
    """The Feast repository is found wherever the package is installed."""
    assert (FEATURES / "feature_store.yaml").is_file()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("An error\n\tat a.B\nCaused by: X: outer\n\tat b\nCaused by: Y: no slot\n", "Y: no slot"),
        ("\n  only this\n\tat x", "only this"),
        ("", "no reason given"),
    ],
)
def test_theinnermost_cause_is_told(text: str, told: str) -> None:
    """Java wraps; the last cause is the first thing that went wrong."""
    assert innermost(text) == told
