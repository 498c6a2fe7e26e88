"""The aggregate functions of `features.machinery.aggregates` over Arrow columns: their parts, and values of those.

Parts bear the names that they have in SQL and hold the same numbers, so that sums are exact in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.aggregates import FUNCTIONS
from features.machinery.arrow_groups import singletons
from features.machinery.arrow_split import BY_SPLIT, number, present

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from features.machinery.aggregates import Argument
    from features.machinery.arrow_groups import Merging
    from features.machinery.arrow_split import Split

_COARSE, _FINE = 2.0**20, 2.0**32
#: Between event id and value in the texts that `first` and `last` compare.
_MARK = "\x01"
_TIME_DIGITS = 15
_DECIMAL = pa.decimal256(19, 0)


@dataclass(frozen=True)
class ArrowPart:
    """What a pane keeps: made of rows by `build`, which gets the table of their columns, and merged as `how` says."""

    build: Callable[[pa.Table], pa.Array]
    how: Merging


def parts_of(function: str, argument: Argument) -> dict[str, ArrowPart]:
    """Return the parts of a function by the names that they have in SQL."""
    names = [part.name for part in FUNCTIONS[function].parts(argument)]
    return dict(zip(names, _PARTS[function](argument), strict=True))


def rows_part() -> ArrowPart:
    """Return the part that counts events."""
    return ArrowPart(lambda rows: pa.array(np.ones(rows.num_rows, np.int64)), "sum")


def finished(function: str, argument: Argument, parts: Mapping[str, pa.Array], split: Split) -> pa.Array:
    """Return a function of each window, null where it has none, from the merged parts or the rows of `split`."""
    group = FUNCTIONS[function].group
    if group is not None:
        return BY_SPLIT[function](argument, split, split.columns[group(argument).name])
    names = [part.name for part in FUNCTIONS[function].parts(argument)]
    return _FINISH[function](argument, *(parts[name] for name in names))


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
    return _sum_parts(argument, lambda rows: number(argument, rows))


def _squares(argument: Argument) -> list[ArrowPart]:
    def square(rows: pa.Table) -> pa.Array:
        values = number(argument, rows)
        return pc.multiply(values, values)

    return _sum_parts(argument, square)


def _extreme(how: Merging) -> Callable[[Argument], list[ArrowPart]]:
    return lambda argument: [ArrowPart(lambda rows: number(argument, rows), how)]


def _at(how: Merging) -> Callable[[Argument], list[ArrowPart]]:
    """Keep the value with its time and event id before it, in a text that sorts as they do, byte by byte."""

    def build(argument: Argument, rows: pa.Table) -> pa.Array:
        time = pc.utf8_lpad(rows.column("ts").combine_chunks().cast(pa.string()), _TIME_DIGITS, "0")
        event = pc.replace_substring(rows.column("event_id").combine_chunks(), _MARK, "")
        value = present(argument, rows).cast(pa.string())
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
