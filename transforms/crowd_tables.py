"""Tables of a pane: how many distinct users and texts each of its terms has, and what its health is computed from.

A table is bytes that Flink keeps: a head, then an entry a term. Users and texts are sketches, so that tables of several
panes or channels unite, and a user or a text that is in more than one of them counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from transforms.kernels.sketches import (
    CROWD_BYTES,
    TEXT_BYTES,
    USER_BYTES,
    estimate_sketches,
    unite_sketches,
)
from transforms.kernels.spans import copy_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Terms that the table of a channel holds at most, and one over several channels, those of the most users first. What
#: the head's `cut` says is how many users a term may have had that was left out.
TERMS_A_CHANNEL, TERMS_OVER_ALL = 256, 1_024
#: Users from which on a copied term is left out over all channels.
LEAST_FLOOD = 8
#: Speakers are counted in so many groups, by their hash.
SPEAKER_GROUPS = 128
SURFACE_BYTES = 32

_CODEC = pa.Codec("zstd", compression_level=1)
_LENGTH_BYTES = 4

HEAD = np.dtype(
    [
        ("end", "<i8"),
        ("terms", "<u4"),
        ("messages", "<u4"),
        ("heard", "<u4"),
        ("beyond", "<u4"),
        ("toxic", "<u4"),
        ("replies", "<u4"),
        ("deletes", "<u4"),
        ("reactions", "<u4"),
        ("toxicity", "<f8"),
        ("reply_toxicity", "<f8"),
        ("cut", "<f8"),
        ("flooded", "<f8"),
        ("users", "u1", (CROWD_BYTES,)),
        ("toxic_users", "u1", (CROWD_BYTES,)),
        ("heard_users", "u1", (CROWD_BYTES,)),
        ("speakers", "<u4", (SPEAKER_GROUPS,)),
    ]
)
ENTRY = np.dtype(
    [
        ("hash", "<i8"),
        ("messages", "<u4"),
        ("kind", "u1"),
        ("unused", "V3"),
        ("users", "u1", (USER_BYTES,)),
        ("texts", "u1", (TEXT_BYTES,)),
        ("surface", f"S{SURFACE_BYTES}"),
    ]
)


@dataclass(frozen=True)
class Tables:
    """Heads of tables and all their entries one after another; `table` is the number of the table of each entry."""

    heads: NDArray[np.void]
    entries: NDArray[np.void]
    table: NDArray[np.int64]


def estimate(sketches: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Estimate how many distinct keys each sketch [rows, bytes] has seen."""
    counts = np.empty(len(sketches), np.float64)
    estimate_sketches(np.ascontiguousarray(sketches), counts)
    return counts


def write_tables(tables: Tables) -> pa.BinaryArray:
    """Return tables as bytes, one value a head: the length of what is behind it, then head and entries in zstd.

    Sketches of few users are mostly zeros: packed, a table is a fifth to a tenth, and so is Flink's state.
    """
    counts = tables.heads["terms"].astype(np.int64)
    ends = np.cumsum(counts)
    heads, entries = tables.heads.view(np.uint8).data, tables.entries.view(np.uint8).data
    packed = []
    # A loop over tables, each of up to a thousand terms.
    for table, (first, end) in enumerate(zip((ends - counts).tolist(), ends.tolist(), strict=True)):
        head = heads[table * HEAD.itemsize : (table + 1) * HEAD.itemsize]
        plain = b"".join((head, entries[first * ENTRY.itemsize : end * ENTRY.itemsize]))
        packed.append(len(plain).to_bytes(_LENGTH_BYTES, "little") + _CODEC.compress(plain, asbytes=True))
    return pa.array(packed, pa.binary())


def read_tables(tables: pa.BinaryArray) -> Tables:
    """Read tables. Raises ValueError where bytes are no table."""
    plain = [_unpacked(table) for table in tables]
    lengths = np.array([len(table) for table in plain], np.int64)
    if (lengths < HEAD.itemsize).any() or ((lengths - HEAD.itemsize) % ENTRY.itemsize).any():
        message = "bytes that are no table of terms"
        raise ValueError(message)
    values = np.frombuffer(b"".join(plain), np.uint8)
    starts = np.cumsum(lengths) - lengths
    counts = (lengths - HEAD.itemsize) // ENTRY.itemsize
    heads, entries = np.empty(len(counts), HEAD), np.empty(int(counts.sum()), ENTRY)
    copy_spans(values, starts, starts + HEAD.itemsize, heads.view(np.uint8).reshape(-1))
    copy_spans(values, starts + HEAD.itemsize, starts + lengths, entries.view(np.uint8).reshape(-1))
    return Tables(heads, entries, np.repeat(np.arange(len(counts)), counts))


