"""What comes of single values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.machinery.outcomes import least_difference, outcomes, plain_value, relative_difference
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec


@pytest.mark.parametrize(
    ("online", "without", "whole", "late", "wanted"),
    [
        (1.0, 1.0, 1.0, False, "equal"),
        (None, None, None, False, "equal"),
        (1.0, 1.0 + 1e-10, 2.0, False, "equal"),
        (2.0, 1.0, 2.0, True, "equal"),
        (2.0, 1.0, 2.0, False, "mismatch"),
        (3.0, 1.0, 2.0, True, "late"),
        (1.0, 1.001, 1.001, False, "mismatch"),
        (None, 1.0, 1.0, False, "missing"),
        (1.0, None, None, False, "extra"),
        (1.0, "no row", "no row", False, "extra"),
        (1.0, "no row", 1.0, True, "equal"),
        (2.0, "no row", 1.0, True, "late"),
        (None, "no row", "no row", False, "extra"),
    ],
)
def test_a_value_and_what_it_should_be(
    online: float | None,
    without: Any,  # noqa: ANN401 a number, nothing, or no row
    whole: Any,  # noqa: ANN401 as above
    late: bool,  # noqa: FBT001 a case
    wanted: str,
) -> None:
    """A row that is not there has no value either; late events excuse a difference and no more."""
    one, other = (
        pd.DataFrame(
            {"x": [value if isinstance(value, float) else np.nan], "is_row": [None if value == "no row" else True]}
        )
        for value in (without, whole)
    )
    values = pd.Series([online], name="x", dtype=float)
    assert outcomes(values, one, other, pd.Series([late]), 1e-12).tolist() == [wanted]


def test_a_feature_made_of_a_spread_bears_its_error() -> None:
    """By itself or through an expression; the others do not."""
    specs = tuple(AggregationSpec(name, name, "toxicity", 1_000, 1_000) for name in ("std", "mean"))
    features = (Column("std", "float64"), Column("mean", "float64"), Column("twice", "float64"))
    view = ViewSpec("v", (), features, specs, {"twice": "std * 2"})
    assert [least_difference(view, feature.name) for feature in features] == [3e-8, 1e-12, 3e-8]


def test_how_far_values_are_apart() -> None:
    """By the larger of them; a text or nothing is as far as can be."""
    cases = [(4, 5), (-1.0, 1.0), (0, 0), ("a", "b"), (None, 1), (pd.NA, 1)]
    assert [relative_difference(*case) for case in cases] == [0.2, 1.0, 0.0, 1.0, 1.0, 1.0]
    assert [plain_value(value) for value in (np.int64(3), np.float64(0.5), "a", None, pd.NA)] == [
        3,
        0.5,
        "a",
        None,
        None,
    ]
