"""A Flink cluster by its REST interface, answered by a real HTTP server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from echopulse.job.cluster import FlinkCluster, JobSummary
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.echopulse.job.conftest import ScriptedFlink

JOB = "j1"


@pytest.fixture
def cluster(flink: ScriptedFlink) -> Iterator[FlinkCluster]:
    """Yield the cluster at the scripted address."""
    with FlinkCluster(flink.rest) as opened:
        yield opened


def _overview(*jobs: tuple[str, str, str, int]) -> dict[str, object]:
    return {"jobs": [{"jid": i, "name": name, "state": state, "start-time": start} for i, name, state, start in jobs]}


def _vertices(*statuses: str) -> dict[str, object]:
    vertices = [{"id": f"v{n}", "name": f"task {n}", "parallelism": 1, "status": s} for n, s in enumerate(statuses)]
    return {"state": "RUNNING", "vertices": vertices}


def test_jobs_come_newest_first(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """Whatever order Flink lists them in."""
    flink.answer("GET /jobs/overview", _overview(("a", "signals", "CANCELED", 1), ("b", "signals", "RUNNING", 2)))
    assert cluster.jobs() == [JobSummary("b", "signals", "RUNNING", 2), JobSummary("a", "signals", "CANCELED", 1)]
    assert cluster.job("signals").id == "b"


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ([("a", "signals", "RUNNING", 1)], "did you mean 'signals'?"),
        ([("a", "signalz", "FAILED", 1)], "echopulse pipeline submit"),
    ],
)
def test_a_job_that_does_not_run_is_told_with_the_near_miss(
    jobs: list[tuple[str, str, str, int]], said: str, flink: ScriptedFlink, cluster: FlinkCluster
) -> None:
    """Jobs that have ended are no near miss."""
    flink.answer("GET /jobs/overview", _overview(*jobs))
    with pytest.raises(EchoPulseError) as caught:
        cluster.job("signalz")
    assert said in str(caught.value)


def test_waiting_for_the_tasks(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """It polls until each of them runs or is through already."""
    flink.answer(f"GET /jobs/{JOB}", _vertices("RUNNING", "DEPLOYING"), _vertices("FINISHED", "RUNNING"))
    cluster.wait_running(JOB, 30)


def test_a_job_that_fails_while_waited_for_tells_its_root_cause(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """The innermost cause is what a person can mend."""
    flink.answer(f"GET /jobs/{JOB}", {"state": "FAILED", "vertices": [{"status": "FAILED"}]})
    trace = "JobException: x\n\tat y\nCaused by: A\n\tat z\nCaused by: java.io.IOException: disk full\n"
    flink.answer(f"GET /jobs/{JOB}/exceptions", {"exceptionHistory": {"entries": [{"stacktrace": trace}]}})
    with pytest.raises(EchoPulseError, match=r"FAILED while waiting for its tasks to run: Caused by: .* disk full"):
        cluster.wait_running(JOB, 30)


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ({}, ""),
        ({"exceptionHistory": {"entries": []}}, ""),
        ({"exceptionHistory": {"entries": [{"stacktrace": "\n  Plain: x\n\tat y\n"}]}}, "Plain: x"),
    ],
)
def test_a_failure_without_a_cause(
    history: dict[str, object], told: str, flink: ScriptedFlink, cluster: FlinkCluster
) -> None:
    """The first line, or nothing where Flink knows of none."""
    flink.answer(f"GET /jobs/{JOB}/exceptions", history)
    assert cluster.failure(JOB) == told


def test_waiting_has_a_limit(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """State, what was waited for and the limit are told."""
    flink.answer(f"GET /jobs/{JOB}", _vertices("DEPLOYING"))
    with pytest.raises(EchoPulseError, match="is RUNNING and its tasks to run did not come within 0 s"):
        cluster.wait_running(JOB, 0)


def test_a_watermark_is_the_least_of_the_parallel_instances(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """A task of which an instance has not heard from every channel yet has none: it shows none, or the least long."""
    task = {"id": "a", "name": "windows", "parallelism": 2}
    marks = [{"id": "0", "value": "70"}, {"id": "1", "value": "50"}]
    none_yet = [marks[0], {"id": "1", "value": "-9223372036854775808"}]
    flink.answer(f"GET /jobs/{JOB}/vertices/a/watermarks", marks[:1], none_yet, marks)
    assert cluster.watermark_ms(JOB, task) is None
    assert cluster.watermark_ms(JOB, task) is None
    assert cluster.watermark_ms(JOB, task) == 50


def test_parameters_of_a_job_are_told(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """What its submitter noted on it; of a job without any, none."""
    flink.answer(f"GET /jobs/{JOB}/config", {"execution-config": {"user-config": {"a": "b"}}}, {"jid": JOB})
    assert cluster.parameters(JOB) == {"a": "b"}
    assert cluster.parameters(JOB) == {}


@pytest.mark.parametrize(("metrics", "restarts"), [([], 0), ([{"id": "numRestarts", "value": "3"}], 3)])
def test_restarts(metrics: list[object], restarts: int, flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """A job that never restarted may not have the metric yet."""
    flink.answer(f"GET /jobs/{JOB}/metrics?get=numRestarts", metrics)
    assert cluster.restarts(JOB) == restarts


def test_a_checkpoint_is_asked_for_and_awaited(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """It polls the operation that Flink names."""
    flink.answer(f"POST /jobs/{JOB}/checkpoints", {"request-id": "r"})
    progress = [{"status": {"id": "IN_PROGRESS"}}, {"status": {"id": "COMPLETED"}, "operation": {"checkpointId": 4}}]
    flink.answer(f"GET /jobs/{JOB}/checkpoints/r", *progress)
    cluster.checkpoint(JOB, 30)
    assert flink.asked[0] == (f"POST /jobs/{JOB}/checkpoints", {"checkpointType": "CONFIGURED"})


def test_a_savepoint_tells_where_it_is(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """Of a job that goes on, and of one that stops without firing its open windows."""
    done = {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/1"}}
    flink.answer(f"POST /jobs/{JOB}/savepoints", {"request-id": "r"})
    flink.answer(f"POST /jobs/{JOB}/stop", {"request-id": "r"})
    flink.answer(f"GET /jobs/{JOB}/savepoints/r", done)
    assert cluster.savepoint(JOB, "file:/s", 30) == "file:/s/1"
    assert cluster.stop(JOB, "file:/s", 30) == "file:/s/1"
    assert flink.asked[0][1] == {"target-directory": "file:/s", "cancel-job": False}
    assert flink.asked[2][1] == {"targetDirectory": "file:/s", "drain": False}


def test_an_operation_that_fails_or_takes_too_long(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """Both name the job and what was tried."""
    flink.answer(f"POST /jobs/{JOB}/stop", {"request-id": "r"})
    failed = {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"class": "java.io.IOException"}}}
    flink.answer(f"GET /jobs/{JOB}/savepoints/r", {"status": {"id": "IN_PROGRESS"}}, failed)
    with pytest.raises(EchoPulseError, match="a savepoint of job j1 took longer than 0 s"):
        cluster.stop(JOB, "file:/s", 0)
    with pytest.raises(EchoPulseError, match=r"a savepoint of job j1 failed: java\.io\.IOException"):
        cluster.stop(JOB, "file:/s", 30)


def test_cancelling_waits_for_the_end(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """And has a limit."""
    flink.answer(f"PATCH /jobs/{JOB}?mode=cancel", {})
    states = [{"state": state} for state in ("CANCELLING", "CANCELLING", "CANCELED")]
    flink.answer(f"GET /jobs/{JOB}", *states)
    with pytest.raises(EchoPulseError, match="still CANCELLING 0 s after"):
        cluster.cancel(JOB, 0)
    cluster.cancel(JOB, 30)


def test_what_flink_refuses_is_told_in_its_words(flink: ScriptedFlink, cluster: FlinkCluster) -> None:
    """Its last error, the exception's wrapping left out; plain text or nothing serves too."""
    errors = ["Internal server error.", "<Exception on server side:\nJobNotFound: no j1\n\tat x\nEnd>"]
    refusals = [(404, {"errors": errors}), (502, "bad gateway\nx"), (500, "")]
    flink.script[f"GET /jobs/{JOB}"] = list(refusals)
    for said in ("JobNotFound: no j1", "bad gateway", "HTTP 500"):
        with pytest.raises(EchoPulseError, match=f"refused GET /jobs/{JOB}: {said}"):
            cluster.state(JOB)


def test_a_cluster_that_is_not_there_is_named() -> None:
    """Address and what to do stand in the line."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        rest = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with FlinkCluster(rest) as cluster, pytest.raises(EchoPulseError, match=f"{rest} does not answer.*status"):
            cluster.jobs()
