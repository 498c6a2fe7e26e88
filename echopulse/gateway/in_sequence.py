"""Messages that come out of their order now and then, let on in it."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class InSequence(Generic[T]):
    """Lets items on by ascending number, each once; what comes early is held.

    A durable consumer delivers again, after a while, what was lost with a connection or with its reader, and what is
    newer comes meanwhile. How much is held is bounded by what the consumer may deliver unacknowledged.
    """

    def __init__(self, behind: int) -> None:
        """Begin with the number that follows `behind`."""
        self._next = behind + 1
        self._held: dict[int, T] = {}

    def __len__(self) -> int:
        """How many are held."""
        return len(self._held)

    def add(self, number: int, item: T) -> bool:
        """Take an item; False where it was let on before. One that is held already is replaced."""
        if number < self._next:
            return False
        self._held[number] = item
        return True

    def ready(self) -> list[T]:
        """Let on what follows without a gap."""
        found: list[T] = []
        while self._next in self._held:
            found.append(self._held.pop(self._next))
            self._next += 1
        return found

    def all_held(self) -> list[T]:
        """Let everything on: for when it is known that nothing else is on its way, so that the gaps are deletions."""
        numbers = sorted(self._held)
        found = [self._held.pop(number) for number in numbers]
        if numbers:
            self._next = numbers[-1] + 1
        return found
