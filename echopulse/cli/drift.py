"""`echopulse drift`: whether what comes in still is what the models and the channels were like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import step
from schemas.errors import UsageError

if TYPE_CHECKING:
    from transforms.drift_monitor import Drift

app = App(name="drift", help="Watch texts and scores for drift; report on it.")

_FILE = "drift/state.json"


@app.command
def watch(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Watch events and results as they come, until Ctrl-C or SIGTERM.

    A drift is a line on stderr, a record on model.drift, and counts in
    drift_alert_total. Baselines are kept in home/drift.
    """
    import threading

    from echopulse.cli.stop_signal import stopped_by_signal
    from echopulse.drift.alerts import DriftMetrics, DriftTopic
    from echopulse.drift.watch import Watch
    from echopulse.drift.watcher import opened
    from echopulse.gateway.topics_admin import ensure_topics
    from echopulse.job.exporter import served

    settings, stop = options.settings(), threading.Event()
    bootstrap = settings.kafka.bootstrap
    watcher = opened(settings.drift)
    with stopped_by_signal(stop.set), served(settings.drift.metrics_port, "drift.metrics_port") as registry:
        ensure_topics(bootstrap, replication=settings.kafka.replication)
        running = Watch(bootstrap, watcher, settings.home / _FILE, DriftTopic(bootstrap), DriftMetrics(registry), _told)
        step(f"watching for drift; baselines are kept in {settings.home / _FILE}")
        running.run(stop)
    document: dict[str, Any] = {"read": running.read, "drifts": running.told}
    read = counted(sum(running.read.values()), "record")
    emit(document, options.json, lambda: f"{read} read, {counted(running.told, 'drift')} told")


@app.command
def check(
    *,
    hours: int = 24,
    reference_hours: int = 168,
    to: Annotated[str | None, Parameter(show_default=False)] = None,
    rows: int = 10_000,
    output: Annotated[Path | None, Parameter(show_default=False)] = None,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Hold the lake's last hours against those before; the reports are kept in MLflow.

    Says what drifted and exits 0 all the same.

    Parameters
    ----------
    hours
        That are looked at.
    reference_hours
        Before them, that they are held against.
    to
        When the hours end, such as 2026-01-31T08:00Z; default: now.
    rows
        Events of each that are drawn at random, at most.
    output
        A folder that the reports are written to as well.
    """
    from datetime import UTC, datetime

    from echopulse.cli.moment import read_moment
    from echopulse.drift.check import Request
    from echopulse.drift.check import check as compare

    if min(hours, reference_hours, rows) < 1:
        raise UsageError(f"--hours {hours} --reference-hours {reference_hours} --rows {rows}: all are at least 1")
    until = datetime.now(UTC) if to is None else read_moment("--to", to)
    document, pages = compare(options.settings(), Request(until, hours, reference_hours, rows), step)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for name, page in pages.items():
            (output / f"{name}.html").write_text(page, encoding="utf-8")
    emit(document, options.json, lambda: "\n".join(map(_compared, document["columns"])))


def _compared(column: dict[str, Any]) -> str:
    drifted = "  DRIFTED" if column["drifted"] else ""
    name = f"{column['report']}.{column['column']}"
    return f"{name:<28} {column['distance']:8.3f} of {column['threshold']:g}  {column['method']}{drifted}"


@app.command
def show(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show how far each group lies from its baseline, as of the watcher's last save."""
    from echopulse.drift.state import load
    from echopulse.drift.watcher import opened

    settings = options.settings()
    watcher = opened(settings.drift)
    load(settings.home / _FILE, watcher)
    found = [
        {
            **key._asdict(),
            "task": series.measure.task,
            "tested": series.tested,
            "learning": len(series.learning) if series.baseline is None else None,
            "psi": series.latest and series.latest.psi,
            "ks": series.latest and series.latest.ks,
            "drifted": series.drifted,
        }
        for key, series in sorted(watcher.monitor.series.items())
    ]
    emit({"series": found}, options.json, lambda: _table(found, settings.drift.baseline_panes))


def _table(found: list[dict[str, Any]], baseline_panes: int) -> str:
    """Return a line for each measure of a group, under a heading; the model is told where several have scored."""
    if not found:
        return "nothing has been watched yet"
    heading = f"{'group':<20} {'task':<10} {'measure':<14} {'model':<19} {'panes':>7} {'PSI':>6} {'KS':>6}"
    return "\n".join([heading, *(_line(each, baseline_panes) for each in found)])


def _line(each: dict[str, Any], baseline_panes: int) -> str:
    named = f"{each['group']:<20} {each['task']:<10} {each['measure']:<14} {each['model'][:19]:<19}"
    if each["learning"] is not None:
        return f"{named} {each['learning']:>3}/{baseline_panes:<3} learning"
    if each["psi"] is None:
        return f"{named} {each['tested']:>7} learnt"
    drifted = "  DRIFTED" if each["drifted"] else ""
    return f"{named} {each['tested']:>7,} {each['psi']:>6.3f} {each['ks']:>6.3f}{drifted}"


def _told(drift: Drift) -> None:
    shift = drift.shift
    step(
        f"drift: {drift.key.measure} of {drift.key.group} ({shift.method}): PSI {shift.distance.psi:.3f}, "
        f"mean {shift.mean_before:.3g} to {shift.mean_after:.3g}"
    )
