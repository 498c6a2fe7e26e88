"""Channels and kinds."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echopulse.gateway.access import Access, Channels
from schemas.arrow import EVENT

_GLOBS = st.lists(st.text("ab*?", max_size=3), max_size=3)


def _events(*rows: tuple[str, str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "id": str(number),
                "ts": 0,
                "source": "s",
                "channel_id": channel,
                "user_id": "",
                "raw_payload": b"",
                "metadata": [("kind", kind)] if kind else [],
            }
            for number, (channel, kind) in enumerate(rows)
        ],
        schema=EVENT,
    )


@given(_GLOBS, _GLOBS, st.lists(st.text("ab", max_size=3), max_size=6))
@settings(deadline=None)
def test_channels_as_fnmatch_sees_them(allow: list[str], deny: list[str], channels: list[str]) -> None:
    """One of `allow` fits and none of `deny`."""
    kept, dropped = Access(Channels(allow=allow, deny=deny)).apply(_events(*((c, None) for c in channels)))
    expected = [
        c for c in channels if any(fnmatchcase(c, g) for g in allow) and not any(fnmatchcase(c, g) for g in deny)
    ]
    assert kept.column("channel_id").to_pylist() == expected
    assert dropped.get("channel", 0) == len(channels) - len(expected)


@pytest.mark.parametrize(
    ("kinds", "ids"), [([], ["0", "1", "2"]), (["message"], ["0", "2"]), (["edit"], ["1"]), (["join"], [])]
)
def test_kinds(kinds: list[str], ids: list[str]) -> None:
    """An event that does not say its kind is a message."""
    kept, dropped = Access(Channels(), kinds).apply(_events(("c", "message"), ("c", "edit"), ("c", None)))
    assert kept.column("id").to_pylist() == ids
    assert dropped.get("kind", 0) == 3 - len(ids)
