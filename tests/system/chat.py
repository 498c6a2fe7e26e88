"""Chat made up for the tests: seeded, with repeats, joins, deletions and small disorder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa

from schemas.arrow import EVENT

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS = (
    "I love this so much, best stream ever \U0001f600\U0001f389",
    "you are a worthless idiot and everybody hates you",
    "what time does it start? asking for @friend",
    "gg wp",
    "this is terrible, I want my money back \U0001f621",
    "shut up you stupid moron",
    "das ist wirklich schön, danke \U0001f496",
    "new phone from Apple looks fine I guess",
    "no me gusta nada \U0001f44e",
    "hello everyone",
)
_KINDS = ("message", "edit", "reaction", "join", "delete")
_ODDS = (0.84, 0.04, 0.04, 0.04, 0.04)
_TEXTLESS = ("join", "delete")
#: Less than the watermark's delay, so that nothing is late.
_DISORDER_MS = 2_000
#: The watermark stands at the end of what came before; an event at that very instant would be behind it.
_LEAD_MS = 3_000


def conversation(
    prefix: str, start_ms: int, *, minutes: int, count: int, seed: int, channels: int = 7, users: int = 40
) -> pa.RecordBatch:
    """Return `count` events (schema EVENT) spread over `minutes` from `start_ms` on, in order of arrival.

    One in fifty repeats an id of its channel with another text; one in a hundred bears an id of another channel.
    """
    random = np.random.default_rng(seed)
    ids = np.array([f"{prefix}-{number}" for number in range(count)], object)
    places = random.integers(0, channels, count)
    for row in np.flatnonzero(random.random(count) < 0.02)[1:]:
        first = random.integers(0, row)
        ids[row], places[row] = ids[first], places[first]
    for row in np.flatnonzero(random.random(count) < 0.01)[1:]:
        first = random.integers(0, row)
        ids[row], places[row] = ids[first], (places[first] + 1) % channels
    arrival = np.sort(random.integers(_LEAD_MS, minutes * 60_000, count))
    times = start_ms + arrival - random.integers(0, _DISORDER_MS, count)
    kinds = random.choice(_KINDS, count, p=_ODDS)
    words = random.integers(0, 500, count)
    texts = [f"{_TEXTS[number % len(_TEXTS)]}{f' {number}' if number % 3 else ''}" for number in words]
    payloads = [
        b"{}" if kind in _TEXTLESS else orjson.dumps({"text": text, "lang": "en"})
        for kind, text in zip(kinds, texts, strict=True)
    ]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(ids, pa.string()),
            pa.array(times, pa.timestamp("ms", "UTC")),
            pa.array(["test"] * count),
            pa.array([f"{prefix}:channel-{place}" for place in places]),
            pa.array([f"{prefix}:user-{user}" for user in random.integers(0, users, count)]),
            pa.array(payloads, pa.binary()),
            pa.array([[("kind", str(kind))] for kind in kinds], EVENT.field("metadata").type),
        ],
        schema=EVENT,
    )


def line(event: dict[str, object]) -> bytes:
    """Return one row of such a batch in the SocialEvent JSON form, its payload as text."""
    raw = event["raw_payload"]
    document = {
        "id": event["id"],
        "ts": event["ts"],
        "source": event["source"],
        "channel": event["channel_id"],
        "user": event["user_id"],
        "raw": raw.decode() if isinstance(raw, bytes) else raw,
        "meta": dict(event["metadata"]),  # type: ignore[call-overload] # a list of pairs
    }
    return json.dumps(document, default=lambda time: time.isoformat()).encode()


def write_jsonl(path: Path, events: pa.RecordBatch) -> Path:
    """Write events to a file, one object a line."""
    path.write_bytes(b"".join(line(event) + b"\n" for event in events.to_pylist()))
    return path
