"""Where a backfill's batches run with Beam: in this process, or where Beam's options say."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from echopulse.job.beam_options import check_reach, pipeline_options
from echopulse.job.lake import location
from echopulse.job.submit import FEATURES
from features.machinery.catalog import declared_views
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apache_beam import Pipeline

    from echopulse.settings import Settings
    from features.lake.location import LakeLocation
    from features.machinery.view_spec import CompiledView
    from pipelines.backfill import BackfillConfig

_POLL_S = 0.5
#: A batch over a day that takes longer has hung.
_LIMIT_S = 6 * 3_600
_DONE = "DONE"


class BatchBeam:
    """Runs batches by Beam's runner of the options."""

    def __init__(self, settings: Settings, options: Sequence[str], places: Sequence[LakeLocation]) -> None:
        """Read Beam's options and the views. Raises EchoPulseError for what Beam does not know or cannot reach."""
        self._options = pipeline_options(options)
        check_reach(self._options, places)
        self._place = location(settings.lake)
        self._declared = {view.name: view for view in declared_views(FEATURES, settings.home)}
        self.parallelism = settings.flink.parallelism

    def run(
        self, config: BackfillConfig, views: Sequence[CompiledView], what: str, meanwhile: Callable[[], None]
    ) -> None:
        """Run a batch to its end, calling `meanwhile` every half second; if that raises, the batch is cancelled.

        Raises EchoPulseError with Beam's own reason where it fails, and where it takes hours.
        """
        from apache_beam import Pipeline

        from pipelines.beam_backfill import BeamBackfill, build

        pipeline = Pipeline(options=self._options)
        batch = BeamBackfill(
            replace(self._place, path=config.events),
            replace(self._place, path=config.staging),
            tuple(self._declared[view.name] for view in views),
            round(config.after.timestamp() * 1000),
            round(config.until.timestamp() * 1000),
            config.available_after_ms,
            config.selection,
            config.parallelism,
            config.bundle_size,
        )
        build(pipeline, batch)
        running, deadline = _Running(pipeline), time.monotonic() + _LIMIT_S
        try:
            meanwhile()
            while not running.ended(_POLL_S) and time.monotonic() < deadline:
                meanwhile()
        except BaseException:
            running.cancel()
            raise
        if not running.ended(0):
            running.cancel()
            raise EchoPulseError(f"the batch over {what} took longer than {_LIMIT_S // 3_600} h")
        if running.error is not None:
            raise EchoPulseError(f"the batch over {what} failed: {innermost(str(running.error))}") from running.error
        if running.state != _DONE:
            raise EchoPulseError(f"the batch over {what} ended as {running.state}", "see the runner's own log")


class _Running:
    """A pipeline on its way; Beam's runner in this process gives nothing back before it is through."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._result: Any = None
        self.state = ""
        self.error: Exception | None = None
        # A daemon: an interrupted command ends with what it computes in this process.
        self._thread = threading.Thread(target=self._run, name="beam", daemon=True)
        self._thread.start()

    def ended(self, within_s: float) -> bool:
        """Return whether it is over, after so many seconds at most."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Have a runner elsewhere give up; what runs in this process ends with it, and its rows are never published."""
        if self._result is not None:
            self._result.cancel()

    def _run(self) -> None:
        try:
            self._result = self._pipeline.run()
            self.state = str(self._result.wait_until_finish())
        except Exception as error:  # noqa: BLE001 whatever Beam or a worker raises is told by who waits
            self.error = error


def innermost(text: str) -> str:
    """Return the last error that a worker's traceback names, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    reason = (named or lines or ["no reason given"])[-1]
    return reason.partition(" [while running")[0]
