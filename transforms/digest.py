"""Digests: what trends, conversations and health need of each message, as bytes that Flink collects by pane.

A pane is a channel and a step of time. A digest is any number of records one behind another, so those of a pane may be
joined in any order. A batch's records of one channel and pane are written together, into the digest of the first of
them: the others' are empty. Whatever the batches were, a pane holds the same records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import ANALYSED
from transforms.buffers import string_array, string_buffers
from transforms.kernels.digest import HEAD, cut_lengths, index_records, read_heads, write_records
from transforms.kernels.keys import hash_strings
from transforms.kernels.spans import copy_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What of the analysis a digest is made of.
DIGESTED = pa.schema(
    [
        ANALYSED.field(name)
        for name in (
            "stage",
            "event_id",
            "channel_id",
            "kind",
            "reply_to",
            "text",
            "emotes",
            "toxicity",
            "entities",
            "entity_links",
            "toxic",
            "sentiment_score",
            "user_key",
        )
    ]
)
#: Kinds that are told; events of other kinds have no digest.
KINDS = ("message", "edit", "transcript", "reaction", "delete")
MESSAGE, EDIT, TRANSCRIPT, REACTION, DELETE = range(len(KINDS))
#: Of a channel and pane so many messages keep their text; of those beyond only the head is kept, and counted.
#: Which they are, their ids' hashes decide: not the order in which they came, nor the batches.
TEXTS_A_PANE = 4_096

_TEXT_BYTES, _ID_BYTES, _NOTE_BYTES = 280, 255, 200
_TOXICITY_SCALE = 65_535
HEAD_TYPE = np.dtype(
    [
        ("ts", "<i8"),
        ("event", "<i8"),
        ("reply", "<i8"),
        ("user", "<i4"),
        ("toxicity", "<u2"),
        ("mood", "i1"),
        ("kind", "u1"),
        ("id_bytes", "<u2"),
        ("text_bytes", "<u2"),
        ("note_bytes", "<u2"),
        ("toxic", "u1"),
        ("beyond", "u1"),
    ]
)


@dataclass(frozen=True)
class Messages:
    """Messages of panes, ordered by pane, time and key; `pane` is the number of the pane, `ts` ms UTC.

    `user`, `event` and `reply` are hashes, 0 for none; `toxicity` 0 to 1, `mood` -1, 0 or 1. Where `beyond` is set, the
    message has no id, text or notes. `notes` are lines: `e` and an entity's name, or `m` and an emote, then
    a tab and the entity's id or nothing.
    """

    panes: int
    pane: NDArray[np.int64]
    ts: NDArray[np.int64]
    event: NDArray[np.int64]
    reply: NDArray[np.int64]
    user: NDArray[np.int32]
    toxicity: NDArray[np.float64]
    toxic: NDArray[np.bool_]
    mood: NDArray[np.int8]
    kind: NDArray[np.uint8]
    beyond: NDArray[np.bool_]
    ids: pa.StringArray
    texts: pa.StringArray
    notes: pa.StringArray


def write_digests(messages: pa.RecordBatch, ts_ms: NDArray[np.int64], pane_ms: int) -> pa.BinaryArray:
    """Write the digests of analysed events (the columns of DIGESTED), given their times in ms UTC; null for none."""
    rows = messages.num_rows
    kinds = pc.fill_null(pc.index_in(messages.column("kind"), pa.array(KINDS)), -1).to_numpy(zero_copy_only=False)
    passed = pc.equal(messages.column("stage"), "").to_numpy(zero_copy_only=False)
    channels = messages.column("channel_id").dictionary_encode().indices.to_numpy().astype(np.int64)
    event = _hashes(messages.column("event_id"))
    panes = ts_ms // pane_ms
    order = np.lexsort((event.view(np.uint64), panes, channels))
    order = order[(kinds[order] >= 0) & passed[order]]
    leaders, sizes, beyond = _grouped(channels, panes, order, rows)
    ids, texts, notes = messages.column("event_id"), messages.column("text"), _notes(messages)
    lengths = np.stack([_cut(ids, _ID_BYTES), _cut(texts, _TEXT_BYTES), _cut(notes, _NOTE_BYTES)], axis=1)
    lengths[beyond] = 0
    heads = np.zeros(rows, HEAD_TYPE)
    heads["ts"], heads["event"], heads["reply"] = ts_ms, event, _hashes(messages.column("reply_to"))
    heads["user"] = pc.fill_null(messages.column("user_key"), 0).to_numpy()
    heads["toxicity"] = np.round(np.clip(messages.column("toxicity").to_numpy(), 0, 1) * _TOXICITY_SCALE)
    heads["mood"], heads["toxic"] = messages.column("sentiment_score").to_numpy(), messages.column("toxic").to_numpy()
    heads["kind"] = np.maximum(kinds, 0)
    heads["id_bytes"], heads["text_bytes"], heads["note_bytes"] = lengths.T
    heads["beyond"] = beyond
    record_bytes = lengths.sum(axis=1) + HEAD
    written = np.empty(int(record_bytes[order].sum()), np.uint8)
    values, offsets = string_buffers(pa.concat_arrays([ids, texts, notes]))
    bare = heads.view(np.uint8).reshape(rows, HEAD)
    write_records(bare, order, values, offsets, np.ascontiguousarray(lengths), written)
    ends = np.concatenate([[0], np.cumsum(record_bytes[order])])
    digest_bytes = np.zeros(rows, np.int64)
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    digest_bytes[leaders] = ends[firsts[1:]] - ends[firsts[:-1]]
    return _placed(written, leaders, digest_bytes)


def read_digests(digests: pa.ListArray) -> Messages:
    """Read the digests (list of binary) of panes; a repeated event of a pane counts once.

    Raises ValueError where the bytes are no digests.
    """
    blobs = digests.flatten()
    values, blob_offsets = string_buffers(blobs)
    room = (int(blob_offsets[-1]) - int(blob_offsets[0])) // HEAD
    segments, starts = np.empty(room, np.int64), np.empty(room, np.int64)
    count = index_records(values, blob_offsets, segments, starts)
    if count < 0:
        message = "a digest ends in the middle of a record"
        raise ValueError(message)
    heads = np.empty(count, HEAD_TYPE)
    read_heads(values, starts[:count], heads.view(np.uint8).reshape(count, HEAD))
    pane = np.repeat(np.arange(len(digests)), pc.list_value_length(digests).to_numpy())[segments[:count]]
    order = np.lexsort((heads["event"], heads["ts"], pane))
    order = order[_first_of_each(pane[order], heads["event"][order])]
    heads, pane, starts = heads[order], pane[order], starts[:count][order]
    beyond = heads["beyond"].astype(np.bool_) | _past_cap(pane, heads["event"])
    columns = []
    at = starts + HEAD
    for name in ("id_bytes", "text_bytes", "note_bytes"):
        lengths = heads[name].astype(np.int64)
        columns.append(_copied(values, at, np.where(beyond, 0, lengths)))
        at = at + lengths
    return Messages(
        len(digests),
        pane,
        heads["ts"].copy(),
        heads["event"].copy(),
        heads["reply"].copy(),
        heads["user"].copy(),
        heads["toxicity"] / _TOXICITY_SCALE,
        heads["toxic"].astype(np.bool_),
        heads["mood"].copy(),
        heads["kind"].copy(),
        beyond,
        *columns,
    )


def _grouped(
    channels: NDArray[np.int64], panes: NDArray[np.int64], order: NDArray[np.int64], rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return each group's leading row (the first of the batch), its size, and which rows are beyond the cap."""
    beyond = np.zeros(rows, np.bool_)
    if not len(order):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), beyond
    new = np.ones(len(order), np.bool_)
    new[1:] = (channels[order][1:] != channels[order][:-1]) | (panes[order][1:] != panes[order][:-1])
    firsts = np.flatnonzero(new)
    sizes = np.diff(np.append(firsts, len(order)))
    beyond[order] = np.arange(len(order)) - np.repeat(firsts, sizes) >= TEXTS_A_PANE
    return np.minimum.reduceat(order, firsts), sizes, beyond


