"""The aggregate functions a view may use: their Flink SQL, their parts, and what pandas makes of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.machinery.expression import ExpressionType, Term

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Part:
    """What a pane keeps for a function: how it is built from rows, and how those of several panes are merged."""

    prefix: str
    build: Callable[[str], str]
    merge: Callable[[str], str]


@dataclass(frozen=True)
class AggregateFunction:
    """How a function is written in SQL over a column, which types it takes and what it gives.

    `result` is None where the function gives the type it takes. `pandas` names the same function of a pandas group.
    `parts` and `finish` compute it from panes; without parts it needs all rows of its window. `keys_only`: the column
    must be a 32-bit integer, which is what a bitmap holds.
    """

    takes: tuple[ExpressionType, ...]
    result: ExpressionType | None
    sql: Callable[[str], str]
    pandas: str
    parts: tuple[Part, ...] = ()
    finish: Callable[..., str] = str
    keys_only: bool = False


_ANY: tuple[ExpressionType, ...] = ("int64", "float64", "string")
_NUMBER: tuple[ExpressionType, ...] = ("int64", "float64")

_COUNT = Part("rows", lambda _: "COUNT(*)", "SUM({})".format)
_SUM = Part("sum", "SUM({})".format, "SUM({})".format)
_MIN = Part("min", "MIN({})".format, "MIN({})".format)
_MAX = Part("max", "MAX({})".format, "MAX({})".format)
# BITMAP_BUILD_AGG would do it in one call, but the code that Flink 2.3 generates for it in batch mode does not compile.
_BITMAP = Part("bitmap", "BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[{}]))".format, "BITMAP_OR_AGG({})".format)

#: No column that is counted, summed or compared is null, so that COUNT(*) equals a count of any and needs none.
FUNCTIONS: dict[str, AggregateFunction] = {
    "count": AggregateFunction(_ANY, "int64", lambda _: "COUNT(*)", "size", (_COUNT,)),
    "count_distinct": AggregateFunction(_ANY, "int64", "COUNT(DISTINCT {})".format, "nunique"),
    # Exact over the keys; two things of one key count once: of n, some n * n / 2**33.
    "approx_count_distinct": AggregateFunction(
        ("int64",),
        "int64",
        "COALESCE(BITMAP_BUILD_CARDINALITY_AGG({}), 0)".format,
        "nunique",
        (_BITMAP,),
        "COALESCE(BITMAP_CARDINALITY({}), 0)".format,
        keys_only=True,
    ),
    "sum": AggregateFunction(_NUMBER, None, "SUM({})".format, "sum", (_SUM,)),
    "min": AggregateFunction(_NUMBER, None, "MIN({})".format, "min", (_MIN,)),
    "max": AggregateFunction(_NUMBER, None, "MAX({})".format, "max", (_MAX,)),
    # AVG of integers is an integer in Flink: the cast makes it exact.
    "mean": AggregateFunction(
        _NUMBER,
        "float64",
        "AVG(CAST({} AS DOUBLE))".format,
        "mean",
        (_SUM, _COUNT),
        "(CAST({} AS DOUBLE) / {})".format,
    ),
}


def aggregate(name: str, column: Term) -> Term:
    """Apply the function `name` over all rows of a window, to a column of a type it takes."""
    function = FUNCTIONS[name]
    sql = _argument(name, column)
    if name == "count_distinct" and column.type == "string":
        sql = f"NULLIF({sql}, '')"  # an empty text stands for a missing one
    return Term(function.sql(sql), function.result or column.type)


def parts_of(name: str, column_name: str, column: Term) -> dict[str, tuple[Part, str]]:
    """Return what a pane keeps for the function `name` of a column: each part by its name, with the SQL to build it."""
    argument = _argument(name, column)
    return {
        part.prefix if part is _COUNT else f"{part.prefix}_{column_name}": (part, part.build(argument))
        for part in FUNCTIONS[name].parts
    }


def finished(name: str, column: Term, parts: list[str]) -> Term:
    """Compute the function `name` from the SQL of its parts, in the order of `parts_of`."""
    function = FUNCTIONS[name]
    return Term(function.finish(*parts), function.result or column.type)


def _argument(name: str, column: Term) -> str:
    """Widen 32-bit integers for a function that gives back what it takes or adds up."""
    if column.type == "int64" and name in {"sum", "min", "max", "mean"}:
        return f"CAST({column.sql} AS BIGINT)"  # 32 bits would overflow, and no feature has them
    return column.sql
