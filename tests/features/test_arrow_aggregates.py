"""The aggregate functions over Arrow columns: the parts of the SQL, and values of single windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.machinery.aggregates import FUNCTIONS, Argument
from features.machinery.arrow_aggregates import Split, finished, parts_of
from features.machinery.arrow_groups import Groups
from features.machinery.expression import Term

TEXT, WHOLE, DOUBLE = (Argument("x", Term("`x`", type_), 0.5) for type_ in ("string", "int64", "float64"))
NO_SPLIT = Split(Groups(np.zeros(0, np.int64), np.zeros(0, np.int64)), {})


def one_window(function: str, argument: Argument, values: pa.Array, weights: list[int]) -> Any:  # noqa: ANN401 a value of any type
    """The value of a function of one window whose panes are split by values."""
    split = FUNCTIONS[function].group
    assert split is not None
    windows = Groups(np.zeros(len(weights), np.int64), np.zeros(1, np.int64))
    columns = {split(argument).name: values, "rows": pa.array(weights, pa.int64())}
    return finished(function, argument, {}, Split(windows, columns)).to_pylist()[0]


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


def test_a_percentile_lies_between_two_values() -> None:
    """Each as often as it occurs; empty panes and missing values do not count."""
    numbers = pa.array([3.0, 1.0, None, 9.0])
    assert one_window("approx_percentile", DOUBLE, numbers, [1, 2, 5, 1]) == 2.0
    assert one_window("approx_percentile", DOUBLE, numbers, [1, 2, 5, 0]) == 1.0
    assert one_window("approx_percentile", DOUBLE, pa.array([None], pa.float64()), [2]) is None


def test_a_ranking_is_json() -> None:
    """The most frequent first, of equals the one whose bytes are less; quotes and controls are escaped."""
    argument = Argument("x", Term("`x`", "string"), 3)
    texts = pa.array(["ü", 'q"', "\n", None, "z"])
    assert one_window("top_k", argument, texts, [2, 2, 1, 9, 3]) == '["z","q\\"","ü"]'
    assert (
        one_window("top_k", argument, pa.array(["\n\x0b\\u001f\x1f\x7f"]), [1]) == '["\\n\\u000B\\\\u001f\\u001F\x7f"]'
    )
    assert one_window("top_k", Argument("x", Term("`x`", "int64"), 3), pa.array([-1, 5]), [1, 2]) == "[5,-1]"
    assert one_window("top_k", argument, pa.array([None], pa.string()), [0]) == "[]"
