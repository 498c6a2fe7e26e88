"""The aggregate functions a view may use: what a pane keeps for them, and how Flink SQL makes a value of that.

Integers are summed exactly. A sum of doubles depends on their order, which differs between a stream and a batch; so
doubles are summed in two integers, multiples of 2**-20 and what remains in multiples of 2**-52 (exact, each value cut
below 2**-52), which holds while the sum stays below 2**43, some 8.8e12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.machinery.bins import bin_of, value_of
from features.machinery.expression import ExpressionType, Term

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Argument:
    """The column that an aggregation is over, and the number that its view's tags give it (see `parameter`)."""

    name: str
    term: Term
    parameter: float | None = None

    @property
    def number(self) -> str:
        """The column for arithmetic: 32 bits would overflow, and no feature has them."""
        return f"CAST({self.term.sql} AS BIGINT)" if self.term.type == "int64" else self.term.sql

    @property
    def present(self) -> str:
        """The column with an empty text as a missing one."""
        return f"NULLIF({self.term.sql}, '')" if self.term.type == "string" else self.term.sql


@dataclass(frozen=True)
class Part:
    """A column of panes: made from rows by `build`, from those of other panes by `merge`."""

    name: str
    build: str
    merge: str


@dataclass(frozen=True)
class Group:
    """A column that splits panes further: `name`, what it is of a row, and its SQL type."""

    name: str
    sql: str
    type: str


@dataclass(frozen=True)
class Parameter:
    """The number a function needs: what it is called, and the least and greatest it may be."""

    what: str
    least: float
    greatest: float
    whole: bool = False


@dataclass(frozen=True)
class AggregateFunction:
    """What a function takes and gives (`result` None: the type it takes), and how it is computed from panes.

    `finish` gets the SQL of its merged `parts`, and `empty` is what it gives of no rows (None: null). A function with a
    `group` needs panes split by that column; `ranked` ones rank its values. `keys_only`: the column must be a 32-bit
    integer, which is what a bitmap holds.
    """

    takes: tuple[ExpressionType, ...]
    result: ExpressionType | None
    parts: Callable[[Argument], tuple[Part, ...]]
    finish: Callable[..., str]
    empty: str | None = None
    group: Callable[[Argument], Group] | None = None
    parameter: Parameter | None = None
    ranked: bool = False
    keys_only: bool = False


_ANY: tuple[ExpressionType, ...] = ("int64", "float64", "string")
_NUMBER: tuple[ExpressionType, ...] = ("int64", "float64")
_COARSE, _FINE = "1048576e0", "4294967296e0"
#: Between event id and value in the texts that `first` and `last` compare.
_MARK = "U&'\\0001'"
SQL_TYPES: dict[ExpressionType, str] = {"int64": "BIGINT", "float64": "DOUBLE", "string": "STRING"}

#: Events in a pane. No column that is counted, summed or compared is null: COUNT(*) is a count of any.
ROWS = Part("rows", "COUNT(*)", "SUM(`rows`)")


def _summed(name: str, build: str) -> Part:
    return Part(name, f"SUM({build})", f"SUM(`{name}`)")


def _sum_parts(name: str, value: str, kind: ExpressionType) -> tuple[Part, ...]:
    if kind == "int64":
        return (_summed(name, value),)
    whole = f"FLOOR({value} * {_COARSE})"
    rest = f"({value} * {_COARSE} - {whole}) * {_FINE}"
    return (
        _summed(f"{name}_whole", f"CAST({whole} AS BIGINT)"),
        _summed(f"{name}_rest", f"CAST({rest} AS BIGINT)"),
    )


def _total(argument: Argument, parts: tuple[str, ...]) -> str:
    """Write a sum as a double."""
    if argument.term.type == "int64":
        return f"CAST({parts[0]} AS DOUBLE)"
    return f"((CAST({parts[0]} AS DOUBLE) + CAST({parts[1]} AS DOUBLE) / {_FINE}) / {_COARSE})"


def _sums(argument: Argument) -> tuple[Part, ...]:
    return _sum_parts(f"sum_{argument.name}", argument.number, argument.term.type)


def _squares(argument: Argument) -> tuple[Part, ...]:
    square = f"{argument.number} * {argument.number}"
    return _sum_parts(f"squares_{argument.name}", f"({square})", argument.term.type)


def _sum(argument: Argument, *parts: str) -> str:
    total = parts[0] if argument.term.type == "int64" else _total(argument, parts)
    return f"COALESCE({total}, {'0' if argument.term.type == 'int64' else '0e0'})"


def _mean(argument: Argument, *parts: str) -> str:
    return f"({_total(argument, parts[:-1])} / {parts[-1]})"


