"""`echopulse run`: everything on simulated chat, shown live in the terminal."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import step, steps_after
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.job.launch import Pipeline
    from echopulse.job.live import FeatureReader, ResultFeed
    from echopulse.settings import Settings

_REDRAW_S = 1.0
_UNDER_WAY = (
    "what was under way lies in Kafka, and the next `up` or `run` goes on with it (`up --replay` passes it over)"
)
_STOP_S = 10.0


def run(
    *,
    rate: float = 200.0,
    seconds: float | None = None,
    dev: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Start everything, stream simulated communities, and show it live.

    The table shows events a second, how far the results are behind, and
    the channels by toxicity with their features as Feast reads them back;
    a dash stands for what no model scored, as in another language.
    Ctrl-C stops everything that was started.

    Parameters
    ----------
    rate
        Events a second of the simulator.
    seconds
        End by itself so long after the first live feature; without it,
        Ctrl-C ends.
    dev
        Watch the sources: a change restarts what it touches.
    """
    if rate <= 0:
        raise UsageError(f"--rate {rate:g} is not a number of events a second")
    from echopulse.cli.interrupt import ended_by_signal
    from echopulse.stack import display

    settings = options.settings()
    with ended_by_signal():
        from echopulse.job.launch import pipeline

        began = time.monotonic()
        with display.progress() as shown, pipeline(settings, shown, steps_after(shown)) as running:
            outcome: dict[str, Any] = {}
            try:
                _watch(settings, running, rate, seconds, began, outcome, dev=dev)
            except KeyboardInterrupt:
                step("stopping")
            emit(outcome, options.json, lambda: _told(outcome))


def _watch(
    settings: Settings,
    running: Pipeline,
    rate: float,
    seconds: float | None,
    began: float,
    outcome: dict[str, Any],
    *,
    dev: bool,
) -> None:
    from echopulse.cli.live_table import LiveTable
    from echopulse.cli.restart import Restarter
    from echopulse.job.live import FeatureReader, ResultFeed

    step("opening Feast")
    reader = FeatureReader(settings)
    feed = ResultFeed(settings.kafka.bootstrap)
    feed.start()
    with (
        _simulator(settings, rate) as simulator,
        LiveTable() as shown,
        Restarter(settings, enabled=dev, say=step) as restarter,
    ):
        try:
            while seconds is None or outcome.get("live_after_s") is None or time.monotonic() < outcome["ends"]:
                running.stack.check()
                restarter.restart_changed(simulator)
                if simulator.process.poll() is not None:
                    raise EchoPulseError(
                        f"the simulator ended with status {simulator.process.returncode}", f"see {simulator.log}"
                    )
                _observe(feed, reader, outcome, began, seconds)
                shown.show(outcome)
                time.sleep(_REDRAW_S)
        finally:
            feed.end()
            outcome.pop("ends", None)


def _observe(
    feed: ResultFeed, reader: FeatureReader, outcome: dict[str, Any], began: float, seconds: float | None
) -> None:
    pulse = feed.pulse()
    channels = reader.channels([name for name, _ in feed.channels.most_common()], feed.scored)
    now = time.monotonic()
    outcome |= {
        "events_in": pulse.events_in,
        "analysed": pulse.analysed,
        "events_per_second": round(pulse.per_second, 1),
        "lag_ms": pulse.lag_ms,
        "channels": channels,
    }
    if channels and outcome.get("live_after_s") is None:
        outcome["live_after_s"] = round(now - began, 1)
        outcome["ends"] = now + (seconds or 0.0)
        step(f"live features after {outcome['live_after_s']:.0f} s")


class Simulator:
    """The simulator as a process of its own, so that it takes no time from the table."""

    def __init__(self, settings: Settings, rate: float) -> None:
        """Start it against the settings' Kafka."""
        from echopulse.job.environment import feast_environment

        self._environment = feast_environment(settings)
        self.log = settings.home / "logs" / "simulator.log"
        self._command = [
            sys.executable,
            "-m",
            "echopulse.cli.main",
            "ingest",
            "sim",
            "--rate",
            f"{rate:g}",
            "--settle",
            "0",
        ]
        self.process = self._start()

    def restart(self) -> None:
        """Stop it and start it again, as changed sources want it."""
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        """End it, by force where it does not answer."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_STOP_S)

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches this process first, which then ends it in order. What it says goes into
        # a file: the terminal is the table's.
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
            )


@contextmanager
def _simulator(settings: Settings, rate: float) -> Iterator[Simulator]:
    simulator = Simulator(settings, rate)
    try:
        yield simulator
    finally:
        simulator.stop()


def _told(outcome: dict[str, Any]) -> str:
    if outcome.get("live_after_s") is None:
        return "stopped before any feature was live"
    behind = outcome["events_in"] - outcome["analysed"]
    rest = f" ({behind:,} under way when it stopped, or heartbeats, repeats and dead letters)" if behind > 0 else ""
    after = f"\n{_UNDER_WAY}" if behind > 0 else ""
    return (
        f"{counted(outcome['events_in'], 'event')} in, {outcome['analysed']:,} analysed{rest}; features live after "
        f"{outcome['live_after_s']:.0f} s, {counted(len(outcome['channels']), 'channel')}{after}"
    )
