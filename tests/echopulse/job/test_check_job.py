"""What the running job does not know: when it began by itself, and the last event that an earlier one wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from echopulse.job.check_job import began_empty_ms, last_event_before
from echopulse.job.submit import TAKEN_UP
from echopulse.settings import Settings
from echopulse.settings_sections import Flink
from features.lake.listing import REWRITTEN
from features.lake.location import Lake, LakeLocation, open_lake
from tests.echopulse.job.test_check_lake import HOUR_MS, START_MS, write

if TYPE_CHECKING:
    from tests.echopulse.job.conftest import ScriptedFlink

BEGAN_MS = START_MS + HOUR_MS + 600_000
SPAN_MS = (START_MS, START_MS + 3 * HOUR_MS)


def jobs(flink: ScriptedFlink, *names: str, config: dict[str, object] | None = None) -> Settings:
    """A cluster that lists jobs, each a ms younger than the one before, and tells the last one's configuration."""
    listed = [
        {"jid": name, "name": name, "state": "RUNNING", "start-time": BEGAN_MS + n} for n, name in enumerate(names)
    ]
    flink.answer("GET /jobs/overview", {"jobs": listed})
    flink.answer("GET /jobs/signals/config", {"execution-config": {"user-config": config or {}}})
    return Settings(flink=Flink(rest=flink.rest))


def test_a_job_began_when_it_was_submitted(flink: ScriptedFlink) -> None:
    """The newest of its name, whatever runs beside it."""
    told: list[str] = []
    assert began_empty_ms(jobs(flink, "signals", "backfill"), told.append) == BEGAN_MS
    assert told == []


def test_a_job_that_took_up_a_savepoint_knows_the_events_before_it(flink: ScriptedFlink) -> None:
    """It is noted on the job itself."""
    assert began_empty_ms(jobs(flink, "signals", config={TAKEN_UP: "file:///s"}), pytest.fail) is None


def test_no_job_and_no_cluster(flink: ScriptedFlink) -> None:
    """Nothing is left out; that the cluster is away is told."""
    assert began_empty_ms(jobs(flink, "backfill"), pytest.fail) is None
    told: list[str] = []
    assert began_empty_ms(Settings(flink=Flink(rest="http://127.0.0.1:1")), told.append) is None
    [line] = told
    assert line.startswith("the Flink cluster at http://127.0.0.1:1 does not answer")
    assert line.endswith(": windows from before the job are compared too")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two files of an earlier job, in two hours, and one of the job that runs."""
    opened = open_lake(LakeLocation(str(tmp_path)))
    put(opened, 0, "part-0", [1_000, 5_000], BEGAN_MS - HOUR_MS)
    put(opened, 1, "part-0", [9_000, 7_000], BEGAN_MS - 1)
    put(opened, 1, "part-1", [700_000], BEGAN_MS)
    return opened


def put(lake: Lake, hour: int, name: str, seconds_ms: list[int], written_ms: int) -> None:
    """Write a file of events, as if it had been written then."""
    partition = f"date=2025-10-09/hour={9 + hour:02}"
    write(lake, partition, [{"ts": START_MS + hour * HOUR_MS + each} for each in seconds_ms], name=name)
    path = Path(lake.within("events", partition, name))
    os.utime(path, ns=(written_ms * 1_000_000,) * 2)


def test_the_last_event_of_an_earlier_job(lake: Lake) -> None:
    """By when files were written, not by their names or their events' times."""
    assert last_event_before(lake, BEGAN_MS, SPAN_MS) == START_MS + HOUR_MS + 9_000
    assert last_event_before(lake, BEGAN_MS - 1, SPAN_MS) == START_MS + 5_000
    assert last_event_before(lake, BEGAN_MS - HOUR_MS, SPAN_MS) is None
    assert last_event_before(lake, BEGAN_MS, (START_MS + 2 * HOUR_MS, SPAN_MS[1])) is None


def test_a_merged_file_is_of_before_where_its_hour_had_passed(lake: Lake) -> None:
    """When it was merged says nothing."""
    put(lake, 0, f"{REWRITTEN}0", [5_500], BEGAN_MS + 1)
    put(lake, 1, f"{REWRITTEN}1", [9_500], BEGAN_MS + 1)
    assert last_event_before(lake, BEGAN_MS - 1, SPAN_MS) == START_MS + 5_500
