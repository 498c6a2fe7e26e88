"""The ids seen last, as many as there is room for."""

from __future__ import annotations


class RecentIds:
    """Knows the `most` ids that were added last; an id that is asked for does not become younger."""

    def __init__(self, most: int) -> None:
        """Begin empty."""
        self._most = most
        self._ids: dict[str, None] = {}

    def add(self, name: str) -> bool:
        """Add an id; False where it is known."""
        if name in self._ids:
            return False
        self._ids[name] = None
        if len(self._ids) > self._most:
            # The oldest: a dictionary keeps the order of insertion.
            del self._ids[next(iter(self._ids))]
        return True
