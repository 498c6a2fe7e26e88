"""The aggregate functions a view may use: their Flink SQL, their result, and what pandas makes of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.machinery.expression import ExpressionType, Term

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class AggregateFunction:
    """How a function is written in SQL over a column, which types it takes and what it gives.

    `result` is None where the function gives the type it takes. `pandas` names the same function of a pandas group.
    """

    takes: tuple[ExpressionType, ...]
    result: ExpressionType | None
    sql: Callable[[str], str]
    pandas: str


_ANY: tuple[ExpressionType, ...] = ("int64", "float64", "string")
_NUMBER: tuple[ExpressionType, ...] = ("int64", "float64")

#: No column of an analysed row is null, so that COUNT(*) equals a count of any column and needs none.
FUNCTIONS: dict[str, AggregateFunction] = {
    "count": AggregateFunction(_ANY, "int64", lambda _: "COUNT(*)", "size"),
    "count_distinct": AggregateFunction(_ANY, "int64", "COUNT(DISTINCT {})".format, "nunique"),
    "sum": AggregateFunction(_NUMBER, None, "SUM({})".format, "sum"),
    "min": AggregateFunction(_NUMBER, None, "MIN({})".format, "min"),
    "max": AggregateFunction(_NUMBER, None, "MAX({})".format, "max"),
    # AVG of integers is an integer in Flink: the cast makes it exact.
    "mean": AggregateFunction(_NUMBER, "float64", "AVG(CAST({} AS DOUBLE))".format, "mean"),
}


def aggregate(name: str, column: Term) -> Term:
    """Apply the function `name` to a column of a type it takes."""
    function, sql = FUNCTIONS[name], column.sql
    if name == "count_distinct" and column.type == "string":
        sql = f"NULLIF({sql}, '')"  # an empty text stands for a missing one
    elif function.result is None and column.type == "int64":
        sql = f"CAST({sql} AS BIGINT)"  # 32 bits would overflow, and no feature has them
    return Term(function.sql(sql), function.result or column.type)
