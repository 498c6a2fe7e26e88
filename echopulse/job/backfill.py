"""A backfill, day by day: computed by Flink or Beam into a staging folder, published in the lake, newest online."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from echopulse.job import backfill_record as records
from echopulse.job.backfill_day import EVENTS, AllLeases, Run, one_day
from echopulse.job.backfill_plan import (
    check_events_are_there,
    days,
    identity,
    longest_window,
    newest_hour,
    selection,
    told,
)
from echopulse.job.backfill_record import FOLDER, Record
from echopulse.job.backfill_stream import check_passed
from echopulse.job.configuration import online_store, signals_config
from echopulse.job.lake import location
from echopulse.job.submit import FEATURES
from features.lake.lease import held
from features.lake.listing import listing
from features.lake.location import open_lake
from features.lake.rewriting import sweep
from features.machinery.catalog import compiled_views
from features.machinery.online_writer import OnlineWriter
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.job.backfill_beam import BatchBeam
    from echopulse.job.backfill_flink import BatchFlink
    from echopulse.job.backfill_plan import Day, Request
    from echopulse.settings import Settings
    from features.lake.listing import Footer
    from features.lake.location import Lake
    from features.machinery.view_spec import CompiledView


@dataclass(frozen=True)
class Progress:
    """How far a backfill is: the day at hand, its place among all, what is done to it, since when, and the s left.

    `seconds` have passed since the day was begun; how many are left is None while nothing tells, and when it took more.
    """

    day: str
    place: int
    days: int
    step: str
    seconds: float
    seconds_left: float | None


def backfill(settings: Settings, request: Request, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
    """Compute the views of a span anew and return what was done, day by day.

    Days that an earlier run did are passed over. Raises EchoPulseError where lake, cluster or online store do not
    answer, the stream is not past the span, its events are gone, or another process is rewriting the lake.
    """
    began = time.monotonic()
    views = compiled_views(FEATURES, settings.home)
    scored_by = selection(signals_config(settings).selection, request)
    source, target = _lakes(settings, request)
    live = _checked(settings, request, source, target, views)
    plan = days(request, live)
    id_ = identity(request, views, scored_by)
    record = records.load(target, id_)
    if record is None or (request.again and record.finished):
        record = Record(id_, told(request.after), told(request.until))
    ahead = [day for day in plan if day.name not in record.days]
    if ahead:
        engine = _engine(settings, request, source, target)
        with ExitStack() as opened:
            # In one order, so that two backfills do not wait for each other's lake.
            lakes = sorted({lake.location.path: lake for lake in (source, target)}.items())
            leases = {path: opened.enter_context(held(lake, "pipeline backfill")) for path, lake in lakes}
            sweep(source, EVENTS, listing(source, EVENTS), leases[source.location.path])
            records.clear_staging(target)
            writer = None if request.output else OnlineWriter(online_store(settings))
            if writer:
                opened.callback(writer.close)
            run = Run(settings, source, target, views, scored_by, writer, AllLeases(list(leases.values())), engine)
            _days(run, plan, record, on_progress)
    return _document(record, plan, ahead, time.monotonic() - began, request)


def dry_run(settings: Settings, request: Request) -> dict[str, Any]:
    """Say what a backfill would read, which days are done already and how long the rest takes; nothing is started."""
    views = compiled_views(FEATURES, settings.home)
    source, target = _lakes(settings, request)
    plan = days(request, _checked(settings, request, source, target, views))
    record = records.load(target, identity(request, views, selection(signals_config(settings).selection, request)))
    done = set(record.days) if record and not (request.again and record.finished) else set()
    rate = records.events_per_second(target)
    ahead = sum(day.events for day in plan if day.name not in done)
    return {
        "from": told(request.after),
        "to": told(request.until),
        "days": [{"day": day.name, "events": day.events, "bytes": day.bytes, "done": day.name in done} for day in plan],
        "events": ahead,
        "bytes": sum(day.bytes for day in plan if day.name not in done),
        "estimated_seconds": round(ahead / rate, 1) if rate else None,
    }


def _engine(settings: Settings, request: Request, source: Lake, target: Lake) -> BatchFlink | BatchBeam:
    if request.engine == "beam":
        from echopulse.job.backfill_beam import BatchBeam

        return BatchBeam(settings, request.beam_options, (source.location, target.location))
    from echopulse.job.backfill_flink import BatchFlink

    return BatchFlink(settings, here=request.here)


def _lakes(settings: Settings, request: Request) -> tuple[Lake, Lake]:
    """Open the lake that events are read from and the one that rows are written to."""
    place = location(settings.lake)
    source = open_lake(replace(place, path=request.source) if request.source else place)
    return source, open_lake(replace(place, path=request.output)) if request.output else (
        open_lake(place) if request.source else source
    )


def _checked(
    settings: Settings, request: Request, source: Lake, target: Lake, views: list[CompiledView]
) -> tuple[Footer, ...]:
    """Return the events' files, where the span may be computed from them and its rows be written."""
    live = listing(source, EVENTS).live
    newest = newest_hour(live)
    if newest is None:
        raise EchoPulseError(f"{source.named(source.within(EVENTS))} holds no events", "--source names another lake")
    if settings.lake.path in {source.location.path, target.location.path}:
        check_passed(settings, request.until, newest)
    rows = [footer for view in views for footer in listing(target, f"features/{view.name}").live]
    check_events_are_there(request, live, rows, longest_window(views))
    return live


def _days(run: Run, plan: list[Day], record: Record, on_progress: Callable[[Progress], None]) -> None:
    rate = records.events_per_second(run.target)
    for place, day in enumerate(plan, 1):
        if day.name in record.days:
            continue
        ahead = sum(each.events for each in plan if each.name not in record.days)

        began, needed = time.monotonic(), ahead / rate if rate else 0.0

        def step(what: str, day: Day = day, place: int = place, began: float = began, needed: float = needed) -> None:
            taken = time.monotonic() - began
            left = needed - taken if needed > taken else None
            on_progress(Progress(day.name, place, len(plan), what, taken, left))

        record.days[day.name] = one_day(run, day, f"{FOLDER}/{record.id}-{secrets.token_hex(4)}", step)
        records.save(run.target, record)
        done = record.days.values()
        rate = sum(each.events for each in done) / sum(each.seconds for each in done)
    record.finished = True
    records.save(run.target, record)


def _document(record: Record, plan: list[Day], ahead: list[Day], seconds: float, request: Request) -> dict[str, Any]:
    done = [record.days[day.name] for day in ahead]
    rows: dict[str, int] = {}
    for day in done:
        for view, count in day.rows.items():
            rows[view] = rows.get(view, 0) + count
    events = sum(day.events for day in done)
    return {
        "id": record.id,
        "from": record.after,
        "to": record.until,
        "scores": request.model or ("settings" if request.rescore else "recorded"),
        "days": [asdict(day) for day in done],
        "skipped_days": [day.name for day in plan if day not in ahead],
        "events": events,
        "rows": rows,
        "published": sum(rows.values()),
        "replaced": sum(day.replaced for day in done),
        "online_written": sum(day.online for day in done),
        "seconds": round(seconds, 2),
        "events_per_second": round(events / seconds, 1) if done else None,
    }
