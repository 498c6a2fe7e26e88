"""A dead letter as it lies on its topic: where it is, what it holds, how its original is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.errors import UsageError
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from echopulse.gateway.original_form import OriginalForm
    from schemas.avro import DeadLetter

#: Every stage that writes dead letters, on an event's way: the gateway's own first, then those of the job.
STAGES = ("parse", "validate", "time", "produce", "decode", "extract", "analyse")
#: What stands for the stage of a record on the topic that is no dead letter.
NO_LETTER = "unreadable"

_ID = re.compile(rf"(?:{re.escape(DLQ)}-)?(\d+)-(\d+)")


class LetterId(NamedTuple):
    """A letter's place on its topic, which never changes and is never given again."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{DLQ}-{self.partition}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> LetterId:
        """Read `social.dlq-PARTITION-OFFSET`, or the two numbers alone. Raises UsageError."""
        found = _ID.fullmatch(text)
        if not found:
            raise UsageError(
                f"'{text}' is not the id of a dead letter", f"like {DLQ}-0-17; `echopulse dlq ls` has them"
            )
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True)
class Letter:
    """A dead letter with its id; `form` says how its original is read, None for a SocialEvent and where unknown."""

    id: LetterId
    content: DeadLetter
    form: OriginalForm | None = None

    @property
    def is_event(self) -> bool:
        """Whether the original is a SocialEvent: it was on Kafka, or on its way there."""
        return self.content.origin == EVENTS or self.content.origin.startswith(f"{EVENTS}/")
