"""Rows of a file as they were read: columns of events, not yet judged, with the way back to the original bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Position of a row in its batch -> the stage that failed and the reason.
Faults = dict[int, tuple[str, str]]

#: The fields of a SocialEvent in its JSON form, in the order of `READ`.
FIELDS = ("id", "ts", "source", "channel", "user", "raw", "meta")
#: Without these a row cannot be an event; a file in columns must have them.
REQUIRED_FIELDS = ("id", "ts", "channel", "raw")

METADATA = pa.map_(pa.string(), pa.string())

#: A batch as read: every field may be null, `ts` is in ms UTC.
READ = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("ts", pa.int64()),
        pa.field("source", pa.string()),
        pa.field("channel", pa.string()),
        pa.field("user", pa.string()),
        pa.field("raw", pa.binary()),
        pa.field("meta", METADATA),
    ]
)


@dataclass(frozen=True)
class Rows:
    """A batch of rows in schema READ.

    `numbers[i]` is the line (or row, from 1) of row i in its file and `original(i)` its bytes there;
    `faults` names the rows that could not be read, whose columns hold what could; `header` are the columns of a file
    whose rows do not name them.
    """

    columns: pa.RecordBatch
    numbers: Sequence[int]
    original: Callable[[int], bytes]
    faults: Faults
    header: tuple[str, ...] = ()
