from __future__ import annotations

import pyarrow as pa

from bench.simulated import EventClock, events, rebatched

_SLIDE_MS = 300_000
_START_MS = 1_767_225_600_000


def test_spans_of_event_time_follow_each_other() -> None:
    """The next span begins a second behind the slide that closed the last one."""
    clock = EventClock(_SLIDE_MS, _START_MS)
    first = events(2_000, clock.start_ms, seed=1)
    assert sum(batch.num_rows for batch in first) == 2_000
    assert first[0].column("ts").cast(pa.int64())[0].as_py() >= _START_MS + 6_000
    assert clock.after(first).start_ms == _START_MS + _SLIDE_MS + 6_000


def test_seeds_share_no_id() -> None:
    """Or a run's events would be dropped as repeats of the last one's."""
    ids = [
        {name for batch in events(500, _START_MS, seed) for name in batch.column("id").to_pylist()} for seed in (1, 2)
    ]
    assert not ids[0] & ids[1]


def test_rebatching_keeps_the_events() -> None:
    """The same rows in the same order, in batches of the size asked for."""
    batches = events(2_500, _START_MS, seed=1)
    again = rebatched(batches, 1_000)
    assert [batch.num_rows for batch in again] == [1_000, 1_000, 500]
    assert pa.Table.from_batches(again) == pa.Table.from_batches(batches)
