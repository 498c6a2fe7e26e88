"""What was said of an event, by its id: from the lake, and from Kafka where it is too new for the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from echopulse.job.lake import opened
from echopulse.job.topic_reader import Position, end_position, read_batches
from features.lake.table import read_table
from schemas.avro import decode_analysis
from schemas.errors import EchoPulseError
from schemas.topics import ANALYSIS

if TYPE_CHECKING:
    from echopulse.settings import Settings

#: Results that are looked through in the topic at most, the newest ones.
_MOST_READ = 1_000_000


def results_of(settings: Settings, event_id: str) -> list[dict[str, Any]]:
    """Return the AnalysisResults of an id, decoded; an id is one of its channel, so there may be several.

    Raises EchoPulseError where there is none, or neither lake nor Kafka can tell.
    """
    table = read_table(opened(settings.lake), "events", ["result"], where=pc.field("event_id") == event_id)
    datums = [] if table is None else table.column("result").to_pylist()
    found = [decode_analysis(datum) for datum in dict.fromkeys(datums)] or _newest(settings, event_id)
    if not found:
        raise EchoPulseError(
            f"no result of an event '{event_id}' is in the lake or among the newest of {ANALYSIS}",
            "it may be a dead letter: echopulse dlq ls",
        )
    return found


def _newest(settings: Settings, event_id: str) -> list[dict[str, Any]]:
    bootstrap, own = settings.kafka.bootstrap, event_id.encode()
    stop = end_position(bootstrap, ANALYSIS)
    each = -(-_MOST_READ // max(len(stop.offsets), 1))
    start = Position(ANALYSIS, {partition: max(0, offset - each) for partition, offset in stop.offsets.items()})
    datums = dict.fromkeys(
        value
        for batch in read_batches(bootstrap, start, stop)
        for message in batch
        if own in (value := message.value() or b"")
    )
    results = [decode_analysis(datum) for datum in datums]
    return [result for result in results if result["event_id"] == event_id]
