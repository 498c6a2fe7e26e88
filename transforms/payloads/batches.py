"""Payloads of mixed platforms read in groups that hold the same names at the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import constant, string_buffers
from transforms.kernels.payloads import slim_objects
from transforms.payloads.catalogue import ALL_NAMES, PLANS, PLATFORMS, TOP_NAMES, plan_for
from transforms.payloads.interpretation import FIELDS, interpret
from transforms.payloads.markup import rewrite
from transforms.payloads.reading import read_each, read_together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.payloads.declaration import Plan
    from transforms.payloads.reading import Leaves

#: Rows whose names at the top few others share are put with others of their platform, and read one by one where they
#: are still so few: to start Arrow's reader takes half a ms, a row by itself 20 µs.
_FEW = 24


@dataclass(frozen=True)
class Found:
    """Each row's kind, a column for each of FIELDS ('' for nothing, left out where no row has any), the bad rows."""

    kinds: NDArray[np.int8]
    columns: dict[str, pa.StringArray]
    bad_rows: NDArray[np.int64]
    reasons: list[str]


def read_payloads(payloads: pa.BinaryArray, platforms: NDArray[np.uint8], told: NDArray[np.int8]) -> Found:
    """Read payloads of platforms (places in PLATFORMS); `told` is each row's kind where it is known, else UNTOLD."""
    rows = len(payloads)
    values, offsets = string_buffers(payloads)
    whole, present = np.empty(rows, np.bool_), np.empty(rows, np.uint64)
    slim, bounds = np.empty(int(offsets[-1] - offsets[0]), np.uint8), np.empty(rows + 1, np.int32)
    slim_objects(values, offsets, platforms, TOP_NAMES, ALL_NAMES, whole, present, slim, bounds)
    slimmed = pa.BinaryArray.from_buffers(pa.binary(), rows, [None, pa.py_buffer(bounds), pa.py_buffer(slim)])
    parts: list[tuple[NDArray[np.int64], Found]] = []
    for plan, members in _groups(platforms, present, whole):
        texts, slim_texts = _taken(members, payloads, slimmed)
        leaves = read_each(texts, plan) if len(members) < _FEW else read_together(texts, slim_texts, plan)
        parts.append((members, _found(members, leaves, plan, told[members])))
    for platform in np.unique(platforms[~whole]).tolist():
        members, plan = np.flatnonzero(~whole & (platforms == platform)), PLANS[platform]
        (texts,) = _taken(members, payloads)
        parts.append((members, _found(members, read_each(texts, plan), plan, told[members])))
    return _without_markup(_joined(parts, rows), platforms)


def _groups(
    platforms: NDArray[np.uint8], present: NDArray[np.uint64], whole: NDArray[np.bool_]
) -> list[tuple[Plan, NDArray[np.int64]]]:
    """Return what to read in which rows, for those that are whole."""
    plans: dict[Plan, list[NDArray[np.int64]]] = {}
    for platform in np.flatnonzero(np.bincount(platforms[whole], minlength=len(PLATFORMS))).tolist():
        rows = np.flatnonzero(whole & (platforms == platform))
        if (present[rows] == present[rows[0]]).all():
            plans.setdefault(plan_for(platform, int(present[rows[0]])), []).append(rows)
            continue
        names, which, counts = np.unique(present[rows], return_inverse=True, return_counts=True)
        few = counts < _FEW
        if few.sum() > 1:
            names[few] = np.bitwise_or.reduce(names[few])
        for name in np.unique(names).tolist():
            plans.setdefault(plan_for(platform, name), []).append(rows[(names == name)[which]])
    return [(plan, np.sort(np.concatenate(members))) for plan, members in plans.items()]


def _taken(members: NDArray[np.int64], *columns: pa.Array) -> list[pa.Array]:
    if len(members) == len(columns[0]):
        return list(columns)
    places = pa.array(members)
    return [column.take(places) for column in columns]


def _found(members: NDArray[np.int64], leaves: Leaves, plan: Plan, told: NDArray[np.int8]) -> Found:
    return Found(*interpret(leaves.columns, plan, told), members[leaves.bad_rows], leaves.reasons)


def _joined(parts: list[tuple[NDArray[np.int64], Found]], rows: int) -> Found:
    if len(parts) == 1:
        return parts[0][1]
    columns = {}
    kinds = np.empty(rows, np.int8)
    order = np.empty(rows, np.int64)
    if parts:
        order[np.concatenate([members for members, _ in parts])] = np.arange(rows)
    for members, found in parts:
        kinds[members] = found.kinds
    for name in FIELDS:
        if any(name in found.columns for _, found in parts):
            pieces = [found.columns.get(name, constant("", len(members), pa.string())) for members, found in parts]
            columns[name] = pa.concat_arrays(pieces).take(pa.array(order))
    bad_rows = np.concatenate([np.zeros(0, np.int64), *(found.bad_rows for _, found in parts)])
    reasons = [reason for _, found in parts for reason in found.reasons]
    by_row = np.argsort(bad_rows, kind="stable")
    return Found(kinds, columns, bad_rows[by_row], [reasons[place] for place in by_row.tolist()])


def _without_markup(found: Found, platforms: NDArray[np.uint8]) -> Found:
    columns = dict(found.columns)
    if "text" not in columns:
        return found
    for place, platform in enumerate(PLATFORMS):
        mask = platforms == place
        if not mask.any() or not (platform.markup or platform.emote):
            continue
        own = pa.array(mask)
        texts = columns["text"] if mask.all() else columns["text"].filter(own)
        plain, emotes = rewrite(texts, platform)
        if plain is texts:
            continue
        columns["text"] = pc.replace_with_mask(columns["text"], own, plain)
        others = columns.get("emotes", constant("", len(mask), pa.string()))
        own_emotes = pc.if_else(pc.equal(others.filter(own), ""), emotes, others.filter(own))
        columns["emotes"] = pc.replace_with_mask(others, own, own_emotes)
    return Found(found.kinds, columns, found.bad_rows, found.reasons)
