"""How each component of the stream talks: the scenario's moods and phases as voices over the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.gateway.simulator_crowd import mentions
from echopulse.gateway.simulator_texts import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from echopulse.gateway.scenario import Kind, Scenario
    from echopulse.gateway.simulator_plan import Component

#: Shares of the registers while something is planted.
_SHARES: dict[Kind, Mapping[str, float]] = {
    "hype": {"hype": 0.8, "friendly": 0.2},
    "raid": {"raid": 1.0},
    "brigading": {"brigading": 0.85, "toxic": 0.15},
    "spam": {"spam": 1.0},
    "trend": {"trend": 1.0},
}
#: A raid's messages are alike and a spammer's are the same: only so many templates are in use.
_VARIANTS: dict[Kind, int] = {"raid": 3, "spam": 2}
_DEFAULT_LINK = "https://gifts.example/claim"


def voices(scenario: Scenario, parts: Sequence[Component]) -> list[Voice]:
    """Return one voice a component."""
    mentioned = [mentions(scenario, place) for place in range(len(scenario.channels))]
    return [_voice(scenario, part, mentioned[part.channel]) for part in parts]


def _voice(scenario: Scenario, part: Component, mentioned: list[str]) -> Voice:
    channel = scenario.channels[part.channel]
    words = {"entity": channel.entities, "hashtag": channel.hashtags, "mention": mentioned}
    if part.phase is None:
        return Voice(channel.language, channel.mood.model_dump(), words)
    phase = scenario.phases[part.phase]
    planted = {"target": [phase.target], "trend": [phase.hashtag], "link": [phase.link or _DEFAULT_LINK]}
    return Voice(
        channel.language,
        _SHARES[phase.kind],
        words | {slot: texts for slot, texts in planted.items() if texts[0]},
        messages={phase.kind: phase.messages} if phase.messages else {},
        variants=_VARIANTS.get(phase.kind, 0),
        turn=part.phase,
    )
