"""SIGKILL in the middle of a replay, or a store that is gone: nothing lost or doubled, in results nor in features."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Closing, replay
from echopulse.job.audit import audit, positions
from echopulse.job.settle import settle
from echopulse.job.topic_reader import end_position
from schemas.avro import decode_analysis
from schemas.topics import ANALYSIS
from tests.system.chat import conversation, write_jsonl
from tests.system.expected import check_features, check_lake_events, scored
from tests.system.topics_read import results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.stack import Stack
    from tests.system.signals.conftest import Signals

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

EVENTS = 9_000
MINUTES = 9
RATE = 600.0
#: Results that are committed before the crash; so many again and more are still to come.
BEFORE = 1_500
_DEADLINE_S = 120
#: The job bears two minutes; the suite has no time for as many.
OUTAGE_S = float(os.environ.get("OUTAGE_S", "20"))


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.1)


def kill_service(name: str) -> Callable[[Stack], None]:
    """Return the crash of one server, which is started again by hand."""

    def crash(stack: Stack) -> None:
        stack.service(name).kill()
        stack.restart(name)

    return crash


def freeze_online_store(stack: Stack) -> None:
    """Stop the online store for OUTAGE_S, so that commands to it hang; what it holds stays as it is."""
    pid = stack.service("valkey").pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(OUTAGE_S)
    finally:
        os.kill(pid, signal.SIGCONT)


def kill_python_worker(stack: Stack) -> None:
    """Kill a Python worker of the TaskManager, which starts another one by itself."""
    pid = stack.service("taskmanager").pid
    assert pid is not None
    workers = [
        process
        for process in psutil.Process(pid).children(recursive=True)
        if any("pyflink.fn_execution" in part for part in process.cmdline())
    ]
    assert workers
    workers[0].kill()


CRASHES = {
    "worker": kill_python_worker,
    "taskmanager": kill_service("taskmanager"),
    "kafka": kill_service("kafka"),
    "store": freeze_online_store,
}


@pytest.mark.parametrize("victim", CRASHES)
def test_a_crash_loses_and_doubles_nothing(signals: Signals, victim: str, tmp_path: Path) -> None:
    """The replay goes on through the crash; afterwards everything is there once and equals the oracle."""
    prefix = f"crash-{victim}"
    closing = Closing(delay_ms=signals.settings.job.watermark_delay_ms)
    events = conversation(prefix, signals.timeline.take(MINUTES), minutes=MINUTES, count=EVENTS, seed=len(victim))
    path = write_jsonl(tmp_path / "chat.jsonl", events)
    bootstrap, running = signals.bootstrap, signals.running
    start = positions(bootstrap)
    begun = sum(start[ANALYSIS].offsets.values())
    with (
        DeadLetterProducer(bootstrap) as letters,
        EventProducer(bootstrap, letters) as producer,
        ThreadPoolExecutor(1) as pool,
    ):
        replaying = pool.submit(
            replay,
            path,
            producer,
            letters,
            rate=RATE,
            keep_time=True,
            closing=closing,
        )
        wait_for(lambda: sum(end_position(bootstrap, ANALYSIS).offsets.values()) - begun > BEFORE, "a committed result")
        assert not replaying.done(), "the replay was over before the crash"
        CRASHES[victim](running.stack)
        report = replaying.result(timeout=_DEADLINE_S + OUTAGE_S)
    assert (report.events, report.dead_letters) == (EVENTS, 0)
    assert report.aligned_end_ms is not None
    assert report.last_ts_ms is not None
    settle(running.cluster, running.job_id, bootstrap, closing.due_ms(report.last_ts_ms))
    running.check()

    analysed = scored(events)
    books = audit(bootstrap, start)
    assert (books.events_in, books.analysed, books.dlq, books.unaccounted) == (EVENTS, len(analysed), 0, 0)
    assert books.repeats == EVENTS - len(analysed)
    decoded = [decode_analysis(message.value() or b"") for message in results(bootstrap, start)]
    seen = Counter((result["channel_id"], result["event_id"]) for result in decoded)
    assert set(seen.values()) == {1}
    assert set(seen) == set(zip(analysed["channel_id"], analysed["event_id"], strict=True))
    check_lake_events(signals.settings, analysed, prefix)
    check_features(signals.settings, signals.specs, analysed, prefix, report.aligned_end_ms)
