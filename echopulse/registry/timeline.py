"""The timeline of a task: which digest scores the events of which time. Steps are only ever added to it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Event times, in ms since 1970, of the first entry: it is valid from the beginning of time.
BEGINNING = 0


@dataclass(frozen=True)
class Step:
    """A change as it was written: `number` counts the steps of a task, `after` is the one that its writer knew last.

    Of several that know the same last one, the first counts and the others are void: nobody decided on them.
    """

    number: int
    after: int
    digest: str
    valid_from_ms: int
    kind: Literal["promotion", "rollback"]
    by: str = ""
    written_ms: int = 0
    verdict: str = field(default="", repr=False)


@dataclass(frozen=True)
class Timeline:
    """What the valid steps come to: `entries` by rising valid-from, and the number of the last step."""

    steps: tuple[Step, ...]
    entries: tuple[Step, ...]

    @property
    def position(self) -> int:
        """The number of the last step that counts, 0 where there is none."""
        return self.steps[-1].number if self.steps else 0

    def at(self, event_ms: int) -> Step | None:
        """Return the entry that scores events of an instant, None before any step."""
        place = bisect_right([entry.valid_from_ms for entry in self.entries], event_ms)
        return self.entries[place - 1] if place else None

    @property
    def last(self) -> Step | None:
        """The entry that holds in the end."""
        return self.entries[-1] if self.entries else None

    @property
    def previous(self) -> Step | None:
        """The champion that the last one followed, which a rollback goes back to; None where it was the first.

        A champion that was rolled back is not one to go back to.
        """
        standing: list[Step] = []
        for entry in self.entries:
            if entry.kind == "rollback":
                while standing and standing[-1].digest != entry.digest:
                    standing.pop()
            if not standing or standing[-1].digest != entry.digest:
                standing.append(entry)
        return standing[-2] if len(standing) > 1 else None


def fold(steps: Iterable[Step]) -> Timeline:
    """Tell void steps from those that count, and lay these out: a later step holds from its valid-from on.

    So a rollback also takes back a promotion that was set for later.
    """
    counted: list[Step] = []
    for step in sorted(steps, key=lambda one: one.number):
        if step.after == (counted[-1].number if counted else 0):
            counted.append(step)
    entries: list[Step] = []
    for step in counted:
        entries = [entry for entry in entries if entry.valid_from_ms < step.valid_from_ms]
        entries.append(step)
    return Timeline(tuple(counted), tuple(entries))


def is_void(step: int, timeline: Timeline) -> bool:
    """Say whether a step that was written does not count."""
    return step not in {one.number for one in timeline.steps}


def changes(entries: Sequence[Step]) -> list[tuple[int, str]]:
    """Return (valid from in ms, digest) of the entries, as who scores reads it."""
    return [(entry.valid_from_ms, entry.digest) for entry in entries]
