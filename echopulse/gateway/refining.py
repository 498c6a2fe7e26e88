"""From frames to what goes to Kafka: mapped, judged, allowed, without persons, encoded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.gateway.access import Access
from echopulse.gateway.burst import Burst, resume_of
from echopulse.gateway.byte_lengths import byte_lengths
from echopulse.gateway.columns import columns_of
from echopulse.gateway.dead_letters import letter_messages, now_ms
from echopulse.gateway.event_encoding import encode
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.mapped_rows import Mapped
from echopulse.gateway.mapper import Mapper
from echopulse.gateway.mapping import lasting_name
from echopulse.gateway.original_form import OriginalForm
from echopulse.gateway.outgoing import Batch, EventRows, Outgoing
from echopulse.gateway.redaction import Redaction
from echopulse.gateway.repeats import REPEAT, Repeats
from echopulse.gateway.rows import Faults, Rows
from echopulse.gateway.validation import judge
from schemas.avro import DeadLetter
from schemas.topics import DLQ, EVENTS, MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.connector import Arrival
    from echopulse.gateway.gateway_config import Source
    from echopulse.gateway.receipt import Receipt

#: Kafka's framing around a message, and its headers.
_BESIDE_BYTES = 1024
_NO_FIELDS = "the connector read no fields, and the source names no mapping"


@dataclass(frozen=True)
class Refined:
    """What came of some frames: frames = events + letters + filtered + dropped."""

    batch: Batch
    events: int
    letters: int
    filtered: int
    dropped: Counter[str] = field(default_factory=Counter)


class Refining:
    """Does it for one source; nothing that it returns holds what the source's rules take out."""

    def __init__(self, source: Source) -> None:
        """Compile mapping and rules."""
        self._name, self._platform = source.name, source.connector.name
        self._mapper = Mapper(source.mapping) if source.mapping else None
        self._access = Access(source.config.channels, source.config.kinds)
        self._redaction = Redaction(source.config.redact)
        self.repeats = Repeats()
        self._form = OriginalForm("frame", lasting_name(source.options.mapping)) if source.mapping else None

    def apply(self, arrivals: Sequence[Arrival], first_number: int) -> Refined:
        """Refine frames, numbered from `first_number` in dead letters."""
        mapped = self._mapped(arrivals, first_number)
        judged = judge(mapped.rows, self._name, TimeRange.around(now_ms()))
        allowed, dropped = self._access.apply(judged.events)
        before = allowed.num_rows
        allowed = self.repeats.drop(allowed)
        if allowed.num_rows < before:
            dropped[REPEAT] = before - allowed.num_rows
        events = self._redaction.apply(allowed)
        values = encode(events)
        sizes = byte_lengths(values) + byte_lengths(events.column("channel_id"))
        small = sizes <= MAX_MESSAGE_BYTES - _BESIDE_BYTES
        large = [self._too_large(events, values, row) for row in np.flatnonzero(~small).tolist()]
        if large:
            events, values, sizes = events.filter(pa.array(small)), values.filter(pa.array(small)), sizes[small]
        records = EventRows(
            events.column("channel_id").cast(pa.binary()),
            values,
            events.column("ts").cast(pa.int64()).to_numpy(),
            int(sizes.sum()),
        )
        letters = [*map(self._redaction.letter, judged.letters), *large]
        written = [
            Outgoing(DLQ, letter.origin.encode(), datum, letter.ts, tuple(headers))
            for letter in letters
            for datum, headers in letter_messages(letter, self._form)
        ]
        batch = Batch(
            [*records, *written] if written else records, resume=resume_of(arrivals), receipts=_receipts(arrivals)
        )
        return Refined(batch, len(records), len(letters), mapped.filtered, Counter(dropped))

    def _mapped(self, arrivals: Sequence[Arrival], first_number: int) -> Mapped:
        if self._mapper:
            return self._mapper.apply(arrivals, first_number)
        faults: Faults = {}
        records: list[tuple[object, ...]] = []
        for place, arrival in enumerate(arrivals):
            own = arrival.fields
            if arrival.fault or own is None:
                faults[place] = ("parse", arrival.fault) if arrival.fault else ("validate", _NO_FIELDS)
                records.append((None, None, self._platform, None, None, arrival.data, {}))
            else:
                platform = own.source or self._platform
                records.append((own.id, own.ts_ms, platform, own.channel, own.user, arrival.data, own.meta))
        columns = columns_of(list(zip(*records, strict=True)) or [()] * 7, faults)
        numbers = range(first_number, first_number + len(arrivals))
        return Mapped(Rows(columns, numbers, lambda place: arrivals[place].data, faults), 0)

    def _too_large(self, events: pa.RecordBatch, values: pa.BinaryArray, row: int) -> DeadLetter:
        reason = f"a message of {len(values[row])} bytes is above the {MAX_MESSAGE_BYTES} bytes that {EVENTS} takes"
        return DeadLetter("produce", reason, EVENTS, events.column("id")[row].as_py(), now_ms(), values[row].as_py())


def _receipts(arrivals: Sequence[Arrival]) -> list[Receipt]:
    if isinstance(arrivals, Burst):
        return []
    return [arrival.receipt for arrival in arrivals if arrival.receipt is not None]
