"""Functions of single windows whose panes are split by values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from features.machinery.aggregates import FUNCTIONS, Argument
from features.machinery.arrow_aggregates import finished
from features.machinery.arrow_groups import Groups
from features.machinery.arrow_split import Split
from features.machinery.expression import Term

DOUBLE = Argument("x", Term("`x`", "float64"), 0.5)


def one_window(function: str, argument: Argument, values: pa.Array, weights: list[int]) -> Any:  # noqa: ANN401 a value of any type
    """The value of a function of one window whose panes are split by values."""
    split = FUNCTIONS[function].group
    assert split is not None
    windows = Groups(np.zeros(len(weights), np.int64), np.zeros(1, np.int64))
    columns = {split(argument).name: values, "rows": pa.array(weights, pa.int64())}
    return finished(function, argument, {}, Split(windows, columns)).to_pylist()[0]


def test_distinct_values_are_those_that_are_there() -> None:
    """Each once; a missing one is none."""
    texts = pa.array(["a", None, "b", "a"])
    assert one_window("count_distinct", Argument("x", Term("`x`", "string")), texts, [1, 2, 1, 1]) == 2


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
