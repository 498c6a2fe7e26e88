"""Messages for the tests of trends, conversations and health: made by hand, or the simulator's as panes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from transforms.crowd_tables import merge_tables
from transforms.digest import DIGESTED, Messages, read_digests, write_digests
from transforms.extraction import lookup
from transforms.keys import string_keys
from transforms.pane_tables import pane_tables
from transforms.terms import find_message_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

PANE_MS = 10_000
BYTES = pa.list_(pa.binary())
_PLAIN: dict[str, Any] = {
    "stage": "",
    "channel_id": "c",
    "user_key": 1,
    "kind": "message",
    "text": "",
    "reply_to": "",
    "toxicity": 0.0,
    "toxic": 0,
    "sentiment_score": 0,
    "entities": [],
    "entity_links": [],
    "emotes": "",
}


def digested(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """A batch in schema DIGESTED: each row the plain message with some fields changed, its id its place."""
    filled = [{"event_id": f"e{place}", **_PLAIN, **row} for place, row in enumerate(rows)]
    columns = [pa.array([row[field.name] for row in filled], field.type) for field in DIGESTED]
    return pa.RecordBatch.from_arrays(columns, schema=DIGESTED)


def messages_of(rows: Sequence[dict[str, Any]], times: Sequence[int] | None = None) -> Messages:
    """The messages of one pane, read from their digests."""
    ts = np.arange(len(rows)) if times is None else np.array(times, np.int64)
    digests = write_digests(digested(rows), ts, 1 << 40)
    return read_digests(pa.array([[digest for digest in digests.to_pylist() if digest]], BYTES))


def simulated(batch: pa.RecordBatch, entities: Sequence[str]) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """A batch of the simulator's events as what is digested of them, scored neutral, and their times in ms UTC."""
    texts = [orjson.loads(payload)["text"] for payload in batch.column("raw_payload").to_pylist()]
    names = [[name for name in entities if name in text] for text in texts]
    rows = batch.num_rows
    columns = {
        "stage": pa.array([""] * rows, pa.string()),
        "channel_id": batch.column("channel_id"),
        "event_id": batch.column("id"),
        "user_key": string_keys(batch.column("user_id")),
        "kind": lookup(batch.column("metadata"), "kind"),
        "text": pa.array(texts, pa.string()),
        "reply_to": pc.fill_null(lookup(batch.column("metadata"), "reply_to"), ""),
        "toxicity": pa.array(np.zeros(rows)),
        "toxic": pa.array(np.zeros(rows, np.int32)),
        "sentiment_score": pa.array(np.zeros(rows, np.int32)),
        "entities": pa.array(names, pa.list_(pa.string())),
        "entity_links": pa.array([[""] * len(own) for own in names], pa.list_(pa.string())),
        "emotes": pa.array([""] * rows, pa.string()),
    }
    arrays = [columns[field.name] for field in DIGESTED]
    return pa.RecordBatch.from_arrays(arrays, schema=DIGESTED), batch.column("ts").cast(pa.int64()).to_numpy()


def panes_of(batches: Iterable[tuple[pa.RecordBatch, NDArray[np.int64]]]) -> dict[int, dict[str, list[bytes]]]:
    """The digests of batches as Flink collects them: by the number of the pane, then by channel."""
    panes: dict[int, dict[str, list[bytes]]] = {}
    for batch, ts in batches:
        digests = write_digests(batch, ts, PANE_MS).to_pylist()
        for place in [place for place, digest in enumerate(digests) if digest]:
            channel = batch.column("channel_id")[place].as_py()
            panes.setdefault(int(ts[place]) // PANE_MS, {}).setdefault(channel, []).append(digests[place])
    return dict(sorted(panes.items()))


def tables_of(panes: dict[int, dict[str, list[bytes]]]) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Each pane's end (ms) and its tables by scope, '' for the one over all channels."""
    for pane, digests in panes.items():
        messages = read_digests(pa.array(list(digests.values()), BYTES))
        tables = pane_tables(messages, find_message_terms(messages), PANE_MS).to_pylist()
        scopes = dict(zip(digests, tables, strict=True))
        scopes[""] = merge_tables(pa.array([tables], BYTES))[0].as_py()
        yield (pane + 1) * PANE_MS, scopes