def _std(argument: Argument, *parts: str) -> str:
    """Write the standard deviation of the population, n * squares - sum * sum being exact for integers."""
    *sums, rows = parts
    if argument.term.type == "int64":
        total, squares, count = (f"CAST({part} AS DECIMAL(19, 0))" for part in (*sums, rows))
        return f"(SQRT(CAST({count} * {squares} - {total} * {total} AS DOUBLE)) / {rows})"
    mean = f"({_total(argument, tuple(sums[:2]))} / {rows})"
    return f"SQRT(GREATEST({_total(argument, tuple(sums[2:]))} / {rows} - {mean} * {mean}, 0e0))"


def _extreme(which: str) -> Callable[[Argument], tuple[Part, ...]]:
    def parts(argument: Argument) -> tuple[Part, ...]:
        name = f"{which.lower()}_{argument.name}"
        return (Part(name, f"{which}({argument.number})", f"{which}(`{name}`)"),)

    return parts


def _at(which: str, how: str) -> Callable[[Argument], tuple[Part, ...]]:
    """Keep the value with its time and event id before it, in a text that sorts as they do, byte by byte."""

    def parts(argument: Argument) -> tuple[Part, ...]:
        name = f"{which}_{argument.name}"
        event = f"CAST(`et` AS STRING) || REPLACE(`event_id`, {_MARK}, '')"
        text = f"{event} || {_MARK} || CAST({argument.present} AS STRING)"
        return (Part(name, f"{how}({text})", f"{how}(`{name}`)"),)

    return parts


def _value_at(argument: Argument, part: str) -> str:
    value = f"SUBSTRING({part} FROM POSITION({_MARK} IN {part}) + 1)"
    return value if argument.term.type == "string" else f"CAST({value} AS {SQL_TYPES[argument.term.type]})"


def _bitmap(argument: Argument) -> tuple[Part, ...]:
    # BITMAP_BUILD_AGG would do it in one call, but the code that Flink 2.3 generates for it in batch mode does not
    # compile (an accumulator without a cast, in a sort aggregation).
    name = f"bitmap_{argument.name}"
    build = f"BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[{argument.term.sql}]))"
    return (Part(name, build, f"BITMAP_OR_AGG(`{name}`)"),)


def _value(argument: Argument) -> Group:
    return Group(f"value_{argument.name}", argument.present, SQL_TYPES[argument.term.type])


def _bin(argument: Argument) -> Group:
    return Group(f"bin_{argument.name}", bin_of(f"CAST({argument.term.sql} AS DOUBLE)"), "BIGINT")


def _percentile(argument: Argument, _: str) -> str:
    value = value_of(f"`bin_{argument.name}`", whole=argument.term.type == "int64")
    return f"PERCENTILE({value}, {argument.parameter!r}, `rows`)"


def _rows(_: Argument) -> tuple[Part, ...]:
    return (ROWS,)


FUNCTIONS: dict[str, AggregateFunction] = {
    "count": AggregateFunction(_ANY, "int64", _rows, lambda _, rows: rows, "0"),
    "count_distinct": AggregateFunction(
        _ANY, "int64", lambda _: (), lambda argument: f"COUNT(DISTINCT `value_{argument.name}`)", "0", _value
    ),
    # Exact over the keys; two things of one key count once: of n, some n * n / 2**33.
    "approx_count_distinct": AggregateFunction(
        ("int64",),
        "int64",
        _bitmap,
        lambda _, bitmap: f"COALESCE(BITMAP_CARDINALITY({bitmap}), 0)",
        "0",
        keys_only=True,
    ),
    "sum": AggregateFunction(_NUMBER, None, _sums, _sum, "0"),
    "min": AggregateFunction(_NUMBER, None, _extreme("MIN"), lambda _, least: least),
    "max": AggregateFunction(_NUMBER, None, _extreme("MAX"), lambda _, greatest: greatest),
    "mean": AggregateFunction(_NUMBER, "float64", lambda a: (*_sums(a), ROWS), _mean),
    "std": AggregateFunction(_NUMBER, "float64", lambda a: (*_sums(a), *_squares(a), ROWS), _std),
    "first": AggregateFunction(_ANY, None, _at("first", "MIN"), _value_at),
    "last": AggregateFunction(_ANY, None, _at("last", "MAX"), _value_at),
    "approx_percentile": AggregateFunction(
        _NUMBER,
        "float64",
        _rows,
        _percentile,
        group=_bin,
        parameter=Parameter("the share of values below it", 0, 1),
    ),
    "top_k": AggregateFunction(
        ("int64", "string"),
        "string",
        _rows,
        lambda _, rows: rows,
        "'[]'",
        _value,
        Parameter("how many values", 1, 20, whole=True),
        ranked=True,
    ),
}


def finished(name: str, argument: Argument, parts: list[str]) -> Term:
    """Compute the function `name` from the SQL of its merged parts, in their order."""
    function = FUNCTIONS[name]
    return Term(function.finish(argument, *parts), function.result or argument.term.type)
