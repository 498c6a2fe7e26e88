"""What comes of a value online that is held against the recomputed one: equal, or in which way not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.machinery.expression import parse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.machinery.view_spec import ViewSpec

    Values = pd.Series[Any]

EQUAL, MISMATCH, MISSING, EXTRA, LATE, ERROR = OUTCOMES = ("equal", "mismatch", "missing", "extra", "late", "error")
#: Those that mean that a value is not what it should be, the worst first.
WRONG = (MISMATCH, EXTRA, MISSING)
#: By how much, relatively, doubles may differ: a mean depends on the order of its sum in the last digits. Beside it
#: what is as good as nothing, and the error of a `std` (features.machinery.aggregates).
TOLERANCE = 1e-9
_LEAST, _LEAST_STD = 1e-12, 3e-8


def least_difference(view: ViewSpec, feature: str) -> float:
    """Return by how much, absolutely, the values of a feature may differ."""
    parts = {node.id for node in ast.walk(parse(view.derived.get(feature, feature))) if isinstance(node, ast.Name)}
    spread = {spec.name for spec in view.aggregations if spec.function == "std"}
    return _LEAST_STD if spread & parts else _LEAST


def outcomes(
    online: Values, plain: pd.DataFrame, whole: pd.DataFrame, late: Values, least: float
) -> NDArray[np.object_]:
    """Return the outcome of each value of a feature; `online` bears its name.

    `plain` and `whole` are the rows recomputed without late events and with them, and `is_row` says where there is one;
    `late` where a window holds some. `least` is by how much, absolutely, doubles may differ.
    """
    feature = str(online.name)
    without, everything = plain[feature], whole[feature]
    has_row, has_whole = plain["is_row"].notna(), whole["is_row"].notna()
    right = (has_row & _equal(online, without, least)) | (late & has_whole & _equal(online, everything, least))
    return np.select(
        [right, late, ~has_row, online.isna(), without.isna()], [EQUAL, LATE, EXTRA, MISSING, EXTRA], MISMATCH
    ).astype(object)


def _equal(one: Values, other: Values, least: float) -> Values:
    """Return where values are the same, missing ones too; doubles may differ by `TOLERANCE` or by `least`."""
    both = one.isna() & other.isna()
    if pd.api.types.is_float_dtype(one.dtype):
        a, b = one.to_numpy(float, na_value=np.nan), other.to_numpy(float, na_value=np.nan)
        return both | pd.Series(np.isclose(a, b, rtol=TOLERANCE, atol=least), index=one.index)
    return both | (one == other).fillna(value=False).astype(bool)


def relative_difference(one: Any, other: Any) -> float:  # noqa: ANN401 a cell of either frame
    """Return how far two numbers are apart, by the larger of them, at most 1; whatever else differs is as far."""
    if pd.isna(one) or pd.isna(other) or isinstance(one, str):
        return 1.0
    largest = max(abs(one), abs(other))
    return min(1.0, float(abs(one - other) / largest)) if largest else 0.0


def plain_value(value: Any) -> object:  # noqa: ANN401 as above
    """Return a cell as Python has it, None for a missing one."""
    return None if pd.isna(value) else value.item() if hasattr(value, "item") else value
