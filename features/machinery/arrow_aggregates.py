"""The aggregate functions of `features.machinery.aggregates` over Arrow columns: their parts, and values of those.

Parts bear the names that they have in SQL and hold the same numbers, so that sums are exact in any order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.aggregates import FUNCTIONS, ROWS
from features.machinery.arrow_groups import group, singletons
from features.machinery.oracle import binned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from features.machinery.aggregates import Argument
    from features.machinery.arrow_groups import Groups, Merging

_COARSE, _FINE = 2.0**20, 2.0**32
#: Between event id and value in the texts that `first` and `last` compare.
_MARK = "\x01"
_TIME_DIGITS = 15
_DECIMAL = pa.decimal256(19, 0)
#: What JSON escapes, as Flink writes it: with capital digits.
_ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04X}" for code in range(32)}
    | {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
)


@dataclass(frozen=True)
class ArrowPart:
    """What a pane keeps: made of rows by `build`, which gets the table of their columns, and merged as `how` says."""

    build: Callable[[pa.Table], pa.Array]
    how: Merging


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


def parts_of(function: str, argument: Argument) -> dict[str, ArrowPart]:
    """Return the parts of a function by the names that they have in SQL."""
    names = [part.name for part in FUNCTIONS[function].parts(argument)]
    return dict(zip(names, _PARTS[function](argument), strict=True))


def rows_part() -> ArrowPart:
    """Return the part that counts events."""
    return ArrowPart(lambda rows: pa.array(np.ones(rows.num_rows, np.int64)), "sum")


def split_column(function: str, argument: Argument, rows: pa.Table) -> pa.Array:
    """Return the column by which a function needs panes split: the value, or what stands for all of its bin."""
    if function == "approx_percentile":
        values = rows.column(argument.name).to_pandas(types_mapper=pd.ArrowDtype)
        return pa.array(binned(values), pa.float64(), from_pandas=True)
    return _present(argument, rows)


def finished(function: str, argument: Argument, parts: Mapping[str, pa.Array], split: Split) -> pa.Array:
    """Return a function of each window, null where it has none, from the merged parts or the rows of `split`."""
    if function in _BY_SPLIT:
        (column,) = (FUNCTIONS[function].group,)
        name = column(argument).name if column else ""
        return _BY_SPLIT[function](argument, split, split.columns[name])
    names = [part.name for part in FUNCTIONS[function].parts(argument)]
    return _FINISH[function](argument, *(parts[name] for name in names))


def _number(argument: Argument, rows: pa.Table) -> pa.Array:
    column = rows.column(argument.name).combine_chunks()
    return column.cast(pa.int64()) if argument.term.type == "int64" else column


def _present(argument: Argument, rows: pa.Table) -> pa.Array:
    if argument.term.type != "string":
        return _number(argument, rows)
    column = rows.column(argument.name).combine_chunks()
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _sum_parts(argument: Argument, values: Callable[[pa.Table], pa.Array]) -> list[ArrowPart]:
    if argument.term.type == "int64":
        return [ArrowPart(values, "sum")]

    def whole(rows: pa.Table) -> pa.Array:
        return pc.floor(pc.multiply(values(rows), _COARSE))

    def rest(rows: pa.Table) -> pa.Array:
        return pc.multiply(pc.subtract(pc.multiply(values(rows), _COARSE), whole(rows)), _FINE)

    return [
        ArrowPart(lambda rows: whole(rows).cast(pa.int64(), safe=False), "sum"),
        ArrowPart(lambda rows: rest(rows).cast(pa.int64(), safe=False), "sum"),
    ]


def _sums(argument: Argument) -> list[ArrowPart]:
    return _sum_parts(argument, lambda rows: _number(argument, rows))


def _squares(argument: Argument) -> list[ArrowPart]:
    def square(rows: pa.Table) -> pa.Array:
        values = _number(argument, rows)
        return pc.multiply(values, values)

    return _sum_parts(argument, square)


def _extreme(how: Merging) -> Callable[[Argument], list[ArrowPart]]:
    return lambda argument: [ArrowPart(lambda rows: _number(argument, rows), how)]


def _at(how: Merging) -> Callable[[Argument], list[ArrowPart]]:
    """Keep the value with its time and event id before it, in a text that sorts as they do, byte by byte."""

    def build(argument: Argument, rows: pa.Table) -> pa.Array:
        time = pc.utf8_lpad(rows.column("ts").combine_chunks().cast(pa.string()), _TIME_DIGITS, "0")
        event = pc.replace_substring(rows.column("event_id").combine_chunks(), _MARK, "")
        value = _present(argument, rows).cast(pa.string())
        return pc.binary_join_element_wise(pc.binary_join_element_wise(time, event, ""), value, _MARK)

    return lambda argument: [ArrowPart(lambda rows: build(argument, rows), how)]


def _keys(argument: Argument) -> list[ArrowPart]:
    return [ArrowPart(lambda rows: singletons(rows.column(argument.name).combine_chunks()), "union")]


def _rows(_: Argument) -> list[ArrowPart]:
    return [rows_part()]


def _none(_: Argument) -> list[ArrowPart]:
    return []


_PARTS: dict[str, Callable[[Argument], list[ArrowPart]]] = {
    "count": _rows,
    "count_distinct": _none,
    "approx_count_distinct": _keys,
    "sum": _sums,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "mean": lambda argument: [*_sums(argument), rows_part()],
    "std": lambda argument: [*_sums(argument), *_squares(argument), rows_part()],
    "first": _at("least"),
    "last": _at("greatest"),
    "approx_percentile": _rows,
    "top_k": _rows,
}


def _double(values: pa.Array) -> pa.Array:
    return values.cast(pa.float64(), safe=False)


def _total(argument: Argument, *parts: pa.Array) -> pa.Array:
    """Return a sum as a double."""
    if argument.term.type == "int64":
        return _double(parts[0])
    coarse, fine = (_double(part) for part in parts)
    return pc.divide(pc.add(coarse, pc.divide(fine, _FINE)), _COARSE)


def _sum(argument: Argument, *parts: pa.Array) -> pa.Array:
    return pc.fill_null(parts[0], 0) if argument.term.type == "int64" else pc.fill_null(_total(argument, *parts), 0.0)


def _mean(argument: Argument, *parts: pa.Array) -> pa.Array:
    return pc.divide(_total(argument, *parts[:-1]), _double(parts[-1]))


def _std(argument: Argument, *parts: pa.Array) -> pa.Array:
    *sums, rows = parts
    count = _double(rows)
    if argument.term.type == "int64":
        total, squares, exact = (part.cast(_DECIMAL) for part in (*sums, rows))
        spread = pc.subtract(pc.multiply(exact, squares), pc.multiply(total, total))
        return pc.divide(pc.sqrt(_double(spread)), count)
    mean = pc.divide(_total(argument, *sums[:2]), count)
    spread = pc.subtract(pc.divide(_total(argument, *sums[2:]), count), pc.multiply(mean, mean))
    return pc.sqrt(pc.max_element_wise(spread, 0.0, skip_nulls=False))


def _value_at(argument: Argument, part: pa.Array) -> pa.Array:
    """Take the value from behind the first mark; there is none in an event id."""
    values = pc.list_element(pc.split_pattern(part, _MARK, max_splits=1), 1)
    return values.cast({"int64": pa.int64(), "float64": pa.float64()}.get(argument.term.type, pa.string()))


def _as_it_is(_: Argument, part: pa.Array) -> pa.Array:
    return part


_FINISH: dict[str, Callable[..., pa.Array]] = {
    "count": _as_it_is,
    "approx_count_distinct": lambda _, keys: pc.list_value_length(keys).cast(pa.int64()),
    "sum": _sum,
    "min": _as_it_is,
    "max": _as_it_is,
    "mean": _mean,
    "std": _std,
    "first": _value_at,
    "last": _value_at,
}


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


_BY_SPLIT: dict[str, Callable[[Argument, Split, pa.Array], pa.Array]] = {
    "count_distinct": _distinct,
    "approx_percentile": _percentile,
    "top_k": _ranking,
}
