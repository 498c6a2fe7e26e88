"""The simulator's users: a population for each channel, and the accounts that a raid, a brigade or a spammer brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.gateway.scenario import CAMPAIGN_ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from echopulse.gateway.scenario import Scenario
    from echopulse.gateway.simulator_plan import Component

# fmt: off
_ADJECTIVES = [
    "sleepy", "brave", "tiny", "cosmic", "salty", "lucky", "quiet", "neon", "fuzzy", "rapid",
    "silver", "crispy", "gentle", "wild", "dusty", "mellow", "sunny", "frosty", "clever", "rusty",
    "spicy", "calm", "misty", "bold", "jolly", "hazy", "swift", "amber", "grumpy", "pixel",
]
# fmt: on
# fmt: off
_NOUNS = [
    "otter", "falcon", "waffle", "comet", "badger", "noodle", "wizard", "panda", "cactus", "lantern",
    "mango", "raven", "turtle", "biscuit", "fox", "pickle", "moth", "walrus", "pirate", "kettle",
    "gecko", "turnip", "heron", "marble", "yeti", "cobra", "teapot", "lynx", "acorn", "sparrow",
]
# fmt: on

#: A platform's users belong to several of its channels: the pool is that much larger than its largest channel.
_POOL_FACTOR = 2
#: A prime: it walks the whole of a pool that it does not divide, so that ranks and names have nothing in common.
_STRIDE = 7_919
_MENTIONED = 50


class Crowd:
    """Who may speak in each component: a range of a table of user ids, ranked from the most active on."""

    def __init__(self, scenario: Scenario, components: Sequence[Component]) -> None:
        """Name the users of every channel and the accounts of every campaign."""
        self._names: list[str] = []
        self._ranges = np.zeros((len(components), 2), np.int64)
        self._ranked = np.ones(len(components), bool)
        populations = [self._add(population(scenario, place)) for place in range(len(scenario.channels))]
        campaigns = [self._add(campaign_accounts(scenario, place)) for place in range(len(scenario.phases))]
        for place, component in enumerate(components):
            self._ranges[place] = populations[component.channel]
            if component.phase is not None and campaigns[component.phase][1]:
                self._ranges[place] = campaigns[component.phase]
                self._ranked[place] = False
        self.names = pa.array(self._names, pa.string())

    def draw(self, component: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Draw one row of `names` for each row: rank k of a population with weight log(1 + 1/k), near Zipf's 1/k.

        By inversion, floor((n + 1)^u) for a uniform u. The accounts of a campaign are drawn evenly.
        """
        start, count = self._ranges[component].T
        uniform = rng.random(len(component))
        ranked = np.power(count + 1.0, uniform).astype(np.int64) - 1
        even = (uniform * count).astype(np.int64)
        rank = np.where(self._ranked[component], ranked, even)
        row: npt.NDArray[np.int64] = start + np.minimum(rank, count - 1)
        return row

    def _add(self, names: list[str]) -> tuple[int, int]:
        start = len(self._names)
        self._names.extend(names)
        return start, len(names)


def population(scenario: Scenario, place: int, first: int | None = None) -> list[str]:
    """Return the user ids of the channel at `place`, the most active first; a platform's channels share users."""
    channel = scenario.channels[place]
    largest = max(other.population for other in scenario.channels if other.platform == channel.platform)
    pool = _POOL_FACTOR * largest
    while pool % _STRIDE == 0:
        pool += 1
    ranks = np.arange(min(first or channel.population, channel.population))
    seats = (ranks * _STRIDE + place * largest // 3) % pool
    return [f"{channel.platform}-{_name(seat)}" for seat in seats.tolist()]


def mentions(scenario: Scenario, place: int) -> list[str]:
    """Return how the most active users of the channel at `place` are addressed."""
    prefix = f"{scenario.channels[place].platform}-"
    return [f"@{user.removeprefix(prefix)}" for user in population(scenario, place, _MENTIONED)]


def campaign_accounts(scenario: Scenario, place: int) -> list[str]:
    """Return the accounts of the phase at `place`, seen nowhere else; none where the channels' own users take part."""
    phase = scenario.phases[place]
    count = phase.accounts or CAMPAIGN_ACCOUNTS.get(phase.kind, 0)
    return [f"{phase.kind}{place}-{_name(seat)}" for seat in range(count)]


def _name(seat: int) -> str:
    adjective = _ADJECTIVES[seat % len(_ADJECTIVES)]
    noun = _NOUNS[seat // len(_ADJECTIVES) % len(_NOUNS)]
    return f"{adjective}{noun}{seat}"
