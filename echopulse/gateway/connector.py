"""The contract of a connector: what it declares, and the frames that it yields."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from echopulse.gateway.receipt import Receipt
    from echopulse.gateway.source import Limits


class Options(BaseModel):
    """What a source of this connector may set; a field of type SecretStr is read from `env:NAME` or `file:PATH` only.

    `mapping` says how its frames become events: a file, or a packaged mapping by its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapping: str = ""


O = TypeVar("O", bound=Options)  # noqa: E741 the letter of its bound


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an event that the connector read itself; `ts_ms` in ms UTC, no `source` means the connector."""

    id: str
    ts_ms: int
    channel: str
    user: str
    meta: dict[str, str] = field(default_factory=dict)
    source: str = ""


class Arrival(NamedTuple):
    """One frame as its bytes, kept whole as the payload.

    `fault` says why it could not be taken whole: it becomes a dead letter. `resume` is what `arrivals` is given to go
    on behind this frame, after a lost connection or in the next process. Without `fields` the mapping reads the frame.
    `receipt` is settled when the arrival is in Kafka or in the synced spool: await it elsewhere than in `arrivals`.
    """

    data: bytes
    resume: str = ""
    fault: str = ""
    fields: Fields | None = None
    receipt: Receipt | None = None


class Connector(ABC, Generic[O]):
    """A way in from one platform: a subclass declares the class variables and writes `address` and `arrivals`.

    `pausable`: the platform waits while it is not read (TCP stops reading); events of others go to the disk spool.
    `resumable`: `arrivals` can go on behind an earlier frame. `kinds` are those that it can give.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    pausable: ClassVar[bool]
    resumable: ClassVar[bool] = False
    options: ClassVar[type[Options]]

    def __init__(self, chosen: O, limits: Limits) -> None:
        """Keep the options and bounds; raises UsageError for options that cannot work together. Connects to nothing."""
        self.chosen, self.limits = chosen, limits
        #: Counted up by one that is told, or sees by numbers, that the platform could not go on behind `resume`.
        self.gaps = 0

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it connects to, without secrets."""

    @abstractmethod
    def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Connect once and yield frames until the connection ends; go on behind `resume` where that is not empty.

        Raises ConnectionLostError for what another attempt may mend (with the wait that the server asks for),
        StreamEndedError where there is no more, EchoPulseError for what a person must mend.
        """

    async def bursts(self, resume: str) -> AsyncGenerator[Sequence[Arrival], None]:
        """Yield what `arrivals` does, those that came at once together; for a library that tells, which saves turns."""
        async with aclosing(self.arrivals(resume)) as arrivals:
            async for arrival in arrivals:
                yield [arrival]
