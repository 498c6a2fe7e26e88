"""`echopulse pipeline backfill`: the views over the lake's past."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.moment import read_moment
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import redrawn_steps

#: How often a step that lasts is told once more where there is no terminal.
_LINE_S = 30.0


def backfill(  # noqa: PLR0913 each is an option of its own
    *,
    after: Annotated[str, Parameter(name="--from")],
    until: Annotated[str, Parameter(name="--to")],
    source: Annotated[str, Parameter(show_default=False)] = "",
    output: Annotated[str, Parameter(show_default=False)] = "",
    rescore: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    model: Annotated[str, Parameter(show_default=False)] = "",
    here: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    again: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    engine: str = "flink",
    beam_option: Annotated[list[str] | None, Parameter(negative=(), show_default=False)] = None,
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Compute the features of a span of the past anew, as a batch over the lake.

    Rows take the place of those in the lake, a newer online value stays.
    Cut short, it goes on where it was when it is run again.

    Parameters
    ----------
    after
        Windows that end after it, such as 2026-01-31 or 2026-01-31T08:00Z.
    until
        Windows that end by it.
    source
        Another lake to read events from; default: lake.path.
    output
        Another lake to write rows to; the online store is left alone then.
    rescore
        Analyse the events anew, instead of taking the scores of their day.
    model
        Analyse anew with this model, a name or a folder; needs --output.
    here
        Run Flink in this process instead of on the cluster.
    again
        Do once more what an earlier run has finished.
    engine
        What computes: flink, or beam, which runs on Dataflow and Spark too.
    beam_option
        An option of Beam's, such as runner=SparkRunner; may be repeated.
    dry_run
        Only say what there is to do, and how long it takes.
    """
    from echopulse.job.backfill_plan import Request

    request = Request(
        read_moment("--from", after),
        read_moment("--to", until),
        source,
        output,
        rescore,
        model,
        here=here,
        again=again,
        engine=engine,
        beam_options=tuple(beam_option or ()),
    )
    from echopulse.cli.interrupt import ended_by_signal
    from echopulse.job import backfill as job

    settings = options.settings()
    if dry_run:
        document = job.dry_run(settings, request)
        emit(document, options.json, lambda: _plan_text(document))
        return
    with ended_by_signal(), _shown() as on_progress:
        document = job.backfill(settings, request, on_progress)
    emit(document, options.json, lambda: _done_text(document))


@contextmanager
def _shown() -> Iterator[Callable[[Any], None]]:
    """Yield a function that shows progress: in one line of a terminal, else a line for each step and half minute."""
    terminal, newest = sys.stderr.isatty(), ("", "", 0.0)
    with redrawn_steps() as on_step:
        on_step("reading the views and the lake")

        def show(progress: Any) -> None:  # noqa: ANN401 its module is imported when it is needed
            nonlocal newest
            now = (progress.day, progress.step, progress.seconds)
            if terminal or now[:2] != newest[:2] or now[2] - newest[2] >= _LINE_S:
                newest = now
                on_step(_progress_text(progress))

        yield show


def _progress_text(progress: Any) -> str:  # noqa: ANN401 as above
    left = f", about {_duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    taken = f", {_duration(progress.seconds)} so far" if progress.seconds >= 1 else ""
    return f"day {progress.day} ({progress.place} of {progress.days}): {progress.step}{taken}{left}"


def _plan_text(document: dict[str, Any]) -> str:
    lines = [
        f"{day['day']}: {counted(day['events'], 'event')}, {day['bytes'] / 1e6:,.1f} MB"
        + (", done" if day["done"] else "")
        for day in document["days"]
    ]
    seconds = document["estimated_seconds"]
    estimate = f"about {_duration(seconds)}" if seconds is not None else "unknown until a first backfill has run"
    return "\n".join([*lines, f"{counted(document['events'], 'event')} to do; time: {estimate}"])


def _done_text(document: dict[str, Any]) -> str:
    if not document["days"]:
        return f"done already, {counted(len(document['skipped_days']), 'day')}; --again does it once more"
    lines = [f"{view}: {counted(count, 'row')}" for view, count in document["rows"].items()]
    events, rows = counted(document["events"], "event"), counted(document["published"], "row")
    total = f"{events} read, {rows} in the place of {document['replaced']:,}, {document['online_written']:,} online"
    return "\n".join([*lines, f"{total}, in {_duration(document['seconds'])}"])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
