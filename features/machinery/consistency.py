"""Online rows held against rows computed anew from the lake: what is equal, wrong, missing or there without a reason.

A row online is compared at its own event timestamp. It is missing where the lake's events give a newer row, and extra
where they give none at that time. What cannot be judged is left out and counted: rows ahead of what the lake is known
to hold, rows older than what was read of it, and rows of windows that reach back to before the job. A window of late
events is judged leniently: they may have come in time for a step that was still open, so its value may be the one with
them or without, and between the two it is `late`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.machinery.outcomes import (
    ERROR,
    MISSING,
    OUTCOMES,
    WRONG,
    least_difference,
    outcomes,
    plain_value,
    relative_difference,
)
from features.machinery.recompute import counting, newest_ends, recompute
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import one_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.machinery.view_spec import ViewSpec

    Values = pd.Series[Any]


@dataclass(frozen=True)
class Bounds:
    """Instants in ms since the epoch: what may be judged.

    Windows that end by `known_ms` had been written online before the rows were read; the lake holds all events before
    `settled_ms`; rows that end by `recent_ms` are too old to have been read of it, and those before `alive_ms` have
    outlived their view. Events before `whole_ms` may be an earlier job's, whose state the running one does not have:
    windows that begin before it, or in the step after it, may lack events or closing rows.
    """

    known_ms: int
    settled_ms: int
    recent_ms: int
    alive_ms: int
    whole_ms: int = 0


@dataclass(frozen=True)
class Disagreement:
    """A value that is not what it should be, with what it is and would be; `event_timestamp` is that of the latter."""

    view: str
    entity: Mapping[str, object]
    feature: str
    outcome: str
    online: object
    recomputed: object
    event_timestamp: int


@dataclass(frozen=True)
class ViewReport:
    """What was found of a view: rows by how they were judged, values of each feature by outcome, and the worst.

    `checked` rows were compared or are missing; `missing` and `stale` ones are among them: there is no row, or an older
    one. `late_events` is how many late events their windows hold. Not compared are those `older`, `unsettled`,
    `before_job`, `absent` and `unreadable`: with these every row of `entities` is told once. `given_up` entities were
    drawn, and not looked at.
    """

    entities: int
    checked: int
    missing: int
    stale: int
    older: int
    unsettled: int
    before_job: int
    late_events: int
    features: Mapping[str, Mapping[str, int]]
    worst: Disagreement | None
    absent: int = 0
    unreadable: int = 0
    given_up: int = 0

    def total(self, outcome: str) -> int:
        """Return how many values have an outcome, over all features."""
        return sum(counts[outcome] for counts in self.features.values())


def judge(
    view: ViewSpec, online: pd.DataFrame, unreadable: pd.DataFrame, analysed: pd.DataFrame, bounds: Bounds
) -> ViewReport:
    """Judge the rows of one view.

    `online` has a row an entity: join keys, features and `event_timestamp` in ms, null where there is no row.
    `unreadable` says, row by row and feature by feature, what could not be read. `analysed` is as for the oracle, with
    the column `late`.
    """
    keys = [column.name for column in view.join_keys]
    on_time = analysed[~analysed["late"]]
    newest = newest_ends(view, on_time, bounds.known_ms).rename(columns={EVENT_TIMESTAMP: "newest"})
    rows = online.merge(newest, on=keys, how="left").set_index(online.index)
    there, due = rows[EVENT_TIMESTAMP].astype(float), rows["newest"].astype(float)
    due = due.where(due > max(bounds.recent_ms, bounds.alive_ms))
    failed = unreadable.any(axis=1)
    ahead = there > bounds.settled_ms
    first_whole = bounds.whole_ms + sum(one_window(view))
    lacking = due < first_whole
    missing = there.isna() & due.notna() & ~lacking & ~failed
    stale = ~ahead & (due > there) & ~lacking
    older = ~ahead & ~stale & (there <= bounds.recent_ms)
    before = ~ahead & ~stale & ~older & ((there < first_whole) | (there.isna() & lacking & ~failed))
    compared = there.notna() & ~ahead & ~stale & ~older & ~before
    wanting = missing | stale
    nowhere = there.isna() & ~missing & ~before
    ends = rows[keys].assign(**{EVENT_TIMESTAMP: there.where(compared, due.where(wanting))})
    ends = ends[ends[EVENT_TIMESTAMP].notna()].astype({EVENT_TIMESTAMP: "int64"})
    late = _late_events(view, analysed, ends)
    plain = _aligned(recompute(view, on_time, ends), ends, keys)
    whole = _aligned(recompute(view, analysed, ends), ends, keys) if late.any() else plain
    judged = pd.DataFrame(
        {
            feature.name: outcomes(
                rows.loc[ends.index, feature.name], plain, whole, late > 0, least_difference(view, feature.name)
            )
            for feature in view.features
        },
        index=ends.index,
    )
    judged[wanting[ends.index]] = MISSING
    every = judged.reindex(online.index)
    every = every.mask(unreadable, ERROR)
    counts = {feature.name: every[feature.name].value_counts().to_dict() for feature in view.features}
    return ViewReport(
        entities=len(online),
        checked=len(ends),
        missing=int(missing.sum()),
        stale=int(stale.sum()),
        older=int(older.sum()),
        unsettled=int(ahead.sum()),
        before_job=int(before.sum()),
        late_events=int(late.sum()),
        features={
            name: {"checked": sum(found.values()), **{outcome: found.get(outcome, 0) for outcome in OUTCOMES}}
            for name, found in counts.items()
        },
        worst=_worst(view, rows.loc[ends.index].where(~stale[ends.index]), plain, every.loc[ends.index], ends),
        absent=int((nowhere & ~failed).sum()),
        unreadable=int((nowhere & failed).sum()),
    )


def _late_events(view: ViewSpec, analysed: pd.DataFrame, ends: pd.DataFrame) -> Values:
    """Count the late events in the windows of `ends`, row by row, and in the step before each."""
    size, slide = one_window(view)
    keys = [column.name for column in view.join_keys]
    late = counting(view, analysed[analysed["late"]])[[*keys, "ts"]]
    held = ends.reset_index(names="row").merge(late, on=keys)
    end = held[EVENT_TIMESTAMP]
    inside = held[(held["ts"] >= end - size - slide) & (held["ts"] < end)]
    return inside.groupby("row").size().reindex(ends.index, fill_value=0)


def _aligned(found: pd.DataFrame, ends: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the recomputed rows in the places of `ends`; `is_row` says where there is one."""
    return ends[keys].merge(found.assign(is_row=True), on=keys, how="left").set_index(ends.index)


def _worst(
    view: ViewSpec, online: pd.DataFrame, plain: pd.DataFrame, found: pd.DataFrame, ends: pd.DataFrame
) -> Disagreement | None:
    """Return the mismatch that is furthest off, else any extra value, else any missing one."""
    wrong: list[tuple[float, int, int, str]] = []
    for number, feature in enumerate(view.features):
        column = found[feature.name]
        for rank, outcome in enumerate(WRONG):
            if rows := np.flatnonzero(column == outcome).tolist():
                off = [
                    relative_difference(online[feature.name].iloc[row], plain[feature.name].iloc[row]) for row in rows
                ]
                place = int(np.argmax(off))
                wrong.append((rank - off[place] / 2, number, rows[place], outcome))
    if not wrong:
        return None
    _, number, row, outcome = min(wrong)
    name = view.features[number].name
    return Disagreement(
        view=view.name,
        entity={column.name: plain_value(ends[column.name].iloc[row]) for column in view.join_keys},
        feature=name,
        outcome=outcome,
        online=plain_value(online[name].iloc[row]),
        recomputed=plain_value(plain[name].iloc[row]),
        event_timestamp=int(ends[EVENT_TIMESTAMP].iloc[row]),
    )
