"""Panes, scopes and windows as the datums of the three topics."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from schemas.avro_crowd import decode_crowd
from tests.transforms.crowd import BYTES, PANE_MS, digested
from transforms.crowd_records import (
    conversation_id,
    describe_conversations,
    describe_panes,
    describe_scopes,
)
from transforms.crowd_tables import merge_tables
from transforms.digest import write_digests

_START_MS = 1_700_000_000_000 // 60_000 * 60_000
_TALK = (
    "the goal in the last minute",
    "what a goal by the striker",
    "the striker scored that goal",
    "goal goal striker",
)


def _pane(number: int, rows: list[dict[str, object]]) -> list[bytes]:
    named = [{"event_id": f"{number}-{place}", **row} for place, row in enumerate(rows)]
    times = _START_MS + number * PANE_MS + np.arange(len(rows))
    return [digest for digest in write_digests(digested(named), times, PANE_MS).to_pylist() if digest]


def _calm(count: int) -> list[dict[str, object]]:
    return [{"user_key": 1 + place, "text": f"word{place % 7} talk"} for place in range(count)]


def test_scopes_tell_trends_and_health() -> None:
    """A channel has both, the scope over all has trends alone, and a scope without anything is null."""
    burst = [{"user_key": 100 + place, "text": f"#new word{place % 17}"} for place in range(40)]
    panes = [_pane(number, _calm(20) + (burst if number == 15 else [])) for number in range(16)]
    tables = describe_panes(pa.array(panes, BYTES), PANE_MS).field("terms").to_pylist()
    merged = [merge_tables(pa.array([[table]], BYTES))[0].as_py() for table in tables]
    scopes = pa.array(["c", "", "quiet"])
    told = describe_scopes(scopes, pa.array([tables, merged, tables[:1]], BYTES), PANE_MS).to_pylist()
    trends = [decode_crowd("trends", row["trends"]) for row in told[:2]]
    assert [record["trends"][0]["term"] for record in trends] == ["#new", "#new"]
    assert [record["channel_id"] for record in trends] == ["c", ""]
    assert trends[0]["window_end"].timestamp() * 1_000 == _START_MS + 16 * PANE_MS
    health = decode_crowd("health", told[0]["health"])
    assert health["score"] == pytest.approx(
        sum(part["value"] * part["weight"] for part in health["parts"])
        / sum(part["weight"] for part in health["parts"])
    )
    assert told[1]["health"] is None
    assert told[2]["trends"] is None


def test_windows_tell_conversations() -> None:
    """What a window talked about, with what was not grouped; an empty window is null."""
    rows = [{"user_key": 1 + place, "text": text} for place, text in enumerate(_TALK)]
    panes = describe_panes(pa.array([_pane(0, [*rows, {"text": "zzz"}]), _pane(1, [])], BYTES), PANE_MS)
    assert panes.field("messages").to_pylist() == [5, 0]
    samples = pa.array([[sample] for sample in panes.field("sample").to_pylist()], BYTES)
    ends = np.array([_START_MS + 60_000] * 2)
    told = describe_conversations(pa.array(["c", "c"]), ends, samples, np.array([5, 0])).to_pylist()
    assert told[1] is None
    record = decode_crowd("conversations", told[0])
    talk = record["conversations"][0]
    assert (record["messages"], record["looked_at"]) == (5, 5)
    assert talk["size"] + record["outside"] == 5
    assert talk["terms"][0] in {"goal", "striker"}
    assert talk["representative_text"] in _TALK
    assert not talk["flood"]


def test_ids_are_those_of_channel_and_name() -> None:
    """The same in every window, another in another channel and for a flood."""
    ids = {
        conversation_id("a", 1, flood=False),
        conversation_id("b", 1, flood=False),
        conversation_id("a", 2, flood=True),
    }
    assert len(ids) == 3
    assert conversation_id("a", 1, flood=False) in ids
