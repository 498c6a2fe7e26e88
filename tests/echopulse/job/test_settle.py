"""Waiting until a replay is through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.job.cluster import FlinkCluster
from echopulse.job.settle import settle
from schemas.errors import EchoPulseError
from schemas.topics import ANALYSIS, DLQ, SHADOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.echopulse.job.conftest import ScriptedFlink

JOB = "j1"


def _script(flink: ScriptedFlink, *watermarks: int, state: str = "RUNNING") -> None:
    flink.answer(f"GET /jobs/{JOB}", {"state": state, "vertices": [{"id": "v", "name": "windows", "parallelism": 1}]})
    flink.answer(f"GET /jobs/{JOB}/vertices/v/watermarks", *([{"value": str(mark)}] for mark in watermarks))
    flink.answer(f"GET /jobs/{JOB}/exceptions", {})
    flink.answer(f"POST /jobs/{JOB}/checkpoints", {"request-id": "r"})
    flink.answer(f"GET /jobs/{JOB}/checkpoints/r", {"status": {"id": "COMPLETED"}})


def test_the_watermark_first_then_two_checkpoints(
    flink: ScriptedFlink, bootstrap: str, write_topic: Callable[..., None]
) -> None:
    """No checkpoint is asked for before the last window can have fired: a ms before its end."""
    _script(flink, 10, 9_998, 9_999)
    write_topic(ANALYSIS, [b"a result"])
    write_topic(SHADOW, [b"a word"])
    write_topic(DLQ, [b"a letter"])
    with FlinkCluster(flink.rest) as cluster:
        settle(cluster, JOB, bootstrap, 10_000, patience_s=30)
    requests = [request for request, _ in flink.asked]
    first = requests.index(f"POST /jobs/{JOB}/checkpoints")
    assert requests[:first].count(f"GET /jobs/{JOB}/vertices/v/watermarks") == 3
    assert requests.count(f"POST /jobs/{JOB}/checkpoints") == 2


def test_every_task_but_sources_must_have_come_so_far(flink: ScriptedFlink) -> None:
    """A source shows no watermark; the task that lags is the one that is told."""
    _script(flink, 20_000)
    names = {"s": "Source: events", "v": "windows", "w": "sink"}
    vertices = [{"id": key, "name": name, "parallelism": 1} for key, name in names.items()]
    flink.answer(f"GET /jobs/{JOB}", {"state": "RUNNING", "vertices": vertices})
    flink.answer(f"GET /jobs/{JOB}/vertices/w/watermarks", [{"value": "7"}])
    with FlinkCluster(flink.rest) as cluster, pytest.raises(EchoPulseError, match="watermark 7, wanted 9999"):
        settle(cluster, JOB, "127.0.0.1:1", 10_000, patience_s=0)


def test_a_job_that_ends_is_not_waited_for(flink: ScriptedFlink) -> None:
    """It will not get any further."""
    _script(flink, 10, state="FAILED")
    with FlinkCluster(flink.rest) as cluster, pytest.raises(EchoPulseError, match="job j1 is FAILED"):
        settle(cluster, JOB, "127.0.0.1:1", 10_000, patience_s=30)


def test_a_job_that_stands_still_is_given_up(flink: ScriptedFlink) -> None:
    """Where it stands and where it should have come to are told."""
    _script(flink, 10)
    with FlinkCluster(flink.rest) as cluster, pytest.raises(EchoPulseError, match="watermark 10, wanted 9999"):
        settle(cluster, JOB, "127.0.0.1:1", 10_000, patience_s=0)
