"""A replay: letters that wait are tried again and written back in batches, each letter through exactly once."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from echopulse.dead_letters.counts import Counts
from echopulse.dead_letters.history import History, read_history
from echopulse.dead_letters.letter import LetterId
from echopulse.dead_letters.mending import Failing, try_again
from echopulse.dead_letters.reading import first_offsets, read_letters, span
from echopulse.dead_letters.transactions import ReplayTransactions
from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.event_time import TimeRange
from schemas.avro import LetterReplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from echopulse.dead_letters.letter import Letter
    from echopulse.dead_letters.mending import Mended, Trial
    from echopulse.dead_letters.selection import Selection
    from echopulse.job.topic_reader import Position

#: A batch of a transaction: short, for readers of social.events wait until it is committed.
_BATCH_LETTERS = 500
_BATCH_BYTES = 16 * 1024 * 1024
#: So many letters that still fail are named.
SHOWN_FAILING = 20


class ReplayProgress(NamedTuple):
    """How far a replay is: letters replayed, letters that still fail, and the share of the topic, 0 to 1."""

    replayed: int
    failing: int
    share: float


@dataclass
class ReplayOutcome:
    """What became of the letters that were asked for; with `dry_run` what would become of them.

    `replayed` went to social.events; `filtered` are left out by their mapping by now; `still_failing` would fail
    again, as `reasons` counts by stage and kind of reason and `examples` names; `given_up` failed as often as they
    may; `done_before` were replayed earlier. Times of the events in ms UTC.
    """

    dry_run: bool
    replayed: int = 0
    filtered: int = 0
    still_failing: int = 0
    given_up: int = 0
    done_before: int = 0
    first_ts_ms: int | None = None
    last_ts_ms: int | None = None
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    examples: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0


def replay_letters(
    bootstrap: str,
    selection: Selection,
    *,
    most_attempts: int,
    mapping: str = "",
    dry_run: bool = False,
    on_progress: Callable[[ReplayProgress], None] = lambda _: None,
) -> ReplayOutcome:
    """Replay the letters of a selection that were on the topic when it began.

    An event's record bears the event's own time. A letter whose event failed `most_attempts` replays stays, and so
    does one that would fail again as things are. `mapping` replaces the one that frames were mapped by. Killed at any
    moment it leaves each letter either replayed or waiting, and another replay goes on. Raises EchoPulseError.
    """
    run = _Run(most_attempts, mapping, ReplayOutcome(dry_run), on_progress)
    started = time.monotonic()
    if dry_run:
        run.go(bootstrap, selection, None)
    else:
        # It ends what an earlier replay left open: only after that is its history complete.
        with closing(ReplayTransactions(bootstrap)) as transactions:
            run.go(bootstrap, selection, transactions)
    run.outcome.seconds = round(time.monotonic() - started, 3)
    run.outcome.reasons = run.counts.told()
    return run.outcome


@dataclass
class _Run:
    most_attempts: int
    mapping: str
    outcome: ReplayOutcome
    on_progress: Callable[[ReplayProgress], None]
    counts: Counts = field(default_factory=Counts)
    history: History = field(default_factory=History)

    def go(self, bootstrap: str, selection: Selection, transactions: ReplayTransactions | None) -> None:
        self.history = read_history(bootstrap)
        if transactions is not None:
            self._forget_gone(bootstrap, transactions)
        start, stop = span(bootstrap, selection.since_ms)
        for letters in _batches(read_letters(bootstrap, start, stop)):
            waiting = [letter for letter in letters if selection.holds(letter) and self._waits(letter)]
            if waiting:
                self._replay(try_again(waiting, TimeRange.around(now_ms()), self.mapping), transactions)
            self._tell(letters[-1], start, stop)

    def _forget_gone(self, bootstrap: str, transactions: ReplayTransactions) -> None:
        first = first_offsets(bootstrap)
        ids = [LetterId.parse(letter) for letter in self.history.letters]
        gone = [str(each) for each in ids if each.offset < first.get(each.partition, 0)]
        for begin in range(0, len(gone), _BATCH_LETTERS):
            transactions.forget(gone[begin : begin + _BATCH_LETTERS])

    def _waits(self, letter: Letter) -> bool:
        if self.history.replayed(letter):
            self.outcome.done_before += 1
            return False
        if self.history.past(letter).attempts >= self.most_attempts:
            self.outcome.given_up += 1
            return False
        return True

    def _replay(self, trial: Trial, transactions: ReplayTransactions | None) -> None:
        if transactions is not None and (trial.mended or trial.filtered):
            filtered = [self._note(letter, "filtered", "") for letter in trial.filtered]
            for note in transactions.write(trial.mended, self._noted, filtered):
                self.history.add(note)
        outcome = self.outcome
        outcome.replayed += len(trial.mended)
        outcome.filtered += len(trial.filtered)
        outcome.still_failing += len(trial.failing)
        for failing in trial.failing:
            self.counts.add(failing.stage, failing.reason)
        room = SHOWN_FAILING - len(outcome.examples)
        outcome.examples += [_example(failing) for failing in islice(trial.failing, room)]
        times = [event.ts_ms for event in trial.mended]
        if times:
            outcome.first_ts_ms = min([*times, *_known(outcome.first_ts_ms)])
            outcome.last_ts_ms = max([*times, *_known(outcome.last_ts_ms)])

    def _noted(self, event: Mended, destination: str) -> LetterReplay:
        return self._note(event.letter, "sent", destination)

    def _note(self, letter: Letter, outcome: str, destination: str) -> LetterReplay:
        past = self.history.past(letter)
        return LetterReplay(str(letter.id), past.first, past.attempts + 1, outcome, destination, now_ms())

    def _tell(self, letter: Letter, start: Position, stop: Position) -> None:
        first, last = start.offsets[letter.id.partition], stop.offsets[letter.id.partition]
        share = (letter.id.offset + 1 - first) / max(1, last - first)
        self.on_progress(ReplayProgress(self.outcome.replayed, self.outcome.still_failing, min(1.0, share)))


def _batches(read: Iterator[list[Letter]]) -> Iterator[list[Letter]]:
    """Cut what is read into batches that are small in number and bytes."""
    batch: list[Letter] = []
    size = 0
    for letters in read:
        for letter in letters:
            batch.append(letter)
            size += len(letter.content.original)
            if len(batch) >= _BATCH_LETTERS or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _known(value: int | None) -> Sequence[int]:
    return () if value is None else (value,)


def _example(failing: Failing) -> dict[str, str]:
    return {"id": str(failing.letter.id), "stage": failing.stage, "reason": failing.reason}
