"""What Flink's windows of digests and tables become: tables of panes, and the Avro datums of the three topics."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from schemas.avro_crowd import encode_crowd
from transforms.conversations import find_conversations
from transforms.crowd_tables import read_table_lists
from transforms.digest import DELETE, REACTION, read_digests
from transforms.digest_sample import sample_digests
from transforms.health import MINUTES, PARTS, WEIGHTS, find_health
from transforms.pane_tables import pane_tables
from transforms.terms import KIND_NAMES, find_message_terms
from transforms.trends import find_trends

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.conversations import Conversations
    from transforms.digest import Messages
    from transforms.health import Health
    from transforms.terms import Terms
    from transforms.trends import Trends

MINUTE_MS = 60_000
#: Messages of a pane that go on to be grouped into conversations.
SAMPLE_A_PANE = 512


def describe_panes(digests: pa.ListArray, pane_ms: int) -> pa.StructArray:
    """Return the table of each pane of digests (list of binary), a sample of its digests and its number of messages."""
    messages = read_digests(digests)
    tables = pane_tables(messages, find_message_terms(messages), pane_ms)
    spoken = (messages.kind != DELETE) & (messages.kind != REACTION)
    counts = pa.array(np.bincount(messages.pane[spoken], minlength=messages.panes).astype(np.int64))
    return pa.StructArray.from_arrays(
        [tables, sample_digests(digests, SAMPLE_A_PANE), counts], names=["terms", "sample", "messages"]
    )


def describe_scopes(scopes: pa.StringArray, tables: pa.ListArray, pane_ms: int) -> pa.StructArray:
    """Return the datums of trends and health of each scope (a channel, '' for all) by its panes' tables, null for none.

    There is no health over all channels.
    """
    read, owners = read_table_lists(tables)
    ends = np.zeros(len(tables), np.int64)
    np.maximum.at(ends, owners, read.heads["end"])
    names = scopes.to_pylist()
    trends = _trend_datums(find_trends(read, owners, ends, pane_ms), names, ends)
    health = _health_datums(find_health(read, owners, ends), names, ends)
    return pa.StructArray.from_arrays(
        [pa.array(trends, pa.binary()), pa.array(health, pa.binary())], names=["trends", "health"]
    )


def describe_conversations(
    channels: pa.StringArray, ends_ms: NDArray[np.int64], samples: pa.ListArray, totals: NDArray[np.int64]
) -> pa.BinaryArray:
    """Return the datum of each window's conversations, null where there are none.

    Windows are a minute long and end at `ends_ms` (UTC); `samples` are digests of their panes, `totals` all messages.
    """
    messages = read_digests(samples)
    terms = find_message_terms(messages)
    found = find_conversations(messages, terms)
    looked_at = (messages.kind != DELETE) & (messages.kind != REACTION) & ~messages.beyond
    seen = np.bincount(messages.pane[looked_at], minlength=messages.panes)
    outside = np.bincount(messages.pane[looked_at & (found.group < 0)], minlength=messages.panes)
    surfaces = _surfaces(found, terms)
    firsts = np.searchsorted(found.segment, np.arange(messages.panes + 1)).tolist()
    names = channels.to_pylist()
    datums: list[bytes | None] = []
    for window, channel in enumerate(names):
        rows = range(firsts[window], firsts[window + 1])
        record = {
            "channel_id": channel,
            **_window(int(ends_ms[window]), 1),
            "messages": int(totals[window]),
            "looked_at": int(seen[window]),
            "outside": int(outside[window]),
            "conversations": [_conversation(found, row, channel, messages, surfaces[row]) for row in rows],
        }
        datums.append(encode_crowd("conversations", record) if rows else None)
    return pa.array(datums, pa.binary())


def _window(end_ms: int, minutes: int) -> dict[str, int]:
    return {"window_start": end_ms - minutes * MINUTE_MS, "window_end": end_ms}


def _trend_datums(trends: Trends, names: list[str], ends: NDArray[np.int64]) -> list[bytes | None]:
    listed: dict[int, list[dict[str, Any]]] = {}
    for row, scope in enumerate(trends.scope.tolist()):
        trend = {
            "term": trends.surface[row].decode(),
            "kind": KIND_NAMES[trends.kind[row]],
            "burst": float(trends.burst[row]),
            "messages": int(trends.messages[row]),
            "users": float(trends.users[row]),
            "texts": float(trends.texts[row]),
            "expected": float(trends.expected[row]),
        }
        listed.setdefault(scope, []).append(trend)
    return [
        encode_crowd("trends", {"channel_id": name, **_window(int(ends[scope]), 1), "trends": listed[scope]})
        if scope in listed
        else None
        for scope, name in enumerate(names)
    ]


def _health_datums(health: Health, names: list[str], ends: NDArray[np.int64]) -> list[bytes | None]:
    datums: list[bytes | None] = [None] * len(names)
    for row, scope in enumerate(health.scope.tolist()):
        if not names[scope]:
            continue
        parts = [
            {"name": name, "value": float(value), "weight": float(weight), "measure": float(measure)}
            for name, value, weight, measure in zip(
                PARTS, health.parts[row], WEIGHTS, health.measures[row], strict=True
            )
            if not np.isnan(value)
        ]
        record = {
            "channel_id": names[scope],
            **_window(int(ends[scope]), MINUTES),
            "score": float(health.score[row]),
            "messages": int(health.messages[row]),
            "users": float(health.users[row]),
            "parts": parts,
        }
        datums[scope] = encode_crowd("health", record)
    return datums


def _surfaces(found: Conversations, terms: Terms) -> list[list[str]]:
    if not found.terms:
        return []
    ends = np.cumsum([len(own) for own in found.terms]).tolist()
    written = terms.surfaces(np.concatenate(found.terms)).to_pylist()
    return [written[end - len(own) : end] for own, end in zip(found.terms, ends, strict=True)]


def _conversation(
    found: Conversations, row: int, channel: str, messages: Messages, surfaces: list[str]
) -> dict[str, Any]:
    representative = int(found.representative[row])
    return {
        "id": conversation_id(channel, int(found.name[row]), flood=bool(found.flood[row])),
        "flood": bool(found.flood[row]),
        "size": int(found.size[row]),
        "participants": int(found.participants[row]),
        "terms": surfaces,
        "mood": float(found.mood[row]),
        "toxicity": float(found.toxicity[row]),
        "first_ts": int(found.first_ts[row]),
        "last_ts": int(found.last_ts[row]),
        "representative_id": messages.ids[representative].as_py(),
        "representative_text": messages.texts[representative].as_py(),
    }


def conversation_id(channel: str, name: int, *, flood: bool) -> str:
    """Return the id of a conversation by its channel and the hash of its leading term, or of a flood by its text's."""
    digest = hashlib.blake2b(f"{channel}\n{name}".encode(), digest_size=8).hexdigest()
    return f"{'flood' if flood else 'talk'}-{digest}"
