"""Kinds of events and what they are about, against a loop over rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.simulator_kinds import KINDS, draw_kinds

_ROWS = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=300)


@given(_ROWS, st.integers(0, 2**32))
def test_what_a_row_is_about_equals_a_loop(rows: list[tuple[int, bool]], seed: int) -> None:
    """The latest message of the same channel, never a later one; without one the row is a message."""
    channel = np.array([c for c, _ in rows], np.int64)
    kinds = draw_kinds(channel, np.array([c for _, c in rows], bool), np.random.default_rng(seed))

    shares = np.cumsum([0.93, 0.04, 0.015, 0.01, 0.005])
    drawn = np.searchsorted(shares[:-1], np.random.default_rng(seed).random(len(rows)), side="right")
    latest: dict[int, int] = {}
    for row, (place, calm) in enumerate(rows):
        kind = KINDS[drawn[row]] if calm else "message"
        about = latest.get(place, row) if kind in {"reaction", "edit", "delete"} else row
        if kind == "message":
            latest[place] = row
        if about == row and kind in {"reaction", "edit", "delete"}:
            kind = "message"
        assert (KINDS[kinds.kind[row]], kinds.about[row]) == (kind, about)


def test_metadata_names_kind_language_and_message() -> None:
    """Two entries a row, three where it is about a message."""
    channel = np.zeros(2_000, np.int64)
    kinds = draw_kinds(channel, np.ones(2_000, bool), np.random.default_rng(1))
    ids = pa.array([f"id{row}" for row in range(2_000)])

    metadata = kinds.metadata(pa.array(["en"]), channel, ids).to_pylist()

    for row, entries in enumerate(metadata):
        expected = [("kind", KINDS[kinds.kind[row]]), ("language", "en")]
        if kinds.about[row] != row:
            expected.append(("reply_to", f"id{kinds.about[row]}"))
        assert entries == expected
    assert {dict(entries)["kind"] for entries in metadata} == set(KINDS)
