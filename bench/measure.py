"""Figures: medians of repeated runs, and how they compare with a peer."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Figure:
    """One thing measured: the value of each run in `unit`, and what it is held against, for instance '3.2 x (b)'."""

    what: str
    runs: tuple[float, ...]
    unit: str
    against: str = ""

    def __post_init__(self) -> None:
        """Refuse a figure that was never measured."""
        if not self.runs:
            raise ValueError(f"'{self.what}' has no run")

    @property
    def median(self) -> float:
        """The median over the runs."""
        return statistics.median(self.runs)


@dataclass(frozen=True)
class Section:
    """One bench: its figures, how they were taken, and what a reader should know before quoting them."""

    name: str
    title: str
    method: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Seconds of one call: on the wall, and of CPU in this process, all threads."""

    wall: float
    cpu: float


def repeated(call: Callable[[], object], runs: int, *, warm: bool = True) -> list[Cost]:
    """Time `runs` calls, after one that is not counted where `warm`."""
    if warm:
        call()
    return [timed(call) for _ in range(runs)]


def timed(call: Callable[[], object]) -> Cost:
    """Time one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def rates(amount: int, seconds: Sequence[float]) -> tuple[float, ...]:
    """Return amounts per second, one for each run."""
    return tuple(amount / each for each in seconds)


def ratio(figure: Figure, peer: Figure) -> float:
    """Return how many times the peer's median the figure's is. Raises ValueError where the units differ."""
    if figure.unit != peer.unit:
        raise ValueError(f"'{figure.what}' is in {figure.unit} and '{peer.what}' in {peer.unit}")
    return figure.median / peer.median
