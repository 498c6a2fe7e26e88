"""What a backfill is asked for, the days it is done in, and when it is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from features.lake.compaction import partition_start
from schemas.errors import EchoPulseError, UsageError, did_you_mean
from transforms.artifact import find_artifact, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from features.lake.listing import Footer
    from features.machinery.view_spec import CompiledView
    from transforms.selection import Selection

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
#: The strategy that scores by whatever artifact its option `model` names.
_BY_ARTIFACT = "bag"
_KINDS = ("sentiment", "toxicity", "stance")
#: What computes a backfill; the rows are the same.
ENGINES = ("flink", "beam")


@dataclass(frozen=True)
class Request:
    """What is asked for: windows that end after `after` and by `until`, both with a time zone.

    `source` is another lake to read events from, `output` another to write rows to; with `rescore` the events are
    analysed anew by the settings' strategies, with `model` by that artifact in the tasks it has. `here` runs Flink in
    this process, `again` does once more what is done. `engine` is one of ENGINES, `beam_options` are Beam's own, as
    `name=value`, or `name` where it is a switch.
    """

    after: datetime
    until: datetime
    source: str = ""
    output: str = ""
    rescore: bool = False
    model: str = ""
    here: bool = False
    again: bool = False
    engine: str = "flink"
    beam_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise UsageError for a span without windows, and for a candidate's rows that would go among the real ones.

        Also for an engine that there is not, or an option of the other one.
        """
        if self.after >= self.until:
            raise UsageError(f"--from {told(self.after)} is not before --to {told(self.until)}")
        if self.model and not self.output:
            raise UsageError(
                f"--model {self.model} asks what a candidate would have said: its rows are not the lake's",
                "--output PATH says where they go",
            )
        if self.engine not in ENGINES:
            raise UsageError(f"no engine is called '{self.engine}'", did_you_mean(self.engine, ENGINES))
        if self.engine == "beam" and self.here:
            raise UsageError("--here is for Flink", "Beam runs where its runner is: --beam-option runner=DirectRunner")
        if self.engine != "beam" and self.beam_options:
            raise UsageError(f"--beam-option {self.beam_options[0]} is for Beam", "--engine beam")


@dataclass(frozen=True)
class Day:
    """A part of the span that is done in one go: at most a day, with the events and bytes of its hours."""

    after: datetime
    until: datetime
    events: int
    bytes: int

    @property
    def name(self) -> str:
        """The day in UTC, as records name it."""
        return self.after.strftime("%Y-%m-%d")


def told(moment: datetime) -> str:
    """Return a moment as a person writes it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def days(request: Request, events: Iterable[Footer]) -> list[Day]:
    """Cut the span at midnight, UTC, and count each part's events by the footers of whole hours."""
    counted: dict[datetime, list[Footer]] = {}
    for footer in events:
        start = partition_start(footer.file.partition)
        if start is not None:
            counted.setdefault(start, []).append(footer)
    found, after = [], request.after.astimezone(UTC)
    while after < request.until:
        midnight = datetime(after.year, after.month, after.day, tzinfo=UTC) + _DAY
        until = min(midnight, request.until.astimezone(UTC))
        inside = [
            footer
            for start, footers in counted.items()
            if start < until and start + _HOUR > after
            for footer in footers
        ]
        found.append(Day(after, until, sum(f.rows for f in inside), sum(f.file.size for f in inside)))
        after = until
    return found


def longest_window(views: Sequence[CompiledView]) -> timedelta:
    """Return the length of the longest window."""
    return timedelta(milliseconds=max(view.window_ms for view in views))


def newest_hour(footers: Iterable[Footer]) -> datetime | None:
    """Return when the newest hour of a table begins, None where it has none."""
    return max(_hours(footers), default=None)


def check_events_are_there(
    request: Request, events: Iterable[Footer], rows: Iterable[Footer], longest: timedelta
) -> None:
    """Raise EchoPulseError where events that the span's windows hold are deleted already.

    Rows of an hour before the first event's say that there once were older ones: windows computed without them would
    take the place of whole ones.
    """
    first, first_row = min(_hours(events), default=None), min(_hours(rows), default=None)
    if first is None or first_row is None or first_row >= first or request.after - longest >= first:
        return
    raise EchoPulseError(
        f"the lake holds no events before {told(first)}, and windows after {told(request.after)} need them",
        f"--from {told(first + longest)}",
    )


def selection(base: Selection, request: Request) -> Selection | None:
    """Return the strategies that score, None where the scores that the lake recorded count.

    Raises EchoPulseError where there is no such model, or it has none of the tasks that features are made of.
    """
    if not request.model:
        return replace(base, shadow={}) if request.rescore else None
    folder = find_artifact(request.model).resolve()
    manifest, _ = read_manifest(folder)
    kinds = [kind for kind in _KINDS if kind in manifest.tasks or (kind == "stance" and manifest.stance_targets())]
    if not kinds:
        raise EchoPulseError(
            f"model '{request.model}' has none of the tasks sentiment, toxicity and stance",
            f"it has {', '.join(sorted(manifest.tasks))}",
        )
    options = {f"{kind}/{_BY_ARTIFACT}": {"model": str(folder)} for kind in kinds}
    return replace(
        base,
        strategies={**base.strategies, **dict.fromkeys(kinds, _BY_ARTIFACT)},
        options={**base.options, **options},
        shadow={},
    )


def identity(request: Request, views: Sequence[CompiledView], scored_by: Selection | None) -> str:
    """Return the name of a backfill: the same for the same span, views, scores and places, whenever it is run."""
    scores = None
    if scored_by is not None:
        scores = [
            dict(scored_by.strategies),
            {key: dict(value) for key, value in scored_by.options.items()},
            read_manifest(find_artifact(request.model))[1] if request.model else "",
        ]
    sql = [[view.name, view.sql, *(panes.sql for panes in view.panes)] for view in views]
    document = [told(request.after), told(request.until), request.source, request.output, sql, scores]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _hours(footers: Iterable[Footer]) -> list[datetime]:
    starts = (partition_start(footer.file.partition) for footer in footers if footer.rows)
    return [start for start in starts if start is not None]
