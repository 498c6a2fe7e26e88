"""Old hours leave, by the policy of their table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from features.lake.lease import held
from features.lake.listing import tables
from features.lake.retention import days_of, retain
from features.lake.table import read_table
from tests.features.lake.lakes import folder_lake, names, write

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def test_hours_that_ended_so_many_days_ago_leave(tmp_path: Path) -> None:
    """The hour in which the limit lies stays whole; what no policy can date stays."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"n": [1]}, "date=2026-01-29/hour=23")
    write(lake, "part-0", {"n": [2, 3]}, "date=2026-01-30/hour=08")
    write(lake, "part-1", {"n": [4]}, "date=2026-01-30/hour=09")
    write(lake, "part-2", {"n": [5]}, "date=elsewhere")
    with held(lake, "a test") as lease:
        done = retain(lake, "events", lease, 1, NOW)
    assert (done.files, done.rows, done.before) == (2, 3, datetime(2026, 1, 30, 9, 30, tzinfo=UTC))
    assert names(lake) == {"part-1", "part-2"}
    with held(lake, "a test") as lease:
        assert retain(lake, "events", lease, 1, NOW).files == 0


def test_a_policy_names_a_table_or_all_features() -> None:
    """A table's own line is nearer; without one it is kept for ever."""
    policy = {"features": 30, "features/user_1m": 7}
    assert [days_of(policy, table) for table in ("events", "features/channel_1m", "features/user_1m")] == [None, 30, 7]


def test_tables_are_found(tmp_path: Path) -> None:
    """At the root and below `features`; what begins with an underscore is none."""
    lake = folder_lake(tmp_path)
    for table in ("events", "features/user_1m", "features/channel_1m", "_erasures"):
        write(lake, "part-0", {"n": [1]}, table=table)
    assert tables(lake) == ["events", "features/channel_1m", "features/user_1m"]
    assert read_table(lake, "features/user_1m", ["n"]) is not None
