"""Waiting until a replay is through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.job.cluster import FlinkCluster
from echopulse.job.settle import AwaitedTask, settle
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
    told = "waited 0 s for task 3 of 3, sink without progress; its watermark is 10.0 s behind the end"
    with FlinkCluster(flink.rest) as cluster, pytest.raises(EchoPulseError, match=told):
        settle(cluster, JOB, "127.0.0.1:1", 10_000, patience_s=0)


def test_who_waits_hears_of_whom(flink: ScriptedFlink, bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Each time that a watermark was asked for and was not there; one that is missing is told as missing."""
    _script(flink)
    flink.answer(f"GET /jobs/{JOB}/vertices/v/watermarks", [], [{"value": "10"}], [{"value": "9999"}])
    for topic in (ANALYSIS, SHADOW, DLQ):
        write_topic(topic, [b"a record"])
    heard: list[AwaitedTask] = []
    with FlinkCluster(flink.rest) as cluster:
        settle(cluster, JOB, bootstrap, 10_000, 30, heard.append)
    assert heard == [AwaitedTask("windows", 1, 1, None), AwaitedTask("windows", 1, 1, 9_989)]
    assert heard[0].behind == "it has no watermark yet"


def test_of_a_long_name_the_beginning_is_told() -> None:
    """A task's name lists its operators; its place tells it from others that begin alike."""
    told = str(AwaitedTask("Deduplicate[7] -> " + "Calc[8] -> " * 20, 2, 40, 0))
    assert told.startswith("task 2 of 40, Deduplicate[7] -> Calc[8]")
    assert told.endswith("…")
    assert len(told) < 100


def test_a_job_that_ends_is_not_waited_for(flink: ScriptedFlink) -> None:
    """It will not get any further."""
    _script(flink, 10, state="FAILED")
    with FlinkCluster(flink.rest) as cluster, pytest.raises(EchoPulseError, match="job j1 is FAILED"):
        settle(cluster, JOB, "127.0.0.1:1", 10_000, patience_s=30)


def test_a_job_that_stands_still_is_given_up(flink: ScriptedFlink) -> None:
    """By how much it is behind is told."""
    _script(flink, 9_000)
    with (
        FlinkCluster(flink.rest) as cluster,
        pytest.raises(EchoPulseError, match=r"watermark is 1\.0 s behind the end"),
    ):
        settle(cluster, JOB, "127.0.0.1:1", 10_000, patience_s=0)
