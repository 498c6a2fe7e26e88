"""Files sent to Kafka one event at a time, as a first script does it; by the project's own producer."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from echopulse.gateway.kafka_client import DELIVERY_TIMEOUT_S, BoundedProducer
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from confluent_kafka import KafkaError, Message

_BATCH_ROWS = 10_000
_POLL_EVERY = 1_000


def send_jsonl(bootstrap: str, path: Path) -> int:
    """Send each line of a JSONL file; return how many."""
    with path.open(encoding="utf-8") as lines:
        return _send(bootstrap, map(json.loads, lines))


def send_parquet(bootstrap: str, path: Path) -> int:
    """Send each row of a Parquet file; return how many."""
    return _send(bootstrap, _parquet_rows(path))


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            yield from batch.to_pylist()


def _send(bootstrap: str, rows: Iterable[dict[str, Any]]) -> int:
    producer = BoundedProducer(bootstrap, _refused)
    sent = 0
    for row in rows:
        moment = row["ts"] if isinstance(row["ts"], datetime) else datetime.fromisoformat(row["ts"])
        event = SocialEvent(
            id=row["id"],
            source=row["source"],
            channel_id=row["channel"],
            user_id=row["user"],
            raw_payload=row["raw"].encode(),
            metadata=dict(row["meta"]),
        )
        event.ts.FromDatetime(moment)
        producer.produce(EVENTS, event.SerializeToString(), row["channel"], timestamp=event.ts.ToMilliseconds())
        sent += 1
        if sent % _POLL_EVERY == 0:
            producer.poll()
    producer.flush(DELIVERY_TIMEOUT_S)
    producer.close()
    return sent


def _refused(error: KafkaError, _message: Message) -> None:
    raise EchoPulseError(f"Kafka refused an event: {error.str()}")
