"""The expression language of view tags."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.expression import ExpressionError, Term, evaluate, parse, to_sql

NAMES = {
    "n": Term("COUNT(*)", "int64"),
    "x": Term("AVG(`x`)", "float64"),
    "kind": Term("`kind`", "string"),
    "two": Term("2", "int64", nonzero=True),
}
NUMBERS = st.integers(-50, 50)


@pytest.mark.parametrize(
    ("text", "sql", "kind"),
    [
        ("n - 1", "(COUNT(*) - CAST(1 AS BIGINT))", "int64"),
        ("n * x", "(COUNT(*) * AVG(`x`))", "float64"),
        ("-n", "(-COUNT(*))", "int64"),
        ("n / two", "(CAST(COUNT(*) AS DOUBLE) / CAST(2 AS DOUBLE))", "float64"),
        ("x / n", "(AVG(`x`) / NULLIF(CAST(COUNT(*) AS DOUBLE), CAST(0 AS DOUBLE)))", "float64"),
        ("kind == 'edit'", "(`kind` = 'edit')", "bool"),
        ("kind in ('edit', 'join')", "(`kind` IN ('edit', 'join'))", "bool"),
        ("not (n > 1 and x <= 0.5 or kind != '')", None, "bool"),
    ],
)
def test_expressions_become_sql(text: str, sql: str | None, kind: str) -> None:
    """Each form of the language has its SQL and its type."""
    term = to_sql(parse(text), NAMES)
    assert term.type == kind
    assert term.sql == (
        sql or "(NOT (((COUNT(*) > CAST(1 AS BIGINT)) AND (AVG(`x`) <= CAST(0.5 AS DOUBLE))) OR (`kind` <> '')))"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n +", "cannot read"),
        ("", "cannot read"),
        ("kin", "did you mean 'kind'"),
        ("n ** 2", "not part of the expression language"),
        ("n.x", "not part of the expression language"),
        ("abs(n)", "not part of the expression language"),
        ("0 < n < 2", "not part of the expression language"),
        ("n / 0", "divides by zero"),
        ("n + kind", "'kind' is string"),
        ("kind == 1", "compares string with int64"),
        ("not n", "'n' is int64, expected bool"),
        ("kind in ('a', 1)", "literals of type string"),
        ("kind in kind", "not part of the expression language"),
        ("True", "not part of the expression language"),
        ("9223372036854775808", "out of range"),
        ("1e999", "out of range"),
        ("b'x'", "out of range"),
    ],
)
def test_what_the_language_has_not_is_refused(text: str, message: str) -> None:
    """The error shows the part and, for a name, the near miss."""
    with pytest.raises(ExpressionError, match=message):
        to_sql(parse(text), NAMES)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_pandas_computes_what_python_does(rows: list[tuple[int, int]]) -> None:
    """Over columns, an expression gives what it gives row by row; a division by zero gives null."""
    frame = pd.DataFrame(rows, columns=["a", "b"])
    names = {str(name): frame[name] for name in frame}
    for text in ("a - b * 2", "-a + b", "a > b and not a == 3", "a in (1, 2) or b >= 0", "a not in (1, 2)"):
        assert list(evaluate(parse(text), names)) == [eval(text, {"a": a, "b": b}) for a, b in rows]  # noqa: S307 the oracle
    quotient = list(evaluate(parse("a / b"), names).astype(object).where(frame["b"] != 0, None))
    assert quotient == [a / b if b else None for a, b in rows]


def test_what_is_in_a_list_of_values_is_not_known_of_a_null() -> None:
    """As in SQL, and as Arrow has it for other comparisons; a column of pandas' own has no nulls."""
    kinds = pd.Series(["edit", None, "join"], dtype="string[pyarrow]").astype(pd.ArrowDtype(pa.string()))
    for text, known in (("kind in ('edit',)", [True, None, False]), ("kind not in ('edit',)", [False, None, True])):
        assert pa.array(evaluate(parse(text), {"kind": kinds})).to_pylist() == known
    assert list(evaluate(parse("kind not in ('edit',)"), {"kind": pd.Series(["edit", "join"])})) == [False, True]
