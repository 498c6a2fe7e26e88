"""Events and results read from Kafka as they come, and drift told, until a signal ends it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from confluent_kafka import KafkaException, TopicPartition

from echopulse.drift.decoding import result_columns
from echopulse.drift.state import Offsets, load, save
from echopulse.job.topic_reader import consumer, end_position
from schemas.codec import decode_events
from schemas.errors import EchoPulseError
from schemas.topics import ANALYSIS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from confluent_kafka import Message

    from echopulse.drift.alerts import DriftMetrics, DriftTopic
    from echopulse.drift.watcher import Watcher
    from transforms.drift_monitor import Drift

_BATCH = 10_000
_WAIT_S = 0.5
_SAVE_EVERY_S = 10.0
_GROUP = "echopulse-drift"
#: Only heartbeats carry it.
_HEARTBEAT_HEADER = "kind"


@dataclass
class Watch:
    """One run of the watcher: reads on from where its file says, at first from where the topics end."""

    bootstrap: str
    watcher: Watcher
    file: Path
    topic: DriftTopic
    metrics: DriftMetrics
    say: Callable[[Drift], None]
    read: dict[str, int] = field(default_factory=lambda: {EVENTS: 0, ANALYSIS: 0})
    told: int = 0
    #: Set once records are read from where the run begins.
    started: threading.Event = field(default_factory=threading.Event)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`; raises EchoPulseError where Kafka refuses to be read or to take a drift.

        State is kept every ten seconds and at the end. What was read since is read again after a crash, and a drift
        told again has the id that it had.
        """
        offsets = load(self.file, self.watcher)
        for name in (EVENTS, ANALYSIS):
            ends = end_position(self.bootstrap, name).offsets
            offsets[name] = dict(ends) | offsets.get(name, {})
        reader = consumer(self.bootstrap, group=_GROUP)
        try:
            reader.assign([TopicPartition(name, p, o) for name, parts in offsets.items() for p, o in parts.items()])
            self.started.set()
            saved = time.monotonic()
            while not stop.is_set():
                self._take(reader.consume(_BATCH, timeout=_WAIT_S), offsets)
                if time.monotonic() - saved > _SAVE_EVERY_S:
                    saved = self._kept(offsets)
            self._kept(offsets)
        except KafkaException as error:
            raise EchoPulseError(f"Kafka at {self.bootstrap} cannot be read: {error.args[0]}") from error
        finally:
            reader.close()

    def _take(self, messages: Sequence[Message], offsets: Offsets) -> None:
        events, results = [], []
        for message in messages:
            name, partition, offset = message.topic(), message.partition(), message.offset()
            if message.error() is not None or name is None or partition is None or offset is None:
                raise EchoPulseError(f"Kafka at {self.bootstrap} cannot be read: {message.error()}")
            offsets[name][partition] = offset + 1
            value = message.value()
            if name == ANALYSIS:
                results.append(value or b"")
            elif value is not None and _HEARTBEAT_HEADER not in dict(message.headers() or {}):
                events.append(value)
        drifts: list[Drift] = []
        if events:
            drifts += self.watcher.events(decode_events(pa.array(events, pa.binary())).events)
        if results:
            drifts += self.watcher.results(result_columns(results))
        self.read[EVENTS] += len(events)
        self.read[ANALYSIS] += len(results)
        self._tell(drifts)

    def _tell(self, drifts: Sequence[Drift]) -> None:
        if not drifts:
            return
        self.topic.send(drifts)
        self.metrics.count(drifts)
        self.told += len(drifts)
        for drift in drifts:
            self.say(drift)

    def _kept(self, offsets: Offsets) -> float:
        self.metrics.show(self.watcher.monitor)
        save(self.file, self.watcher, offsets)
        return time.monotonic()
