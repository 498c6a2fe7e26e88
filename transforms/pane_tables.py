"""The table of a pane of messages: its terms with who wrote them in how many wordings, and the pane's health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.crowd_tables import (
    ENTRY,
    HEAD,
    SPEAKER_GROUPS,
    SURFACE_BYTES,
    TERMS_A_CHANNEL,
    Tables,
    most_used,
    write_tables,
)
from transforms.digest import DELETE, REACTION
from transforms.kernels.sketches import CROWD_BYTES, TEXT_BYTES, USER_BYTES, gather_sketches

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from transforms.digest import Messages
    from transforms.terms import Terms

#: A user who writes more messages in a pane than this, and than three times its median, floods it and is not heard:
#: those messages are counted, their user and texts are not.
LOUD, LOUD_BY_MEDIAN = 3, 3


def pane_tables(messages: Messages, terms: Terms, pane_ms: int) -> pa.BinaryArray:
    """Return the table of each pane of messages; a pane without messages has an empty one."""
    spoken = (messages.kind != DELETE) & (messages.kind != REACTION)
    heads = _heads(messages, spoken, pane_ms)
    heard = spoken & ~messages.beyond
    loud = _loud(messages, spoken)
    _set_users(heads["heard_users"], messages, heard & ~loud)
    heads["heard"] = np.bincount(messages.pane[heard], minlength=messages.panes)
    entries, table, heads["cut"] = _entries(messages, terms, heard, loud)
    heads["terms"] = np.bincount(table, minlength=messages.panes)
    return write_tables(Tables(heads, entries, table))


def _heads(messages: Messages, spoken: NDArray[np.bool_], pane_ms: int) -> NDArray[np.void]:
    panes = messages.panes
    heads = np.zeros(panes, HEAD)
    pane = messages.pane
    np.maximum.at(heads["end"], pane, (messages.ts // pane_ms + 1) * pane_ms)
    replying = spoken & (messages.reply != 0)
    for name, which in (
        ("messages", spoken),
        ("beyond", spoken & messages.beyond),
        ("toxic", spoken & messages.toxic),
        ("replies", replying),
        ("deletes", messages.kind == DELETE),
        ("reactions", messages.kind == REACTION),
    ):
        heads[name] = np.bincount(pane[which], minlength=panes)
    heads["toxicity"] = np.bincount(pane[spoken], messages.toxicity[spoken], panes)
    heads["reply_toxicity"] = np.bincount(pane[replying], messages.toxicity[replying], panes)
    _set_users(heads["users"], messages, spoken)
    _set_users(heads["toxic_users"], messages, spoken & messages.toxic)
    speaker = messages.user.astype(np.uint32) % SPEAKER_GROUPS
    cells = np.bincount(pane[spoken] * SPEAKER_GROUPS + speaker[spoken], minlength=panes * SPEAKER_GROUPS)
    heads["speakers"] = cells.reshape(panes, SPEAKER_GROUPS)
    return heads


def _set_users(field: NDArray[np.uint8], messages: Messages, which: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(which)
    sketches = np.zeros((messages.panes, CROWD_BYTES), np.uint8)
    unused = np.zeros((messages.panes, TEXT_BYTES), np.uint8)
    counts = np.zeros(messages.panes, np.int64)
    all_heard = np.zeros(len(messages.pane), np.bool_)
    gather_sketches(messages.pane[rows], rows, counts, messages.user, messages.event, all_heard, sketches, unused)
    field[:] = sketches


def _loud(messages: Messages, spoken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each message whether its user floods the pane."""
    key = (messages.pane << 32) | messages.user.astype(np.uint32).astype(np.int64)
    known = spoken & (messages.user != 0)
    users, number, counts = np.unique(key[known], return_inverse=True, return_counts=True)
    pane = users >> 32
    order = np.lexsort((counts, pane))
    sizes = np.bincount(pane, minlength=messages.panes)
    middle = np.cumsum(sizes) - sizes + np.maximum(sizes - 1, 0) // 2
    median = np.zeros(messages.panes)
    median[sizes > 0] = counts[order][middle[sizes > 0]]
    loud = np.zeros(len(messages.pane), np.bool_)
    loud[known] = (counts > np.maximum(LOUD, LOUD_BY_MEDIAN * median[pane]))[number]
    return loud


def _entries(
    messages: Messages, terms: Terms, heard: NDArray[np.bool_], loud: NDArray[np.bool_]
) -> tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.float64]]:
    occurrences = np.flatnonzero(heard[terms.rows])
    rows, hashes = terms.rows[occurrences], terms.hashes[occurrences]
    pane = messages.pane[rows]
    order = np.lexsort((rows, hashes, pane))
    occurrences, rows, hashes, pane = occurrences[order], rows[order], hashes[order], pane[order]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (pane[1:] != pane[:-1]) | (hashes[1:] != hashes[:-1])
    firsts, group = np.flatnonzero(new), np.cumsum(new) - 1
    entries = np.zeros(len(firsts), ENTRY)
    users = np.zeros((len(firsts), USER_BYTES), np.uint8)
    texts = np.zeros((len(firsts), TEXT_BYTES), np.uint8)
    counts = np.zeros(len(firsts), np.int64)
    gather_sketches(group, rows, counts, messages.user, terms.skeletons, loud, users, texts)
    entries["hash"], entries["messages"], entries["users"], entries["texts"] = hashes[firsts], counts, users, texts
    if len(firsts):
        entries["kind"] = np.minimum.reduceat(terms.kinds[occurrences], firsts)
    which, cut = most_used(entries, pane[firsts], messages.panes, TERMS_A_CHANNEL)
    kept = entries[which]
    kept["surface"] = _cut(terms.surfaces(occurrences[firsts[which]]))
    return kept, pane[firsts[which]], cut


def _cut(surfaces: pa.StringArray) -> NDArray[np.bytes_]:
    # A loop over the terms that are kept, at most TERMS_A_CHANNEL a pane: a cut must not fall inside a character.
    cut = [surface.encode()[:SURFACE_BYTES].decode(errors="ignore").encode() for surface in surfaces.to_pylist()]
    return np.array(cut, f"S{SURFACE_BYTES}")
