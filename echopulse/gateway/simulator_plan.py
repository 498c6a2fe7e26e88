"""The scenario as rates over time: which component of the stream speaks how often when, and what was planted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from echopulse.gateway.simulator_crowd import campaign_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from echopulse.gateway.scenario import Kind, Scenario


@dataclass(frozen=True)
class Component:
    """One voice of the stream: a channel's calm chatter (`phase` None) or what a phase adds to the channel.

    `rate` is events per second at its height; `from_s` and `until_s` are seconds into the cycle.
    """

    channel: int
    phase: int | None
    rate: float
    from_s: float
    until_s: float
    rising: bool = False


@dataclass(frozen=True)
class PlantedPhase:
    """A phase as it happens in a run: what, where, from `start_ms` until before `end_ms` (UTC), and who took part.

    `accounts` is empty where the channels' own users take part.
    """

    kind: Kind
    channels: tuple[str, ...]
    start_ms: int
    end_ms: int
    target: str
    hashtag: str
    accounts: tuple[str, ...]


def components(scenario: Scenario) -> list[Component]:
    """Return the scenario's components: one a channel, then one for each channel of each phase but calm ones."""
    places = {channel.id: place for place, channel in enumerate(scenario.channels)}
    calm = [Component(place, None, c.rate, 0, scenario.duration_s) for place, c in enumerate(scenario.channels)]
    planted = [
        Component(
            places[name],
            number,
            scenario.channels[places[name]].rate * phase.factor,
            phase.from_s,
            phase.until_s,
            rising=phase.kind == "trend",
        )
        for number, phase in enumerate(scenario.phases)
        if phase.kind != "calm"
        for name in phase.channels
    ]
    return calm + planted


class Rates:
    """How many events each component is to expect in a slice of the cycle, scaled to a mean rate."""

    def __init__(self, scenario: Scenario, parts: list[Component], rate: float | None) -> None:
        """Scale the components so that a whole cycle has `rate` events per second on average (None: as written)."""
        self._from = np.array([part.from_s for part in parts])
        self._until = np.array([part.until_s for part in parts])
        self._height = np.array([part.rate for part in parts])
        self._rising = np.array([part.rising for part in parts])
        places = {channel.id: place for place, channel in enumerate(scenario.channels)}
        self._calm = [
            (places[name], phase.from_s, phase.until_s, phase.factor)
            for phase in scenario.phases
            if phase.kind == "calm"
            for name in phase.channels
        ]
        written = float(self.expected(0, scenario.duration_s)[0].sum()) / scenario.duration_s
        self.mean = written if rate is None else rate
        self._height = self._height * (self.mean / written)
        #: The highest rate of the cycle, a little overestimated: rising phases count in full from their start on.
        self.peak = max(
            float(self._height[(self._from <= moment) & (moment < self._until)].sum()) for moment in set(self._from)
        )

    def expected(self, start_s: float, end_s: float) -> tuple[npt.NDArray[np.float64], ...]:
        """Return each component's expected events in the slice, and from when and how long (s) it speaks in it."""
        first = np.maximum(self._from, start_s)
        last = np.minimum(self._until, end_s)
        length = np.clip(last - first, 0, None)
        share = np.where(self._rising, ((first + last) / 2 - self._from) / (self._until - self._from), 1)
        events = self._height * length * share
        for place, from_s, until_s, factor in self._calm:
            calm_s = max(0.0, min(until_s, end_s) - max(from_s, start_s))
            events[place] += self._height[place] * (factor - 1) * calm_s
        return np.clip(events, 0, None), first, length


def ground_truth(scenario: Scenario, *, start_ms: int, duration_s: float) -> list[PlantedPhase]:
    """Return the phases planted in a run of `duration_s` seconds that starts at `start_ms`, earliest first.

    A phase that the end of the run cuts off ends there.
    """
    return sorted(_planted(scenario, start_ms, duration_s), key=lambda planted: (planted.start_ms, planted.end_ms))


def _planted(scenario: Scenario, start_ms: int, duration_s: float) -> Iterator[PlantedPhase]:
    for cycle in range(math.ceil(duration_s / scenario.duration_s)):
        begin = cycle * scenario.duration_s
        for number, phase in enumerate(scenario.phases):
            if begin + phase.from_s < duration_s:
                yield PlantedPhase(
                    kind=phase.kind,
                    channels=tuple(phase.channels),
                    start_ms=start_ms + round((begin + phase.from_s) * 1_000),
                    end_ms=start_ms + round(min(begin + phase.until_s, duration_s) * 1_000),
                    target=phase.target,
                    hashtag=phase.hashtag,
                    accounts=tuple(campaign_accounts(scenario, number)),
                )
