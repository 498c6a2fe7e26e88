"""Files to Kafka: `ingest replay`'s own path, and a script that takes one event at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bench.embedded import own_settings, step, told
from bench.measure import Figure, Section, rates, ratio, repeated
from bench.row_ingest import send_jsonl, send_parquet
from bench.simulated import EventClock, events
from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.event_json import json_lines, line_bytes
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import replay
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NAME = "ingest"
_RUNS = 5
_EVENTS_SHARE = 10
#: What the fields of an event are called in a file.
_FILE_NAMES = ("id", "ts", "source", "channel", "user", "raw", "meta")


def measure(count: int, folder: Path) -> Section:
    """Measure files of a tenth of `count` events into a Kafka in `folder`."""
    settings = own_settings(folder / "ingest")
    stack, bootstrap = stack_settings(settings), settings.kafka.bootstrap
    batches = events(max(1, count // _EVENTS_SHARE), EventClock.hours_ago(60_000).start_ms, seed=1)
    total = sum(batch.num_rows for batch in batches)
    files = {"Parquet": folder / "events.parquet", "JSONL": folder / "events.jsonl"}
    write_parquet(batches, files["Parquet"])
    write_jsonl(batches, files["JSONL"])
    senders = {"Parquet": send_parquet, "JSONL": send_jsonl}
    figures: list[Figure] = []
    with Stack(stack, told, (Kafka(stack),), ()).bring_up():
        ensure_topics(bootstrap)
        with DeadLetterProducer(bootstrap) as letters, EventProducer(bootstrap, letters) as producer:
            for form, path in files.items():
                step(f"replaying {form}")
                ours = _figure(f"{form}, ingest replay", total, partial(_replay, path, producer, letters, total))
                theirs = _figure(f"{form}, an event at a time", total, partial(senders[form], bootstrap, path))
                figures += [replace(ours, against=f"{ratio(ours, theirs):.1f} x an event at a time"), theirs]
    return Section(
        NAME,
        "Files to Kafka (`ingest`)",
        f"A file of {total:,} simulated events to a Kafka of its own until all are acknowledged, through the same "
        "producer (idempotent, all replicas, lz4). The replay checks every row besides. By the wall, broker on "
        "the same cores.",
        tuple(figures),
    )


def _replay(path: Path, producer: EventProducer, letters: DeadLetterProducer, total: int) -> None:
    report = replay(path, producer, letters, keep_time=True, closing=None)
    if report.events != total:
        raise EchoPulseError(f"{path.name}: {report.events:,} of {total:,} events were sent")


def write_parquet(batches: Sequence[pa.RecordBatch], path: Path) -> None:
    """Write events under their names in files, payloads as text."""
    table = pa.Table.from_batches(batches).rename_columns(_FILE_NAMES)
    pq.write_table(table.set_column(5, "raw", table.column("raw").cast(pa.string())), path)


def write_jsonl(batches: Sequence[pa.RecordBatch], path: Path) -> None:
    """Write events in the SocialEvent JSON form."""
    with path.open("wb") as file:
        for batch in batches:
            file.write(line_bytes(json_lines(batch)))


def _figure(what: str, amount: int, call: Callable[[], object]) -> Figure:
    return Figure(what, rates(amount, [cost.wall for cost in repeated(call, _RUNS)]), "events/s")
