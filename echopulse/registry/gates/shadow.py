"""Agreement in shadow: what the model said of live events, beside what the champion said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from schemas.errors import EchoPulseError
from schemas.topics import SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.registry.gates.gate import Case
    from echopulse.settings import Settings

#: How far back the topic is read for each event that is wanted: other kinds and other models are in it too.
_BACK = 20
_MOST = 2_000_000
#: Which kind of analysis speaks for a task.
_KINDS = {"sentiment": "sentiment", "toxicity": "toxicity", "offensive": "toxicity", "hate": "toxicity"}


class ShadowAgreement(Gate):
    """The share of the newest `events` that the model scored in shadow on which it said what the champion said."""

    name: ClassVar[str] = "shadow_agreement"
    events: int = Field(ge=1, le=100_000)
    least: float = Field(gt=0, le=1)

    def check(self, case: Case) -> Finding:
        """Read the topic from its end."""
        kind = _KINDS.get(case.task, case.task)
        wanted = (
            (record["label"], record["active_label"])
            for record in _newest(case.settings, min(self.events * _BACK, _MOST))
            if record["kind"] == kind and record["model"] == case.model.digest
        )
        said = [pair for pair, _ in zip(wanted, range(self.events), strict=False)]
        if len(said) < self.events:
            raise EchoPulseError(
                f"{SHADOW} holds {len(said)} events that {case.model.digest[:19]} scored of {kind}",
                f"{self.events} are wanted; let it score in shadow for longer",
            )
        share = sum(own == active for own, active in said) / len(said)
        told = f"agrees on {100 * share:.1f} % of {len(said):,} events; {100 * self.least:g} % are wanted"
        return Finding(share >= self.least, told, {"agreement": share, "events": float(len(said))})


def _newest(settings: Settings, most: int) -> Iterator[dict[str, Any]]:
    """Yield the topic's newest records, the newest batch first."""
    # Kafka's client is not needed where no model scores in shadow.
    from echopulse.job.topic_reader import Position, end_position, read_batches  # noqa: PLC0415
    from schemas.avro import decode_shadow  # noqa: PLC0415

    stop = end_position(settings.kafka.bootstrap, SHADOW)
    each = -(-most // max(len(stop.offsets), 1))
    start = Position(SHADOW, {partition: max(0, offset - each) for partition, offset in stop.offsets.items()})
    batches = list(read_batches(settings.kafka.bootstrap, start, stop))
    for batch in reversed(batches):
        for message in reversed(batch):
            yield decode_shadow(message.value() or b"")
