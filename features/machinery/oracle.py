"""The windows of a view, computed the plain way in pandas: what the job's rows are compared with.

Each event stands in `size / slide` windows. The event is written out once for each, then grouped: nothing here is
shared with the SQL but the declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from features.machinery.aggregates import FUNCTIONS
from features.machinery.expression import evaluate, parse
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import WINDOW_NAMES, one_window

if TYPE_CHECKING:
    from features.machinery.view_spec import ViewSpec

_DTYPES = {"int64": "int64", "float64": "float64", "string": "object"}


def windows(view: ViewSpec, analysed: pd.DataFrame) -> pd.DataFrame:
    """Return the feature rows of a view over analysed events, sorted by key and window end.

    `analysed` has the columns of `schemas.arrow.ANALYSED` that the view uses, and `ts`: event time in ms since the
    epoch. `event_timestamp` of the result is in ms since the epoch as well.
    """
    keys, keep = [column.name for column in view.join_keys], analysed["stage"] == ""
    for name in keys:
        keep &= analysed[name] != ""
    if view.filter:
        keep &= evaluate(parse(view.filter), {str(name): analysed[name] for name in analysed})
    size, slide = one_window(view)
    used = list(dict.fromkeys([*keys, *(spec.column for spec in view.aggregations), "ts"]))
    kept = analysed.loc[keep, used]
    for name in {spec.column for spec in view.aggregations if spec.function == "count_distinct"} - set(keys):
        if kept[name].dtype == object:
            kept[name] = kept[name].where(kept[name] != "")  # an empty text stands for a missing one
    rows = _in_every_window(kept, size, slide)
    groups = rows.groupby([*keys, EVENT_TIMESTAMP], sort=True)
    aggregated: dict[str, pd.Series[Any]] = {}
    for spec in view.aggregations:
        how = FUNCTIONS[spec.function].pandas
        aggregated[spec.name] = groups.size() if how == "size" else groups[spec.column].agg(how)
    index = groups.size().index
    constants = {name: pd.Series(size / ms, index=index) for name, ms in WINDOW_NAMES.items()}
    features = {
        feature.name: (
            evaluate(parse(view.derived[feature.name]), aggregated | constants)
            if feature.name in view.derived
            else aggregated[feature.name]
        )
        for feature in view.features
    }
    typed = {feature.name: _DTYPES[feature.type] for feature in view.features}
    result: pd.DataFrame = pd.DataFrame(features, index=index).astype(typed).reset_index()
    return result[[*keys, *typed, EVENT_TIMESTAMP]]


def _in_every_window(rows: pd.DataFrame, size: int, slide: int) -> pd.DataFrame:
    """Return each row once for every window that holds it, `event_timestamp` being that window's end."""
    first = rows["ts"] - rows["ts"] % slide + slide
    copies = [rows.assign(**{EVENT_TIMESTAMP: first + step}) for step in range(0, size, slide)]
    return pd.concat(copies, ignore_index=True)
