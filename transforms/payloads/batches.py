"""Payloads of mixed platforms read in groups that hold the same names at the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import constant, string_buffers
from transforms.kernels.payloads import mark_objects
from transforms.payloads.catalogue import PLANS, PLATFORMS, TOP_NAMES, plan_for
from transforms.payloads.interpretation import FIELDS, interpret
from transforms.payloads.markup import rewrite
from transforms.payloads.reading import read_each, read_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from transforms.payloads.declaration import Plan
    from transforms.payloads.reading import Leaves

#: Rows of a platform whose names at the top few others share are read together with paths for all of them.
_FEW = 64


@dataclass(frozen=True)
class Found:
    """A column for `kind` and for each of FIELDS ('' for nothing; left out where no row has any), and the bad rows."""

    columns: dict[str, pa.StringArray]
    bad_rows: NDArray[np.int64]
    reasons: list[str]


def read_payloads(payloads: pa.BinaryArray, platforms: NDArray[np.uint8], told: pa.StringArray) -> Found:
    """Read payloads of platforms (places in PLATFORMS); `told` is each row's kind where it is known, else null."""
    rows = len(payloads)
    whole = np.empty(rows, np.bool_)
    present = np.empty(rows, np.uint64)
    mark_objects(*string_buffers(payloads), platforms, TOP_NAMES, whole, present)
    parts: list[tuple[NDArray[np.int64], Found]] = []
    for plan, members in _groups(platforms, present, whole):
        parts.append((members, _read(payloads, told, members, plan, read_together)))
    for platform in np.unique(platforms[~whole]).tolist():
        members = np.flatnonzero(~whole & (platforms == platform))
        parts.append((members, _read(payloads, told, members, PLANS[platform], read_each)))
    return _without_markup(_joined(parts, rows), platforms)


def _groups(
    platforms: NDArray[np.uint8], present: NDArray[np.uint64], whole: NDArray[np.bool_]
) -> list[tuple[Plan, NDArray[np.int64]]]:
    """Return what to read in which rows, for those that are whole."""
    plans: dict[Plan, list[NDArray[np.int64]]] = {}
    for platform in np.flatnonzero(np.bincount(platforms[whole], minlength=len(PLATFORMS))).tolist():
        rows = np.flatnonzero(whole & (platforms == platform))
        names, which, counts = np.unique(present[rows], return_inverse=True, return_counts=True)
        few = counts < _FEW
        if few.sum() > 1:
            names[few] = np.bitwise_or.reduce(names[few])
        for name in np.unique(names).tolist():
            plans.setdefault(plan_for(platform, name), []).append(rows[(names == name)[which]])
    return [(plan, np.sort(np.concatenate(members))) for plan, members in plans.items()]


def _read(
    payloads: pa.BinaryArray,
    told: pa.StringArray,
    members: NDArray[np.int64],
    plan: Plan,
    read: Callable[[pa.BinaryArray, Plan], Leaves],
) -> Found:
    if len(members) < len(payloads):
        places = pa.array(members)
        payloads, told = payloads.take(places), told.take(places)
    leaves = read(payloads, plan)
    return Found(interpret(leaves.columns, plan, told), members[leaves.bad_rows], leaves.reasons)


def _joined(parts: list[tuple[NDArray[np.int64], Found]], rows: int) -> Found:
    if len(parts) == 1:
        return parts[0][1]
    columns = {}
    order = np.empty(rows, np.int64)
    if parts:
        order[np.concatenate([members for members, _ in parts])] = np.arange(rows)
    for name in ("kind", *FIELDS):
        if any(name in found.columns for _, found in parts):
            pieces = [found.columns.get(name, constant("", len(members), pa.string())) for members, found in parts]
            columns[name] = pa.concat_arrays(pieces).take(pa.array(order))
    bad_rows = np.concatenate([np.zeros(0, np.int64), *(found.bad_rows for _, found in parts)])
    reasons = [reason for _, found in parts for reason in found.reasons]
    by_row = np.argsort(bad_rows, kind="stable")
    return Found(columns, bad_rows[by_row], [reasons[place] for place in by_row.tolist()])


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
    return Found(columns, found.bad_rows, found.reasons)