def _past_cap(pane: NDArray[np.int64], event: NDArray[np.int64]) -> NDArray[np.bool_]:
    sizes = np.bincount(pane) if len(pane) else np.zeros(0, np.int64)
    past = np.zeros(len(pane), np.bool_)
    if sizes.max(initial=0) > TEXTS_A_PANE:
        order = np.lexsort((event.view(np.uint64), pane))
        past[order] = np.arange(len(pane)) - np.repeat(np.cumsum(sizes) - sizes, sizes) >= TEXTS_A_PANE
    return past


def _first_of_each(pane: NDArray[np.int64], event: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the first row of each event of a pane, ascending."""
    by_event = np.lexsort((np.arange(len(event)), event, pane))
    new = np.ones(len(event), np.bool_)
    new[1:] = (pane[by_event][1:] != pane[by_event][:-1]) | (event[by_event][1:] != event[by_event][:-1])
    return np.sort(by_event[new])


def _placed(written: NDArray[np.uint8], leaders: NDArray[np.int64], lengths: NDArray[np.int64]) -> pa.BinaryArray:
    """Return the digests by row: groups were written in their own order, their leaders' rows are in the batch's."""
    order = np.argsort(leaders, kind="stable")
    ends = np.cumsum(lengths[leaders])
    joined = np.empty(len(written), np.uint8)
    copy_spans(written, (ends - lengths[leaders])[order], ends[order], joined)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pc.if_else(pa.array(lengths > 0), string_array(joined, offsets).view(pa.binary()), None)


def _notes(messages: pa.RecordBatch) -> pa.StringArray:
    names, links = messages.column("entities"), messages.column("entity_links")
    surfaces = pc.replace_substring_regex(names.flatten(), r"[\t\n]", " ")
    lines = pc.binary_join_element_wise("e", surfaces, "\t", links.flatten(), "\n", "")
    entities = pc.binary_join(pa.ListArray.from_arrays(_list_offsets(names), lines), "")
    emotes = messages.column("emotes")
    if not pc.max(pc.binary_length(emotes)).as_py():
        return entities
    written = pc.binary_join_element_wise("m", pc.replace_substring(emotes, " ", "\t\nm"), "\t\n", "")
    return pc.binary_join_element_wise(entities, pc.if_else(pc.equal(emotes, ""), "", written), "")


def _list_offsets(lists: pa.ListArray) -> pa.Int32Array:
    counts = pc.list_value_length(lists).to_numpy()
    return pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))


def _hashes(values: pa.StringArray) -> NDArray[np.int64]:
    hashes = np.empty(len(values), np.int64)
    hash_strings(*string_buffers(values), hashes)
    return hashes


def _cut(values: pa.StringArray, limit: int) -> NDArray[np.int32]:
    lengths = np.empty(len(values), np.int32)
    cut_lengths(*string_buffers(values), limit, lengths)
    return lengths


def _copied(values: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> pa.StringArray:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    copied = np.empty(int(offsets[-1]), np.uint8)
    copy_spans(values, starts, starts + lengths, copied)
    return string_array(copied, offsets)
