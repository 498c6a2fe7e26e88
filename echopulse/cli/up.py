"""`echopulse up`: the embedded stack and the whole job, with a file through it where asked."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import step, steps_after
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.job.launch import Pipeline
    from echopulse.job.replay_run import ReplayRun
    from echopulse.settings import Settings
    from echopulse.stack import ServiceState

_CHECK_EVERY_S = 2.0


def up(
    *,
    replay: Path | None = None,
    rate: float | None = None,
    until_idle: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    keep_time: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    columns: Annotated[str, Parameter(name="--map", show_default=False)] = "",
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Start Kafka, Flink, Valkey, S3 and MLflow on this machine, and the job signals on them.

    Runs until Ctrl-C or `echopulse down`, and stops what it started. With
    --until-idle it ends once the replay is through and all its windows
    have fired, and reports what went in and what came out.

    Parameters
    ----------
    replay
        Send the events of this file: JSONL, CSV or Parquet.
    rate
        Events a second of the replay; without it, full speed.
    until_idle
        End after the replay, with a report.
    keep_time
        Leave the events' own times; without it the newest is now.
    columns
        FIELD=COLUMN,FIELD=COLUMN where the file's columns have other names.
    """
    from echopulse.cli.ingest_progress import ingest_progress
    from echopulse.cli.interrupt import ended_by_signal
    from echopulse.gateway.field_mapping import parse_mapping
    from echopulse.gateway.replay import check_replay
    from echopulse.gateway.replay_formats import check_columns
    from echopulse.stack import display

    if until_idle and replay is None:
        raise UsageError("--until-idle needs a replay to come to the end of", "add --replay FILE")
    settings = options.settings()
    mapping = parse_mapping(columns)
    if replay is not None:
        check_columns(check_replay(replay, rate=rate, loop=False, keep_time=keep_time), mapping)
    with ended_by_signal():
        from echopulse.job.launch import pipeline
        from echopulse.job.submit import FEATURES
        from features.machinery.catalog import compiled_views

        with (
            display.progress() as shown,
            pipeline(
                settings,
                shown,
                steps_after(shown),
                skip_backlog=until_idle,
                # A replay that ends of itself trains nothing.
                tracking=settings.stack.mlflow and not until_idle,
            ) as running,
        ):
            if replay is not None:
                from echopulse.job.replay_run import run_replay

                views = compiled_views(FEATURES, settings.home)
                with ingest_progress(str(replay)) as on_progress:
                    outcome = run_replay(
                        settings,
                        running,
                        views,
                        replay,
                        rate=rate,
                        keep_time=keep_time,
                        mapping=mapping,
                        on_progress=on_progress,
                        on_step=step,
                    )
                emit(asdict(outcome), options.json, lambda: _told(outcome))
                if until_idle:
                    return
            _stay(settings, running)


def _stay(settings: Settings, running: Pipeline) -> None:
    """Say where everything is, then watch until a signal or a failure ends it."""
    for service in running.stack.services.values():
        step(_where(service.state))
    step(f"Flink's web page: {settings.flink.rest}; the lake: {settings.lake.path}; Ctrl-C stops everything")
    while True:
        running.check()
        time.sleep(_CHECK_EVERY_S)


def _where(state: ServiceState) -> str:
    """Say where a service answers, or, of one that joins later, that it does not yet."""
    if state.phase == "ready":
        return f"{state.name}: {state.address}"
    if state.phase == "failed":
        return f"{state.name}: failed: {state.detail}"
    doing = "starting" if state.phase == "starting" else "being installed"
    return f"{state.name}: {doing}, then at {state.address}"


def _told(outcome: ReplayRun) -> str:
    """Tell the report in a few lines."""
    latency, fresh = outcome.analysis_latency_ms, outcome.feature_freshness_ms
    unread = ", ".join(f"{kind} {sum(languages.values()):,}" for kind, languages in outcome.abstained.items())
    return (
        f"{counted(outcome.events_in, 'event')} in: {outcome.analysed:,} analysed ({outcome.late:,} of them late), "
        f"{counted(outcome.dlq, 'dead letter')}, {counted(outcome.repeats, 'repeat')}, "
        f"{outcome.unaccounted:,} unaccounted\n"
        f"not scored for their language: {unread or 'none'}; without a text: {outcome.without_text:,}; "
        f"said in shadow: {outcome.shadow:,}\n"
        f"{counted(outcome.feature_rows, 'feature row')}; "
        f"{outcome.events_per_second:,.0f} events/s ({outcome.delivery})\n"
        f"event to committed result {_spread(latency)}; window to readable feature {_spread(fresh)}"
    )


def _spread(milliseconds: Mapping[str, float | None]) -> str:
    if milliseconds["p50"] is None:
        return "not measured (too few events)"
    return f"p50 {milliseconds['p50']} ms, p99 {milliseconds['p99']} ms"
