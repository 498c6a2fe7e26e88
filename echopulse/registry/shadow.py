"""What a model said in shadow beside the champion: how often the same, what would have been done, at what cost."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from schemas.errors import EchoPulseError
from schemas.topics import SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.settings import Settings

#: How far back the topic is read for each event that is wanted: other kinds and other models are in it too.
_BACK = 20
_MOST_READ = 2_000_000
#: Which kind of analysis speaks for a task.
_KINDS = {"sentiment": "sentiment", "toxicity": "toxicity", "offensive": "toxicity", "hate": "toxicity"}
#: The label on which something is done about an event, by kind; on the others nothing is.
_ACTIONED = {"toxicity": "toxic"}
_SAMPLES = 10
#: How many events are compared where nobody says how many.
MOST_SHOWN = 10_000
#: Between two looks for more: so many seconds, and so many times as long as the look took.
_LOOK_EVERY_S, _REST = 2.0, 4.0


def kind_of(task: str) -> str:
    """Return the kind of analysis whose results in shadow speak for a task."""
    return _KINDS.get(task, task)


@dataclass
class Comparison:
    """A model beside the champion on the newest events it scored in shadow; times in ms UTC, costs in µs a text.

    `pairs` counts (what the champion said, what the model said). `samples` are the newest records they differ on.
    """

    kind: str
    digest: str
    events: int = 0
    agreed: int = 0
    since_ms: int = 0
    until_ms: int = 0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[dict[str, Any]] = field(default_factory=list)
    microseconds: float = 0.0
    active_microseconds: float = 0.0

    @property
    def agreement(self) -> float:
        """The share of events on which both said the same; 0 where there are none."""
        return self.agreed / self.events if self.events else 0.0

    def actioned(self) -> dict[str, int] | None:
        """Return on how many events each would have led to an action, and both; None for a kind that leads to none."""
        label = _ACTIONED.get(self.kind)
        if label is None:
            return None
        counted = list(self.pairs.items())
        return {
            "champion": sum(count for (active, _), count in counted if active == label),
            "model": sum(count for (_, own), count in counted if own == label),
            "both": self.pairs[label, label],
        }

    def document(self) -> dict[str, Any]:
        """Return it as a document; cost is in ms for a thousand texts."""
        pairs = [{"champion": a, "model": b, "events": n} for (a, b), n in sorted(self.pairs.items())]
        return {
            "kind": self.kind,
            "digest": self.digest,
            "events": self.events,
            "agreement": self.agreement,
            "since_ms": self.since_ms,
            "until_ms": self.until_ms,
            "labels": pairs,
            "would_have_actioned": self.actioned(),
            "ms_per_thousand": {"champion": self.active_microseconds, "model": self.microseconds},
            "samples": self.samples,
        }


def compare(settings: Settings, task: str, digest: str, events: int) -> Comparison:
    """Compare a model with the champion on the newest `events` events, or on as many as there are.

    Raises EchoPulseError where Kafka does not answer.
    """
    found = Comparison(kind_of(task), digest)
    own = (
        record
        for record in _newest(settings, min(events * _BACK, _MOST_READ))
        if record["kind"] == found.kind and record["model"] == digest
    )
    for record in islice(own, events):
        _count(found, record)
    if found.events:
        found.microseconds /= found.events
        found.active_microseconds /= found.events
    return found


def wait_for_events(settings: Settings, task: str, digest: str, events: int, seconds: float) -> bool:
    """Wait until a model has scored so many events in shadow, for some seconds at most; say whether it has.

    Raises EchoPulseError where Kafka does not answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if compare(settings, task, digest, events).events >= events:
            return True
        # A look reads the topic from far back: most of the time is spent waiting.
        pause = max(_LOOK_EVERY_S, _REST * (time.monotonic() - began))
        if time.monotonic() + pause > deadline:
            return False
        time.sleep(pause)


def seen_in_shadow(settings: Settings, task: str, digest: str, events: int) -> dict[str, Any]:
    """Return a comparison as a document, its samples with their texts as far as the lake has them.

    Where the lake is away, `texts_unknown` says why there are none. Raises EchoPulseError where Kafka is away.
    """
    # The lake's reader takes a second to import.
    from echopulse.registry.results import texts_of  # noqa: PLC0415

    document = compare(settings, task, digest, events).document()
    samples: list[dict[str, Any]] = document["samples"]
    try:
        texts = texts_of(settings, [(one["channel_id"], one["event_id"]) for one in samples])
    except EchoPulseError as error:
        texts = {}
        document["texts_unknown"] = str(error)
    for one in samples:
        one["text"] = texts.get((one["channel_id"], one["event_id"]))
    return document


def _count(found: Comparison, record: dict[str, Any]) -> None:
    said, active = record["label"], record["active_label"]
    ts_ms = round(record["ts"].timestamp() * 1_000)
    found.since_ms = min(found.since_ms, ts_ms) if found.events else ts_ms
    found.until_ms = max(found.until_ms, ts_ms)
    found.events += 1
    found.pairs[active, said] += 1
    found.microseconds += record["microseconds"]
    found.active_microseconds += record["active_microseconds"]
    if said == active:
        found.agreed += 1
    elif len(found.samples) < _SAMPLES:
        found.samples.append(
            {
                "event_id": record["event_id"],
                "channel_id": record["channel_id"],
                "ts_ms": ts_ms,
                "champion": active,
                "champion_score": record["active_score"],
                "model": said,
                "model_score": record["score"],
            }
        )


def _newest(settings: Settings, most: int) -> Iterator[dict[str, Any]]:
    """Yield the topic's newest records, the newest batch first; those of an older schema are passed over."""
    # Kafka's client is not needed where no model scores in shadow.
    from echopulse.job.topic_reader import Position, end_position, read_batches  # noqa: PLC0415
    from schemas.avro import FINGERPRINT_HEADER, decode_shadow, fingerprint  # noqa: PLC0415

    ours = fingerprint("shadow_result").encode()
    stop = end_position(settings.kafka.bootstrap, SHADOW)
    each = -(-most // max(len(stop.offsets), 1))
    start = Position(SHADOW, {partition: max(0, offset - each) for partition, offset in stop.offsets.items()})
    batches = list(read_batches(settings.kafka.bootstrap, start, stop))
    for batch in reversed(batches):
        for message in reversed(batch):
            if dict(message.headers() or {}).get(FINGERPRINT_HEADER, ours) == ours:
                yield decode_shadow(message.value() or b"")
