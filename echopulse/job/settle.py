"""Waiting until a replay is through: every window up to its end has fired and every result is committed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from echopulse.job.cluster import ENDED
from echopulse.job.topic_reader import end_position
from schemas import topics
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.job.cluster import FlinkCluster

_POLL_S = 0.5
#: A crashed worker, broker or store is given this long to come back before waiting is given up.
PATIENCE_S = 300.0
_CHECKPOINT_S = 200.0


def settle(cluster: FlinkCluster, job_id: str, bootstrap: str, due_ms: int, patience_s: float = PATIENCE_S) -> None:
    """Wait until all that is due when event time is `due_ms` (UTC) has fired and all output is committed.

    A watermark of a window's end less one ms fires it. Two checkpoints follow: the first commits what was written,
    and the second can only complete on tasks that were told of the first. Raises EchoPulseError when the job ends,
    or makes no progress for `patience_s`.
    """
    _wait_for_watermark(cluster, job_id, due_ms - 1, patience_s)
    for _ in range(2):
        cluster.checkpoint(job_id, _CHECKPOINT_S)
    for topic in (topics.ANALYSIS, topics.SHADOW, topics.DLQ):
        _wait_until_committed(bootstrap, topic, patience_s)


def _wait_for_watermark(cluster: FlinkCluster, job_id: str, watermark_ms: int, patience_s: float) -> None:
    """Wait task by task: a watermark never falls, so that each has to be asked only until it is there."""
    for task in cluster.vertices(job_id):
        if not task["name"].startswith("Source:"):  # sources show none of their own
            _wait_for_task(cluster, job_id, task, watermark_ms, patience_s)


def _wait_for_task(
    cluster: FlinkCluster, job_id: str, task: Mapping[str, Any], watermark_ms: int, patience_s: float
) -> None:
    reached: int | None = None
    deadline = time.monotonic() + patience_s
    while (now := cluster.watermark_ms(job_id, task)) is None or now < watermark_ms:
        if now != reached:
            reached, deadline = now, time.monotonic() + patience_s
        if (state := cluster.state(job_id)) in ENDED:
            raise EchoPulseError(f"job {job_id} is {state}: {cluster.failure(job_id)}", f"see {cluster.rest}")
        if time.monotonic() > deadline:
            raise EchoPulseError(
                f"job {job_id} made no progress for {patience_s:.0f} s: watermark {reached}, wanted {watermark_ms}",
                f"see {cluster.rest}",
            )
        time.sleep(_POLL_S)


def _wait_until_committed(bootstrap: str, topic: str, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while end_position(bootstrap, topic).offsets != end_position(bootstrap, topic, committed=False).offsets:
        if time.monotonic() > deadline:
            raise EchoPulseError(f"a transaction on {topic} stayed open for {patience_s:.0f} s", f"Kafka: {bootstrap}")
        time.sleep(_POLL_S)
