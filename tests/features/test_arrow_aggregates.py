"""The aggregate functions over Arrow columns: the parts of the SQL, and values of those."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from features.machinery.aggregates import FUNCTIONS, Argument
from features.machinery.arrow_aggregates import finished, parts_of
from features.machinery.arrow_groups import Groups
from features.machinery.arrow_split import Split
from features.machinery.expression import Term

TEXT, WHOLE, DOUBLE = (Argument("x", Term("`x`", type_), 0.5) for type_ in ("string", "int64", "float64"))
NO_SPLIT = Split(Groups(np.zeros(0, np.int64), np.zeros(0, np.int64)), {})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_parts_are_those_of_the_sql(function: str) -> None:
    """For every function there is and every type it takes, as many of them and by the same names."""
    for argument in (TEXT, WHOLE, DOUBLE):
        if argument.term.type in FUNCTIONS[function].takes:
            assert list(parts_of(function, argument)) == [part.name for part in FUNCTIONS[function].parts(argument)]


def test_sums_of_doubles_are_exact() -> None:
    """In two integers, as the SQL keeps them: what is lost of one value is below 2**-52."""
    values = np.random.default_rng(1).random(1_000)
    rows = pa.table({"x": values})
    parts = {name: part.build(rows) for name, part in parts_of("sum", DOUBLE).items()}
    assert [part.type for part in parts.values()] == [pa.int64(), pa.int64()]
    sums = {name: pa.array([sum(part.to_pylist())]) for name, part in parts.items()}
    assert finished("sum", DOUBLE, sums, NO_SPLIT).to_pylist() == [pytest.approx(float(np.sum(values)), rel=1e-13)]


def test_a_deviation_of_large_integers_is_exact() -> None:
    """The difference of their squares is some of its 30 digits."""
    values = [4 * 10**8 + number for number in range(3)]
    parts = {"sum_x": sum(values), "squares_x": sum(value * value for value in values), "rows": 3}
    columns = {name: pa.array([value]) for name, value in parts.items()}
    assert finished("std", WHOLE, columns, NO_SPLIT).to_pylist() == [pytest.approx((2 / 3) ** 0.5, rel=1e-15)]


def test_first_and_last_read_behind_the_first_mark() -> None:
    """A text may hold the mark itself, an id cannot."""
    rows = pa.table({"ts": [5, 5], "event_id": ["a\x01b", "b"], "x": ["\x01x\x01", ""]})
    (part,) = parts_of("first", TEXT).values()
    built = part.build(rows)
    assert built.to_pylist() == ["000000000000005ab\x01\x01x\x01", None]
    assert finished("first", TEXT, {"first_x": built}, NO_SPLIT).to_pylist() == ["\x01x\x01", None]
