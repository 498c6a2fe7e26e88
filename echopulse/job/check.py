"""Consistency as a number: online values of sampled entities, computed anew from the lake's events and compared.

The order makes it hold while the job runs. First it is read how far the lake is complete: windows that end by then
were online. Then entities are sampled and their rows read. Then it is waited until the lake is complete up to the
newest row that was read. What disagrees is looked at once more after two checkpoints, against the same rows: two tables
of the lake are not committed in the same instant.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from echopulse.job.check_job import began_empty_ms, last_event_before
from echopulse.job.check_lake import complete_ms, events_of, sample_entities
from echopulse.job.check_online import OnlineRows, open_client, read_online
from echopulse.job.configuration import online_store
from echopulse.job.lake import opened
from features.machinery.consistency import Bounds, Disagreement, ViewReport, judge
from features.machinery.encrypted_rows import encryption
from features.machinery.entity_sample import EntitySample
from features.machinery.online_keys import online_entities
from features.machinery.outcomes import ERROR, OUTCOMES, WRONG
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import one_window
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from echopulse.settings import Settings
    from features.lake.location import Lake
    from features.machinery.view_spec import Column, ViewSpec

#: Windows that end so long before the newest are judged no more.
RECENT_MS = 3_600_000
#: What one check looks at, at most: keys of the online store, and events in memory for views that share their keys.
MOST_KEYS, MOST_EVENTS = 1_000_000, 1_000_000
_POLL_S = 1.0
#: In checkpoints: how long the lake may take to catch up with the rows that were read, and the pause before what
#: disagrees is looked at again.
_CATCH_UP, _AGAIN = 12, 2
#: A lake that commits faster than this is not asked for it more often.
_LEAST_CHECKPOINT_S = 1.0


@dataclass(frozen=True)
class Request:
    """What is asked for: `sample` entities from the online store and as many from the lake, chosen by `seed`.

    With `at_ms` windows that end later are left out, and values are as old as they were then; ms UTC.
    """

    sample: int = 100
    seed: int = 1
    at_ms: int | None = None


@dataclass(frozen=True)
class Checked:
    """What a check found, by view; `complete_ms` is how far the lake was complete, ms UTC.

    `earlier_ms` is the time of the last event that an earlier job counted and the running one does not know, None where
    there is none.
    """

    complete_ms: int
    views: Mapping[str, ViewReport]
    earlier_ms: int | None = None

    @property
    def totals(self) -> dict[str, int]:
        """Values by outcome, over all views."""
        return {outcome: sum(report.total(outcome) for report in self.views.values()) for outcome in OUTCOMES}

    @property
    def wrong(self) -> int:
        """How many values are not what they should be, or cannot be read."""
        return sum(self.totals[outcome] for outcome in (*WRONG, ERROR))

    @property
    def before_job(self) -> int:
        """How many rows were left out because their windows reach back to before the job."""
        return sum(report.before_job for report in self.views.values())

    @property
    def worst(self) -> Disagreement | None:
        """The worst value: a mismatch, else one that is extra, else one that is missing; of equals the first view's."""
        found = [report.worst for report in self.views.values() if report.worst is not None]
        return min(found, key=lambda each: WRONG.index(each.outcome), default=None)


@dataclass(frozen=True)
class _Family:
    """Views that share their keys, and their rows online."""

    views: tuple[ViewSpec, ...]
    entities: list[tuple[object, ...]]
    rows: Mapping[str, OnlineRows]

    @property
    def newest_ms(self) -> int:
        """The end of the newest window among the rows, 0 where there are none."""
        newest = [rows.frame[EVENT_TIMESTAMP].max() for rows in self.rows.values()]
        return max((int(end) for end in newest if not pd.isna(end)), default=0)


