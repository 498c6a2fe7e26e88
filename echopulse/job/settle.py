"""Waiting until a replay is through: every window up to its end has fired and every result is committed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from echopulse.job.cluster import ENDED
from echopulse.job.topic_reader import end_position
from schemas import topics
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from echopulse.job.cluster import FlinkCluster

_POLL_S = 0.5
#: A crashed worker, broker or store is given this long to come back before waiting is given up. So is a task whose
#: Python function has hardly a processor, beside other work: one call of it may take two minutes.
PATIENCE_S = 600.0
_CHECKPOINT_S = 200.0
#: A task's name lists all its operators: dozens for the one that reads.
_NAME_LENGTH = 80


@dataclass(frozen=True)
class AwaitedTask:
    """A task that the end is waited for in: its name, its place among all tasks, and by how much it is behind.

    `behind_ms` is from its watermark to the one that is waited for, None where it has none yet.
    """

    name: str
    place: int
    tasks: int
    behind_ms: int | None

    def __str__(self) -> str:
        """Say which it is."""
        name = self.name if len(self.name) <= _NAME_LENGTH else f"{self.name[: _NAME_LENGTH - 1].rstrip()}…"
        return f"task {self.place} of {self.tasks}, {name}"

    @property
    def behind(self) -> str:
        """Say by how much it is behind."""
        if self.behind_ms is None:
            return "it has no watermark yet"
        return f"its watermark is {self.behind_ms / 1_000:,.1f} s behind the end"


def settle(
    cluster: FlinkCluster,
    job_id: str,
    bootstrap: str,
    due_ms: int,
    patience_s: float = PATIENCE_S,
    on_wait: Callable[[AwaitedTask], None] = lambda _: None,
) -> None:
    """Wait until all that is due when event time is `due_ms` (UTC) has fired and all output is committed.

    A watermark of a window's end less one ms fires it. Two checkpoints follow: the first commits what was written,
    and the second can only complete on tasks that were told of the first. `on_wait` is called every half second while
    a watermark is waited for. Raises EchoPulseError when the job ends, or makes no progress for `patience_s`.
    """
    _wait_for_watermark(cluster, job_id, due_ms - 1, patience_s, on_wait)
    for _ in range(2):
        cluster.checkpoint(job_id, _CHECKPOINT_S)
    for topic in (topics.ANALYSIS, topics.SHADOW, topics.DLQ):
        _wait_until_committed(bootstrap, topic, patience_s)


def _wait_for_watermark(
    cluster: FlinkCluster, job_id: str, watermark_ms: int, patience_s: float, on_wait: Callable[[AwaitedTask], None]
) -> None:
    """Wait task by task: a watermark never falls, so that each has to be asked only until it is there."""
    tasks = cluster.vertices(job_id)
    for place, task in enumerate(tasks, 1):
        if not task["name"].startswith("Source:"):  # sources show none of their own
            awaited = AwaitedTask(task["name"], place, len(tasks), None)
            _wait_for_task(cluster, job_id, task, awaited, watermark_ms, patience_s, on_wait)


def _wait_for_task(
    cluster: FlinkCluster,
    job_id: str,
    task: Mapping[str, Any],
    awaited: AwaitedTask,
    watermark_ms: int,
    patience_s: float,
    on_wait: Callable[[AwaitedTask], None],
) -> None:
    deadline = time.monotonic() + patience_s
    while (now := cluster.watermark_ms(job_id, task)) is None or now < watermark_ms:
        behind_ms = None if now is None else watermark_ms - now
        if behind_ms != awaited.behind_ms:
            awaited, deadline = replace(awaited, behind_ms=behind_ms), time.monotonic() + patience_s
        if (state := cluster.state(job_id)) in ENDED:
            raise EchoPulseError(f"job {job_id} is {state}: {cluster.failure(job_id)}", f"see {cluster.rest}")
        if time.monotonic() > deadline:
            raise EchoPulseError(
                f"waited {patience_s:.0f} s for {awaited} without progress; {awaited.behind}",
                f"this task or one before it holds it back: see {cluster.rest}",
            )
        on_wait(awaited)
        time.sleep(_POLL_S)


def _wait_until_committed(bootstrap: str, topic: str, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while end_position(bootstrap, topic).offsets != end_position(bootstrap, topic, committed=False).offsets:
        if time.monotonic() > deadline:
            raise EchoPulseError(f"a transaction on {topic} stayed open for {patience_s:.0f} s", f"Kafka: {bootstrap}")
        time.sleep(_POLL_S)
