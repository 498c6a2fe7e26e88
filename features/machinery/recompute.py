"""One window of each of many entities, computed anew from analysed events by the oracle.

The oracle writes an event out once for each window that holds it. Here one window an entity is asked for, so times are
moved, entity by entity, until all those windows are one tumbling window: the oracle then sees each event once, and
what it says of that window is what it would have said of the one asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from features.machinery.expression import evaluate, parse
from features.machinery.oracle import windows
from features.machinery.silence import LATER_MS
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import one_window, patience_ms

if TYPE_CHECKING:
    from features.machinery.view_spec import ViewSpec


def recompute(view: ViewSpec, analysed: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a view for the windows in `ends`: join keys and `event_timestamp`, one an entity.

    `analysed` is as for the oracle (times in ms since the epoch) and holds at least the events of those windows and of
    the step before. An entity whose window the job writes no row for has none here. A row has the columns of `ends`,
    then the features.
    """
    size, slide = one_window(view)
    keys = [column.name for column in view.join_keys]
    rows = analysed.merge(ends, on=keys)
    end = rows[EVENT_TIMESTAMP]
    inside = rows[(rows["ts"] >= end - size - slide) & (rows["ts"] < end)]
    moved = inside.assign(ts=inside["ts"] - inside[EVENT_TIMESTAMP] + 2 * size).drop(columns=EVENT_TIMESTAMP)
    if moved.empty:
        return ends.iloc[:0].assign(**{feature.name: pd.Series(dtype=object) for feature in view.features})
    tumbling = replace(view, aggregations=tuple(replace(spec, slide_ms=size) for spec in view.aggregations))
    found = windows(tumbling, moved.reset_index(drop=True))
    # The step before stands in the window before: one without events after it has a row, as with any steps.
    found = found[found[EVENT_TIMESTAMP] == 2 * size].drop(columns=EVENT_TIMESTAMP)
    aligned = ends[ends[EVENT_TIMESTAMP] % slide == 0]
    return aligned.merge(found, on=keys, how="inner")


def newest_ends(view: ViewSpec, analysed: pd.DataFrame, until_ms: int) -> pd.DataFrame:
    """Return the end of each entity's newest row that is due when `until_ms` has passed, from its newest event.

    A row comes with every window that holds the event, at most `patience_ms` after its end, and `LATER_MS` after its
    end with the first that does not.
    """
    size, slide = one_window(view)
    keys = [column.name for column in view.join_keys]
    last = (until_ms - patience_ms(slide)) // slide * slide
    counted = counting(view, analysed)
    newest = counted[counted["ts"] < last].groupby(keys, sort=True)["ts"].max().reset_index()
    closing = newest["ts"] // slide * slide + slide + size
    told = closing.where(closing + LATER_MS <= until_ms, closing - slide)
    return newest[keys].assign(**{EVENT_TIMESTAMP: told.clip(upper=last)})


def counting(view: ViewSpec, analysed: pd.DataFrame) -> pd.DataFrame:
    """Return the events that count in a view: those that have its keys and pass its filter."""
    keep = analysed["stage"] == ""
    for column in view.join_keys:
        keep &= analysed[column.name] != ""
    if view.filter:
        keep &= evaluate(parse(view.filter), {str(name): analysed[name] for name in analysed})
    return analysed[keep]
