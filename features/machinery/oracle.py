"""The windows of a view, computed the plain way in pandas: what the job's rows are compared with.

Each event stands in `size / slide` windows. The event is written out once for each, then grouped: nothing here is
shared with the SQL but the declaration.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.machinery.bins import ERROR, LEAST
from features.machinery.expression import evaluate, parse
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import WINDOW_NAMES, one_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from features.machinery.view_spec import FeatureType, ViewSpec

    Values = pd.Series[Any]

#: What a window without events has; the others have nothing.
_EMPTY = {"count": 0, "count_distinct": 0, "approx_count_distinct": 0, "sum": 0, "top_k": "[]"}


def windows(view: ViewSpec, analysed: pd.DataFrame) -> pd.DataFrame:
    """Return the feature rows of a view over analysed events, sorted by key and window end.

    `analysed` has the columns of `schemas.arrow.ANALYSED` that the view uses, `event_id` for `first` and `last`, and
    `ts`: event time in ms since the epoch. `event_timestamp` of the result is in ms since the epoch as well. Of windows
    without events the first after some with events is there.
    """
    keys = [column.name for column in view.join_keys]
    keep = analysed["stage"] == "" if "stage" in analysed else pd.Series(data=True, index=analysed.index)
    for name in keys:
        keep &= analysed[name] != ""
    if view.filter:
        keep &= evaluate(parse(view.filter), {str(name): analysed[name] for name in analysed})
    size, slide = one_window(view)
    used = {*keys, "ts", "event_id", *(spec.column for spec in view.aggregations)} & set(analysed)
    order = [name for name in ("ts", "event_id") if name in used]
    kept = analysed.loc[keep, sorted(used)].sort_values(order, key=_sortable, kind="stable", ignore_index=True)
    rows = _in_every_window(kept, size, slide)
    groups = rows.groupby([*keys, EVENT_TIMESTAMP], sort=True)
    index = _with_silence(groups.size().index.to_frame(index=False), slide)
    aggregated: dict[str, Values] = {}
    for spec in view.aggregations:
        values = _FUNCTIONS[spec.function](groups, rows[spec.column], spec.parameter)
        column = values.reindex(index)
        if spec.function in _EMPTY:
            column[~index.isin(values.index)] = _EMPTY[spec.function]
        aggregated[spec.name] = column
    constants = {name: pd.Series(size / ms, index=index) for name, ms in WINDOW_NAMES.items()}
    features = {
        feature.name: (
            evaluate(parse(view.derived[feature.name]), aggregated | constants)
            if feature.name in view.derived
            else aggregated[feature.name]
        )
        for feature in view.features
    }
    typed = {feature.name: _typed(features[feature.name], feature.type) for feature in view.features}
    result: pd.DataFrame = pd.DataFrame(typed, index=index).reset_index()
    return result[[*keys, *typed, EVENT_TIMESTAMP]]


def _in_every_window(rows: pd.DataFrame, size: int, slide: int) -> pd.DataFrame:
    """Return each row once for every window that holds it, in their order; `event_timestamp` is that window's end."""
    first = rows["ts"] - rows["ts"] % slide + slide
    copies = [rows.assign(**{EVENT_TIMESTAMP: first + step}) for step in range(0, size, slide)]
    return pd.concat(copies).sort_index(kind="stable").reset_index(drop=True)


def _sortable(column: Values) -> Values:
    """Order texts by their bytes in UTF-8, as Flink does."""
    return column.str.encode("utf-8") if column.dtype == object else column


def _with_silence(ends: pd.DataFrame, slide: int) -> pd.MultiIndex:
    """Add to the ends of windows with events, key by key, those that follow and have none."""
    follow = ends.assign(**{EVENT_TIMESTAMP: ends[EVENT_TIMESTAMP] + slide})
    every = pd.concat([ends, follow]).drop_duplicates()
    return pd.MultiIndex.from_frame(every.sort_values(list(every.columns)))


def _typed(values: Values, type_: FeatureType) -> Values:
    """Give a feature its type; integers of which some are missing have pandas' type for that."""
    if type_ == "int64":
        return values.astype("Int64" if values.isna().any() else "int64")
    return values.astype("float64" if type_ == "float64" else "object")


def _present(values: Values) -> Values:
    """Return a column whose empty texts are missing."""
    return values.mask(values == "") if values.dtype == object else values


def _grouped(groups: Any, values: Values) -> Any:  # noqa: ANN401 pandas' groups of a frame and of a column
    """Group other values as the rows are grouped."""
    return values.groupby([groups.obj[name] for name in groups.keys], sort=True)


def _ranking(values: Values, places: int) -> str:
    """Return the most frequent values, of equally frequent ones the least first, as JSON."""
    counts = values.dropna().value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], _bytes(item[0])))[:places]
    return json.dumps([value for value, _ in ranked], ensure_ascii=False, separators=(",", ":"))


def _bytes(value: Any) -> Any:  # noqa: ANN401 a text or a number
    return value.encode() if isinstance(value, str) else value


def binned(values: Values) -> Values:
    """Return what the bins that hold values stand for: those of `features.machinery.bins`, computed by numpy."""
    step = math.log((1 + ERROR) / (1 - ERROR))
    size = np.abs(values.to_numpy(float, na_value=np.nan))
    with np.errstate(divide="ignore"):
        middles = np.exp(np.ceil(np.log(size) / step) * step) * (1 - ERROR)
    result = np.sign(values.to_numpy(float, na_value=np.nan)) * np.where(size < LEAST, 0.0, middles)
    return pd.Series(np.round(result) if pd.api.types.is_integer_dtype(values.dtype) else result, index=values.index)


#: Each gets the groups, the column of their rows and the number that the view's tags give.
_FUNCTIONS: dict[str, Callable[[Any, Values, float | None], Values]] = {
    "count": lambda groups, _, __: groups.size(),
    "count_distinct": lambda groups, values, _: _grouped(groups, _present(values)).nunique(),
    "approx_count_distinct": lambda groups, values, _: _grouped(groups, values).nunique(),
    "sum": lambda groups, values, _: _grouped(groups, values).sum(),
    "min": lambda groups, values, _: _grouped(groups, values).min(),
    "max": lambda groups, values, _: _grouped(groups, values).max(),
    "mean": lambda groups, values, _: _grouped(groups, values).mean(),
    "std": lambda groups, values, _: _grouped(groups, values.astype(float)).std(ddof=0),
    "first": lambda groups, values, _: _grouped(groups, _present(values)).first(),
    "last": lambda groups, values, _: _grouped(groups, _present(values)).last(),
    "approx_percentile": lambda groups, values, share: _grouped(groups, binned(values)).quantile(share),
    "top_k": lambda groups, values, places: _grouped(groups, _present(values)).agg(_ranking, int(places or 0)),
}
