"""What a strategy is: one kind of analysis, a batch of texts at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from schemas.arrow import EVENT
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: What a strategy is given: the event's own columns, and its text three times: `text` composed (Unicode NFKC),
#: `folded` that in lower case, `normalised` cleaned for models. Every row has text, at most 4,096 characters of it;
#: nothing is null. `key` tells equal normalised texts, `signature` texts equal in their letters; `language` is an
#: ISO 639-1 code, 'und' where it cannot be told.
TEXTS = pa.schema(
    [
        *(EVENT.field(name) for name in ("id", "ts", "source", "channel_id", "user_id", "metadata")),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("folded", pa.string(), nullable=False),
        pa.field("normalised", pa.string(), nullable=False),
        pa.field("key", pa.int64(), nullable=False),
        pa.field("signature", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
    ]
)


def _none_beside(name: str) -> Strategy:
    raise EchoPulseError(f"no strategy '{name}' can be opened here", "strategies find each other in the job only")


@dataclass(frozen=True)
class Context:
    """What a strategy may use when it opens: its model's artifact (a folder), its options, others of its kind.

    `another` opens another strategy of the same kind by its name.
    """

    artifact: Path
    options: Mapping[str, str] = field(default_factory=dict)
    another: Callable[[str], Strategy] = _none_beside


class Strategy(ABC):
    """One way to do one kind of analysis. A subclass declares `kind`, `name` and `type`, and analyses batches.

    A row's result depends on that row alone, never on the others of its batch: so a replay gives what the stream gave.
    `languages` are the ISO 639-1 codes of those it can read, None for any; they may be set in `open`. It is not given
    texts that are known to be in another one, which count as abstained.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    type: ClassVar[pa.DataType]
    languages: tuple[str, ...] | None = None

    def open(self, context: Context) -> None:  # noqa: B027 - a strategy without a model has nothing to open
        """Load what is needed, once a worker; raises EchoPulseError where that cannot be."""

    def ready(self) -> bool:
        """Say whether it answers the next batch: one in shadow may have nothing to say for a while. Never raises."""
        return True

    def close(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back what `open` took, when the worker ends."""

    @abstractmethod
    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Analyse a batch in schema TEXTS: one value of `type` a row, none null. What it raises is told of its rows."""
