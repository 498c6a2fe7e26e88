"""What is said of a champion that changes nothing in the job."""

from __future__ import annotations

import pytest

from echopulse.registry.report import not_scored_by_timeline
from echopulse.settings import Settings

UNSET = (
    "the job goes on with what the settings name: strategy_options.stance.timeline is not set; "
    "with it, and `echopulse registry follow stance`, it scores by this timeline"
)


@pytest.mark.parametrize(
    ("options", "strategies", "task", "told"),
    [
        ({}, {}, "stance", UNSET),
        ({"stance": {"timeline": "/models"}}, {}, "stance", ""),
        ({"stance/bag": {"timeline": "/models"}}, {}, "stance", ""),
        ({"stance/bag": {"timeline": "/models"}}, {"stance": "cascade"}, "stance", UNSET),
        (
            {"toxicity": {"timeline": "/models"}},
            {},
            "hate",
            "the job scores hate by the timeline of toxicity; this is for those who ask for hate@champion",
        ),
    ],
)
def test_whether_a_strategy_goes_by_the_timeline(
    options: dict[str, dict[str, str]], strategies: dict[str, str], task: str, told: str
) -> None:
    """By the options of the kind, or of the strategy that is active."""
    settings = Settings(strategy_options=options, strategies=strategies)
    assert not_scored_by_timeline(settings, task) == told
