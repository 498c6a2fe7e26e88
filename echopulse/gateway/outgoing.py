"""What waits for Kafka: a record of one of the gateway's topics, in memory or as bytes in a spool."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np
import orjson
import pyarrow as pa  # noqa: TC002 a dataclass's field
from numpy.typing import NDArray  # noqa: TC002 a dataclass's field

from echopulse.gateway.receipt import Verdict
from echopulse.gateway.spool import Position  # noqa: TC001 a field's type
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from echopulse.gateway.receipt import Receipt

_HEAD = struct.Struct("<qIII")
Headers = tuple[tuple[str, bytes], ...]


class Outgoing(NamedTuple):
    """A record; `ts` in ms UTC."""

    topic: str
    key: bytes
    value: bytes
    ts: int
    headers: Headers = ()

    @property
    def size(self) -> int:
        """Bytes of key and value, as queues and the window count them."""
        return len(self.key) + len(self.value)

    def packed(self) -> bytes:
        """Return it as bytes."""
        topic = self.topic.encode()
        pairs = [(name, value.decode("latin-1")) for name, value in self.headers]
        headers = orjson.dumps(pairs) if pairs else b""
        return _HEAD.pack(self.ts, len(topic), len(self.key), len(headers)) + topic + self.key + headers + self.value


def unpacked(data: bytes) -> Outgoing:
    """Read what `packed` wrote."""
    ts, topic, key, headers = _HEAD.unpack_from(data)
    key_at = _HEAD.size + topic
    headers_at = key_at + key
    value_at = headers_at + headers
    pairs = orjson.loads(data[headers_at:value_at]) if headers else []
    return Outgoing(
        data[_HEAD.size : key_at].decode(),
        data[key_at:headers_at],
        data[value_at:],
        ts,
        tuple((name, value.encode("latin-1")) for name, value in pairs),
    )


@dataclass(frozen=True, eq=False)
class EventRows(Sequence[Outgoing]):
    """Records of `social.events` by columns: a hot loop takes the columns, others one record after the other.

    `stamps` in ms UTC; `size` as the sum of the records' own.
    """

    keys: pa.BinaryArray
    values: pa.BinaryArray
    stamps: NDArray[np.int64]
    size: int

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> Outgoing: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Outgoing]: ...
    def __getitem__(self, at: int | slice) -> Outgoing | Sequence[Outgoing]:
        """Return one record, or some."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return Outgoing(EVENTS, self.keys[at].as_py(), self.values[at].as_py(), int(self.stamps[at]))

    def __iter__(self) -> Iterator[Outgoing]:
        """Go through the records, a column listed at once: scalars of Arrow's take six times as long."""
        keys, values = (column.to_numpy(zero_copy_only=False).tolist() for column in (self.keys, self.values))
        for key, value, ts in zip(keys, values, self.stamps.tolist(), strict=True):
            yield Outgoing(EVENTS, key, value, ts)


@dataclass(frozen=True)
class Batch:
    """Records taken together; `position` is behind them where they came from the spool, `resume` the newest frame's.

    `receipts` are those of the frames that they came from.
    """

    records: Sequence[Outgoing]
    position: Position | None = None
    resume: str = ""
    receipts: Sequence[Receipt] = ()

    @cached_property
    def size(self) -> int:
        """Bytes of all; counted once, since queue and window each ask for it coming and going."""
        if isinstance(self.records, EventRows):
            return self.records.size
        return sum([len(record.key) + len(record.value) for record in self.records])

    @property
    def stamps(self) -> NDArray[np.int64]:
        """The times of the events among them, ms UTC."""
        if isinstance(self.records, EventRows):
            return self.records.stamps
        return np.array([record.ts for record in self.records if record.topic == EVENTS], np.int64)

    def settle(self, reason: str = "") -> None:
        """Settle all receipts: '' for safe, else why they should be sent again."""
        for receipt in self.receipts:
            receipt.settle(Verdict.AGAIN if reason else Verdict.SAFE, reason)