def _unpacked(table: pa.BinaryScalar) -> pa.Buffer:
    packed = table.as_buffer()
    length = int.from_bytes(packed[:_LENGTH_BYTES].to_pybytes(), "little")
    try:
        return _CODEC.decompress(packed[_LENGTH_BYTES:], length)
    except OSError as error:
        message = f"bytes that are no table of terms: {error}"
        raise ValueError(message) from error


def read_table_lists(lists: pa.ListArray) -> tuple[Tables, NDArray[np.int64]]:
    """Read lists of tables; return all tables and the number of the list of each."""
    return read_tables(lists.flatten()), np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))


def copied(users: NDArray[np.float64], texts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each term whether people write it in fewer wordings than Heaps' law leaves to their own words."""
    return texts < np.sqrt(users)


def merge_tables(lists: pa.ListArray) -> pa.BinaryArray:
    """Unite the tables of each list (of one pane's channels) to one; users and texts are counted once over all.

    What is copied in a channel is not passed on, lest ordinary use elsewhere hide it: the head's `flooded` is how many
    users the largest such term of any channel had.
    """
    tables, group = read_table_lists(lists)
    heads = np.zeros(len(lists), HEAD)
    for name in (
        "messages",
        "heard",
        "beyond",
        "toxic",
        "replies",
        "deletes",
        "reactions",
        "toxicity",
        "reply_toxicity",
    ):
        np.add.at(heads[name], group, tables.heads[name])
    heads["speakers"] = add_speakers(tables.heads["speakers"], group, len(lists))
    np.maximum.at(heads["end"], group, tables.heads["end"])
    for name in ("users", "toxic_users", "heard_users"):
        heads[name] = united(tables.heads[name], group, len(lists))
    users = estimate(tables.entries["users"])
    flood = (users >= LEAST_FLOOD) & copied(users, estimate(tables.entries["texts"]))
    np.maximum.at(heads["flooded"], group[tables.table[flood]], users[flood])
    entries, table = _merge_entries(tables.entries[~flood], group[tables.table[~flood]])
    which, cut = most_used(entries, table, len(lists), TERMS_OVER_ALL)
    entries, table = entries[which], table[which]
    np.maximum.at(heads["cut"], group, tables.heads["cut"])
    heads["cut"] = np.maximum(heads["cut"], cut)
    heads["terms"] = np.bincount(table, minlength=len(lists))
    return write_tables(Tables(heads, entries, table))


def add_speakers(speakers: NDArray[np.uint32], group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Return the sum of the speakers' counts [rows, SPEAKER_GROUPS] of each group."""
    cells = (group[:, None] * SPEAKER_GROUPS + np.arange(SPEAKER_GROUPS)).reshape(-1)
    summed = np.bincount(cells, speakers.reshape(-1), groups * SPEAKER_GROUPS)
    return summed.reshape(groups, SPEAKER_GROUPS).astype(np.int64)


def _merge_entries(entries: NDArray[np.void], group: NDArray[np.int64]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Unite the entries of one term in one group; return them and their groups, ordered by group and hash."""
    order = np.lexsort((entries["hash"], group))
    entries, group = entries[order], group[order]
    new = np.ones(len(entries), np.bool_)
    new[1:] = (group[1:] != group[:-1]) | (entries["hash"][1:] != entries["hash"][:-1])
    firsts, number = np.flatnonzero(new), np.cumsum(new) - 1
    merged = entries[firsts]
    if len(firsts) < len(entries):
        merged["messages"] = np.add.reduceat(entries["messages"], firsts)
        merged["users"] = united(entries["users"], number, len(firsts))
        merged["texts"] = united(entries["texts"], number, len(firsts))
        merged["surface"] = _least(entries["surface"], number, firsts)
    return merged, group[firsts]


def _least(surfaces: NDArray[np.bytes_], number: NDArray[np.int64], firsts: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Return the least surface of each group, whatever their order: tables come in any."""
    least = surfaces[firsts]
    differ = surfaces != least[number]
    for row in np.flatnonzero(differ):
        least[number[row]] = min(least[number[row]], surfaces[row])
    return least


def united(sketches: NDArray[np.uint8], group: NDArray[np.int64], groups: int) -> NDArray[np.uint8]:
    """Return the union of the sketches of each group [groups, bytes]."""
    union = np.zeros((groups, sketches.shape[1]), np.uint8)
    unite_sketches(np.ascontiguousarray(sketches), np.ascontiguousarray(group, np.int64), union)
    return union


def most_used(
    entries: NDArray[np.void], table: NDArray[np.int64], tables: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which entries are among the `most` of their table by users, and the users of each table's first beyond."""
    counts = np.bincount(table, minlength=tables)
    cut = np.zeros(tables)
    if counts.max(initial=0) <= most:
        return np.arange(len(entries)), cut
    users = estimate(entries["users"])
    order = np.lexsort((entries["hash"], -users, table))
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    first_beyond = order[place == most]
    cut[table[first_beyond]] = users[first_beyond]
    return np.sort(order[place < most]), cut
