"""What was replayed before: read whole from its topic, so that no letter goes twice and none for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.avro import LetterReplay, decode_letter_replay
from schemas.topics import DLQ_REPLAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from echopulse.dead_letters.letter import Letter


class Past(NamedTuple):
    """What led to a letter: how often its event was replayed already, and the letter that it began with."""

    attempts: int
    first: str


class History:
    """The replays so far. An event that fails again is a new letter, whose origin is where the replay put it."""

    def __init__(self, replays: Iterable[LetterReplay] = ()) -> None:
        self._by_letter: dict[str, LetterReplay] = {}
        self._by_destination: dict[str, LetterReplay] = {}
        for replay in replays:
            self.add(replay)

    def add(self, replay: LetterReplay) -> None:
        """Take one more."""
        self._by_letter[replay.letter] = replay
        if replay.destination:
            self._by_destination[replay.destination] = replay

    def replayed(self, letter: Letter) -> LetterReplay | None:
        """Return the replay of this very letter, None where it waits."""
        return self._by_letter.get(str(letter.id))

    def past(self, letter: Letter) -> Past:
        """Return what led to a letter."""
        before = self._by_destination.get(letter.content.origin)
        return Past(before.attempt, before.first) if before else Past(0, str(letter.id))

    @property
    def letters(self) -> list[str]:
        """The ids of all letters that were replayed."""
        return list(self._by_letter)


def read_history(bootstrap: str) -> History:
    """Read all replays that are committed. Raises EchoPulseError where the broker or the topic is not there."""
    history = History()
    start, stop = Position(DLQ_REPLAYS, {}), end_position(bootstrap, DLQ_REPLAYS)
    for batch in read_batches(bootstrap, start, stop):
        for message in batch:
            if (value := message.value()) is not None:
                history.add(decode_letter_replay(value))
    return history
