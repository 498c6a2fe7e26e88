"""Digests hold a pane's messages whatever the batches were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.crowd import BYTES, PANE_MS, digested, messages_of
from transforms import digest
from transforms.digest import KINDS, Messages, read_digests, write_digests

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "channel_id": st.sampled_from(["a", "b", ""]),
            "event_id": st.text("xyz", min_size=1, max_size=3),
            "user_key": st.none() | st.integers(-3, 3),
            "kind": st.sampled_from([*KINDS, "join", ""]),
            "text": st.text(max_size=100),
            "reply_to": st.sampled_from(["", "x", "yy"]),
            "toxicity": st.floats(0, 1),
            "toxic": st.integers(0, 1),
            "sentiment_score": st.integers(-1, 1),
            "entities": st.lists(st.sampled_from(["Foo", "b\tar"]), max_size=2),
            "emotes": st.sampled_from(["", "KEKW", "A B"]),
            "ts": st.integers(0, 3 * PANE_MS),
        }
    ),
    max_size=30,
)


def _panes(rows: list[dict[str, Any]], size: int) -> dict[tuple[str, int], Messages]:
    """Write rows in batches of a size and read them by channel and pane."""
    digests: dict[tuple[str, int], list[bytes]] = {}
    for start in range(0, len(rows), size):
        part = [dict(row, entity_links=[""] * len(row["entities"])) for row in rows[start : start + size]]
        ts = np.array([row["ts"] for row in part], np.int64)
        for row, written in zip(part, write_digests(digested(part), ts, PANE_MS).to_pylist(), strict=True):
            if written:
                digests.setdefault((row["channel_id"], row["ts"] // PANE_MS), []).append(written)
    return {key: read_digests(pa.array([parts], BYTES)) for key, parts in digests.items()}


def _listed(messages: Messages) -> list[tuple[Any, ...]]:
    columns = (messages.ts, messages.user, messages.toxicity, messages.toxic, messages.mood, messages.kind)
    strings = (messages.ids.to_pylist(), messages.texts.to_pylist(), messages.notes.to_pylist())
    return list(zip(*(column.tolist() for column in columns), *strings, strict=True))


@settings(deadline=None)
@given(ROWS, st.integers(1, 30))
def test_panes_do_not_depend_on_batches(rows: list[dict[str, Any]], size: int) -> None:
    """Written in one batch or in many, a pane reads the same, and it holds each of its events once."""
    unique = list({(row["channel_id"], row["event_id"]): row for row in rows}.values())
    whole, parts = _panes(unique, max(1, len(unique))), _panes(unique, size)
    assert {key: _listed(pane) for key, pane in whole.items()} == {key: _listed(pane) for key, pane in parts.items()}
    told = [row for row in unique if row["kind"] in KINDS]
    assert sum(len(pane.ts) for pane in whole.values()) == len(told)
    assert set(whole) == {(row["channel_id"], row["ts"] // PANE_MS) for row in told}


def test_a_record_keeps_what_was_told() -> None:
    """Every field comes back; an entity with its id, an emote without."""
    row = {
        "user_key": 7,
        "text": "Go Faker!",
        "reply_to": "e9",
        "toxicity": 0.25,
        "toxic": 1,
        "sentiment_score": -1,
        "entities": ["Faker"],
        "entity_links": ["person:faker"],
        "emotes": "KEKW",
    }
    read = messages_of([row], [123])
    assert (read.ts[0], read.user[0], read.mood[0], read.toxic[0]) == (123, 7, -1, True)
    assert read.toxicity[0] == pytest.approx(0.25, abs=1e-4)
    assert read.reply[0] != 0
    assert read.texts.to_pylist() == ["Go Faker!"]
    assert read.notes.to_pylist() == ["eFaker\tperson:faker\nmKEKW\t\n"]


def test_a_repeated_event_counts_once() -> None:
    """A pane drops an event whose id it has."""
    assert len(messages_of([{"event_id": "x"}, {"event_id": "x"}, {"event_id": "y"}]).ts) == 2


def test_a_long_text_is_cut_between_characters() -> None:
    """What is left of it is still UTF-8."""
    text = messages_of([{"text": "é" * 500}]).texts[0].as_py()
    assert set(text) == {"é"}
    assert len(text) == 140


def test_beyond_the_cap_heads_alone_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which messages keep their text depends on their ids, not on the batches; the others are counted."""
    monkeypatch.setattr(digest, "TEXTS_A_PANE", 4)
    rows = [{"event_id": f"e{place}", "text": "t", "entities": [], "ts": 0, "channel_id": "a"} for place in range(20)]
    rows = [{"kind": "message", "emotes": "", **row} for row in rows]
    whole, parts = _panes(rows, 20)["a", 0], _panes(rows, 3)["a", 0]
    assert _listed(whole) == _listed(parts)
    assert whole.beyond.sum() == 16
    assert whole.texts.to_pylist().count("t") == 4


def test_broken_bytes_are_refused() -> None:
    """A digest that was cut off is an error, not a crash."""
    written = write_digests(digested([{"text": "hello"}]), np.zeros(1, np.int64), PANE_MS)[0].as_py()
    with pytest.raises(ValueError, match="middle of a record"):
        read_digests(pa.array([[written[:-1]]], BYTES))


def test_no_digests() -> None:
    """Nothing in, nothing out."""
    assert read_digests(pa.array([[]], BYTES)).panes == 1
    assert len(write_digests(digested([]), np.zeros(0, np.int64), PANE_MS)) == 0
