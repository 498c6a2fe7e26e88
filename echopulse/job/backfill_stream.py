"""Whether the stream is past a moment, so that it and a backfill never write one hour at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.job.backfill_plan import told
from echopulse.job.cluster import ENDED, FlinkCluster
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from datetime import datetime

    from echopulse.settings import Settings

_JOB = "signals"
_CHECKPOINT_S = 200.0


def check_passed(settings: Settings, until: datetime, newest_hour: datetime) -> None:
    """Raise EchoPulseError where windows that end by `until` may still be written by the stream.

    They are not where the lake's newest hour of events begins later, or where the job `signals` has its watermark past
    `until`: then two checkpoints are taken, of which the first writes what has fired, and the second can complete only
    on tasks that were told of the first.
    """
    if newest_hour >= until:
        return
    with FlinkCluster(settings.flink.rest) as cluster:
        try:
            running = [job for job in cluster.jobs() if job.name == _JOB and job.state not in ENDED]
            if running and _watermark_ms(cluster, running[0].id) >= round(until.timestamp() * 1000) - 1:
                for _ in range(2):
                    cluster.checkpoint(running[0].id, _CHECKPOINT_S)
                return
        except EchoPulseError as error:
            reason = error.message
        else:
            reason = f"the job {_JOB} is not past it" if running else f"no job {_JOB} runs on {cluster.rest}"
    raise EchoPulseError(
        f"windows up to {told(until)} may still be written by the stream: the lake's newest hour of events is "
        f"{told(newest_hour)}, and {reason}",
        f"--to {told(newest_hour)}",
    )


def _watermark_ms(cluster: FlinkCluster, job_id: str) -> int:
    """Return the least watermark of a job's tasks but its sources, which show none; 0 while one has none."""
    tasks = [task for task in cluster.vertices(job_id) if not task["name"].startswith("Source:")]
    return min((cluster.watermark_ms(job_id, task) or 0 for task in tasks), default=0)
