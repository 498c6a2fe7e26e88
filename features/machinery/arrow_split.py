"""Aggregate functions that need the values themselves, over Arrow columns: how often each occurs in a window.

Panes are split by the value, or by the bin of `features.machinery.bins` that it is in; see `Group` in
`features.machinery.aggregates`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.aggregates import ROWS
from features.machinery.arrow_groups import group
from features.machinery.oracle import binned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from features.machinery.aggregates import Argument
    from features.machinery.arrow_groups import Groups

#: What JSON escapes, as Flink writes it: with capital digits.
_ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04X}" for code in range(32)}
    | {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
)


@dataclass(frozen=True)
class Split:
    """The rows of windows whose panes are split by values: the window of each, and how many events it stands for."""

    windows: Groups
    columns: Mapping[str, pa.Array]

    @property
    def weights(self) -> NDArray[np.int64]:
        """How many events each row stands for."""
        weights: NDArray[np.int64] = self.columns[ROWS.name].to_numpy()
        return weights


def split_column(function: str, argument: Argument, rows: pa.Table) -> pa.Array:
    """Return the column by which a function needs panes split: the value, or what stands for all of its bin."""
    if function == "approx_percentile":
        values = rows.column(argument.name).to_pandas(types_mapper=pd.ArrowDtype)
        return pa.array(binned(values), pa.float64(), from_pandas=True)
    return present(argument, rows)


def number(argument: Argument, rows: pa.Table) -> pa.Array:
    """Return the column for arithmetic: 32 bits would overflow, and no feature has them."""
    column = rows.column(argument.name).combine_chunks()
    return column.cast(pa.int64()) if argument.term.type == "int64" else column


def present(argument: Argument, rows: pa.Table) -> pa.Array:
    """Return the column with an empty text as a missing one."""
    if argument.term.type != "string":
        return number(argument, rows)
    column = rows.column(argument.name).combine_chunks()
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _distinct(_: Argument, split: Split, values: pa.Array) -> pa.Array:
    present = pc.is_valid(values).to_numpy(zero_copy_only=False)
    windows = split.windows.codes[present]
    pairs = group([pa.array(windows), values.drop_null()])
    return pa.array(np.bincount(windows[pairs.first], minlength=split.windows.count).astype(np.int64))


def _percentile(argument: Argument, split: Split, values: pa.Array) -> pa.Array:
    """Interpolate between the two values around the place of the percentile among all, each as often as it occurs."""
    present = pc.is_valid(values).to_numpy(zero_copy_only=False) & (split.weights > 0)
    numbers, windows, weights = (
        values.to_numpy(zero_copy_only=False)[present],
        split.windows.codes[present],
        split.weights,
    )
    weights = weights[present]
    totals = np.zeros(split.windows.count, np.int64)
    np.add.at(totals, windows, weights)
    held = totals > 0
    order = np.lexsort((numbers, windows))
    ends, numbers = np.cumsum(weights[order]), numbers[order]
    starts = (np.cumsum(totals) - totals)[held]
    place = float(argument.parameter or 0) * (totals[held] - 1)
    below, above = np.floor(place), np.ceil(place)
    low, high = (
        numbers[np.searchsorted(ends, starts + side.astype(np.int64), side="right")] for side in (below, above)
    )
    result = np.zeros(split.windows.count)
    result[held] = np.where(low == high, low, (above - place) * low + (place - below) * high)
    return pa.array(result, mask=~held)


def _ranking(argument: Argument, split: Split, values: pa.Array) -> pa.Array:
    """Write the most frequent values as a JSON array; of equally frequent ones the least first."""
    present = pc.is_valid(values).to_numpy(zero_copy_only=False)
    ranked = pa.table({"w": split.windows.codes[present], "n": split.weights[present], "v": values.drop_null()})
    order = pc.sort_indices(ranked, sort_keys=[("w", "ascending"), ("n", "descending"), ("v", "ascending")])
    ranked = ranked.take(order)
    windows = ranked.column("w").to_numpy()
    place = np.arange(len(windows)) - np.searchsorted(windows, windows)
    ahead = place < math.floor(argument.parameter or 0)
    counts = np.bincount(windows[ahead], minlength=split.windows.count)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    texts = _json(ranked.column("v").filter(pa.array(ahead)).combine_chunks())
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), ",")
    return pc.binary_join_element_wise("[", joined, "]", "")


def _json(values: pa.Array) -> pa.Array:
    """Write each value as JSON; in Python, but once for each distinct one."""
    encoded = values.dictionary_encode()
    texts = [
        f'"{value.translate(_ESCAPES)}"' if isinstance(value, str) else str(value)
        for value in encoded.dictionary.to_pylist()
    ]
    return pa.array(texts, pa.string()).take(encoded.indices)


#: What computes a function of each window from the column that its panes are split by.
BY_SPLIT: dict[str, Callable[[Argument, Split, pa.Array], pa.Array]] = {
    "count_distinct": _distinct,
    "approx_percentile": _percentile,
    "top_k": _ranking,
}