def check(
    settings: Settings, views: Sequence[ViewSpec], request: Request, on_step: Callable[[str], None] = lambda _: None
) -> Checked:
    """Check views against the lake. Raises EchoPulseError where lake or store do not answer or there is nothing yet."""
    lake = opened(settings.lake)
    names = [view.name for view in views]
    known_ms = complete_ms(lake, names)
    if known_ms is None:
        raise EchoPulseError(
            f"{settings.lake.path} holds no rows of {', '.join(names)}: which windows are complete is not known",
            "run it when the job has written some",
        )
    now_ms = time.time_ns() // 1_000_000 if request.at_ms is None else request.at_ms
    families = _read(settings, lake, views, request, (min(known_ms, now_ms), now_ms), on_step)
    on_step("waiting for the lake")
    newest_ms = min(now_ms, max(family.newest_ms for family in families))
    checkpoint_s = max(_LEAST_CHECKPOINT_S, settings.flink.checkpoint_interval_ms / 1_000)
    settled_ms = _caught_up(lake, names, newest_ms, _CATCH_UP * checkpoint_s)
    recent_ms = min(known_ms, now_ms) - RECENT_MS
    longest_ms = max(sum(one_window(view)) for view in views)
    began_ms = began_empty_ms(settings, on_step)
    last_ms = None if began_ms is None else last_event_before(lake, began_ms, (recent_ms - longest_ms, now_ms))
    bounds = Bounds(
        known_ms=min(known_ms, now_ms),
        settled_ms=min(max(known_ms, settled_ms), now_ms),
        recent_ms=recent_ms,
        alive_ms=now_ms,
        whole_ms=0 if last_ms is None else last_ms + 1,
    )
    on_step("computing anew")
    reports = _judged(lake, families, bounds)
    if any(report.total(outcome) for report in reports.values() for outcome in WRONG):
        on_step("looking again")
        time.sleep(_AGAIN * checkpoint_s)
        reports = _judged(lake, families, bounds)
    return Checked(bounds.settled_ms, {name: reports[name] for name in names}, last_ms)


def _read(
    settings: Settings,
    lake: Lake,
    views: Sequence[ViewSpec],
    request: Request,
    moments_ms: tuple[int, int],
    on_step: Callable[[str], None],
) -> list[_Family]:
    """Sample the entities of views that share their keys, and read their rows as they are at the second moment."""
    store = online_store(settings)
    cipher = encryption(store.keys)
    known_ms, now_ms = moments_ms
    by_keys: dict[tuple[Column, ...], list[ViewSpec]] = {}
    for view in views:
        by_keys.setdefault(view.join_keys, []).append(view)
    families = []
    with open_client(store) as client:
        for keys, members in by_keys.items():
            columns = [column.name for column in keys]
            on_step(f"sampling by {', '.join(columns)}")
            there, known = (EntitySample(columns, request.sample, request.seed) for _ in range(2))
            for found in online_entities(client, store.project, keys, MOST_KEYS):
                there.add(pd.DataFrame(found, columns=columns))
            sample_entities(lake, keys, (known_ms - RECENT_MS, known_ms), known)
            entities = list(dict.fromkeys(there.entities() + known.entities()))
            rows = {view.name: read_online(client, store.project, view, entities, now_ms, cipher) for view in members}
            families.append(_Family(tuple(members), entities, rows))
    return families


def _caught_up(lake: Lake, names: Sequence[str], wanted_ms: int, patience_s: float) -> int:
    """Wait until the lake is complete up to an instant, or for so long; return up to where it is."""
    deadline = time.monotonic() + patience_s
    while (reached := complete_ms(lake, names) or 0) < wanted_ms and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return reached


def _judged(lake: Lake, families: Sequence[_Family], bounds: Bounds) -> dict[str, ViewReport]:
    reports = {}
    for family in families:
        longest_ms = max(sum(one_window(view)) for view in family.views)
        span_ms = (bounds.recent_ms - longest_ms, max(bounds.known_ms, bounds.settled_ms))
        events, kept = events_of(lake, family.views, family.entities, span_ms, MOST_EVENTS)
        for view in family.views:
            rows = family.rows[view.name].of(kept)
            alive_ms = bounds.alive_ms - view.ttl_s * 1_000 if view.ttl_s else 0
            report = judge(view, rows.frame, rows.unreadable, events, replace(bounds, alive_ms=alive_ms))
            reports[view.name] = replace(report, given_up=len(family.entities) - len(kept))
    return reports
