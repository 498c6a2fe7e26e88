"""Which channels had a text scored."""

from __future__ import annotations

import pytest

from echopulse.job.scored import ScoredChannels
from tests.echopulse.job.results import result

BEGIN = 60_000


@pytest.mark.parametrize(
    ("noted", "nobody"),
    [
        ([], False),
        ([(BEGIN, "sha256:aa")], False),
        ([(BEGIN, "abstained:de")], True),
        ([(BEGIN, "")], True),
        ([(BEGIN, "abstained:de"), (BEGIN + 1, "sha256:aa")], False),
        ([(BEGIN + 1, "strategy:length"), (BEGIN, "abstained:de")], False),
        ([(BEGIN - 1, "sha256:aa"), (BEGIN + 5_000, "abstained:de")], True),
        ([(BEGIN - 1, "abstained:de")], False),
    ],
    ids=["unknown", "scored", "abstained", "no text", "one scored", "out of order", "scored before", "nothing since"],
)
def test_whether_nobody_scored(noted: list[tuple[int, str]], nobody: bool) -> None:  # noqa: FBT001 a case of the table
    """Only where something came since then, and a model took none of it."""
    scored = ScoredChannels()
    for ts_ms, model in noted:
        scored.note("c", ts_ms, result(sentiment=model))
    assert scored.nobody("sentiment", "c", BEGIN) is nobody
    assert scored.nobody("sentiment", "another", BEGIN) is False


def test_kinds_are_apart() -> None:
    """A language that one model does not know another may."""
    scored = ScoredChannels()
    scored.note("c", BEGIN, result(sentiment="abstained:de"))
    assert [scored.nobody(kind, "c", BEGIN) for kind in ("sentiment", "toxicity")] == [True, False]


def test_a_channel_that_was_just_scored_costs_no_decoding() -> None:
    """For a second of event time its results are not read, so even a damaged one does not matter."""
    scored = ScoredChannels()
    scored.note("c", BEGIN, result())
    scored.note("c", BEGIN + 999, b"")
    with pytest.raises(EOFError):
        scored.note("c", BEGIN + 1_000, b"")
