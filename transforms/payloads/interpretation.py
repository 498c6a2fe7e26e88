"""What payloads say, from what stands at the paths of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.payloads.declaration import ANY, KINDS, TEXT_KINDS, UNLISTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from transforms.payloads.declaration import Plan
    from transforms.payloads.paths import Path

    Columns = Mapping[Path, pa.Array]
    Codes = NDArray[np.int8]

#: What is found in a payload beside the kind.
FIELDS = ("text", "target", "reply_to", "thread", "language", "emotes")
#: Codes of kinds are places in KINDS; these stand for a kind that is not told, and for one of the metadata's own.
UNTOLD, OWN = -1, len(KINDS)

_CODES = {kind: code for code, kind in enumerate(KINDS)}


def interpret(columns: Columns, plan: Plan, told: Codes) -> tuple[Codes, dict[str, pa.StringArray]]:
    """Return each row's kind, and a column of texts ('' for none) for each of FIELDS that the plan has paths for.

    `told` is each row's kind where it is known already, else UNTOLD.
    """
    codes, unlisted = _derived(columns, plan, len(told))
    known = told != UNTOLD
    codes = np.where(known, told, codes)
    text = _of_kind(columns, plan.text, codes)
    if unlisted.any():
        silent = pc.equal(pc.binary_length(text), 0).to_numpy(zero_copy_only=False)
        codes[unlisted & silent & ~known] = _CODES[dict(plan.kinds).get(UNLISTED, KINDS[0])]
    silent_kinds = codes >= len(TEXT_KINDS)
    found = {"text": pc.if_else(pa.array(silent_kinds), "", text) if silent_kinds.any() else text}
    if plan.target:
        found["target"] = _of_kind(columns, plan.target, codes)
    for name in ("reply_to", "thread", "language", "emotes"):
        if paths := getattr(plan, name):
            found[name] = pc.fill_null(_first(columns, paths), "")
    return codes, found


def _derived(columns: Columns, plan: Plan, rows: int) -> tuple[Codes, NDArray[np.bool_]]:
    """Return each row's kind by its payload, and whether its type is one that is not listed."""
    codes = np.zeros(rows, np.int8)
    typed = unlisted = np.zeros(rows, np.bool_)
    if plan.type:
        types = _first(columns, plan.type)
        typed = pc.is_valid(types).to_numpy(zero_copy_only=False)
        names, kinds = zip(*plan.kinds, strict=True)
        places = pc.fill_null(pc.index_in(types, pa.array(names)), len(names)).to_numpy()
        codes = np.array([*(_CODES[kind] for kind in kinds), 0], np.int8)[places]
        unlisted = typed & (places == len(names))
    for kind, path in reversed(plan.shapes):
        leads = columns[path]
        there = pc.greater(pc.list_value_length(leads), 0) if path.listed else pc.is_valid(leads)
        codes[there.to_numpy(zero_copy_only=False) & ~typed] = _CODES[kind]
    return codes, unlisted


def _of_kind(columns: Columns, paths: Sequence[tuple[str, tuple[Path, ...]]], codes: Codes) -> pa.StringArray:
    """Return the first text at the paths of each row's kind, else at those for any; '' where there is none."""
    anyhow = dict(paths).get(ANY)
    found = _first(columns, anyhow) if anyhow else pa.nulls(len(codes), pa.string())
    for kind, own in paths:
        rows = codes == _CODES.get(kind, -1)
        if rows.any():
            found = pc.if_else(pa.array(rows), pc.coalesce(_first(columns, own), found), found)
    return pc.fill_null(found, "")


def _first(columns: Columns, paths: Sequence[Path]) -> pa.StringArray:
    """Return the first text at any of the paths that is not empty, null where there is none."""
    texts = [pc.binary_join(columns[path], " ") if path.listed else columns[path] for path in paths]
    if len(texts) == 1 and not paths[0].listed:
        return texts[0]
    return pc.coalesce(*(pc.if_else(pc.not_equal(text, ""), text, None) for text in texts))
