"""Repeats of a resume, against a list that is searched."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.repeats import Repeats
from schemas.arrow import EVENT

_PAIRS = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9).map(str))
_BATCHES = st.lists(st.tuples(st.booleans(), st.lists(_PAIRS, max_size=6)), max_size=12)


def _events(pairs: list[tuple[str, str]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "id": name,
                "ts": 0,
                "source": "s",
                "channel_id": channel,
                "user_id": "u",
                "raw_payload": b"",
                "metadata": [],
            }
            for channel, name in pairs
        ],
        schema=EVENT,
    )


def _pairs(events: pa.RecordBatch) -> list[tuple[str, str]]:
    return list(zip(events.column("channel_id").to_pylist(), events.column("id").to_pylist(), strict=True))


@given(_BATCHES)
def test_what_came_before_is_dropped_once_it_is_expected(batches: list[tuple[bool, list[tuple[str, str]]]]) -> None:
    """With room for all; within a batch too, the first stays; without a resume nothing is dropped."""
    repeats, seen, watching = Repeats(1_000), list[tuple[str, str]](), False
    for expected, pairs in batches:
        if expected:
            repeats.expect()
            watching = True
        want: list[tuple[str, str]] = []
        for pair in pairs:
            if not watching or pair not in seen + want:
                want.append(pair)
        assert _pairs(repeats.drop(_events(pairs))) == want
        seen += want


def test_the_memory_is_bounded() -> None:
    """Whole batches leave it, the oldest first; what is watched for ends as well."""
    repeats = Repeats(3)
    for number in range(5):
        repeats.drop(_events([("a", str(number))]))
    repeats.expect()
    assert _pairs(repeats.drop(_events([("a", "1"), ("a", "3")]))) == [("a", "1")]
    assert _pairs(repeats.drop(_events([("b", str(number)) for number in range(4)]))) != []
    assert _pairs(repeats.drop(_events([("b", "3")]))) == [("b", "3")], "more than twice as many were looked at"
