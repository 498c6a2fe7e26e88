"""The written scenario of the simulator: communities, what they talk about, and what is planted in them when."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from echopulse.gateway.declaration import parse_declaration, read_declaration
from schemas.errors import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["calm", "hype", "raid", "brigading", "spam", "trend"]
Platform = Literal["twitch", "discord", "slack", "x", "youtube", "bluesky", "mastodon"]
Language = Literal["en", "es", "de", "fr"]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0)]

#: How many accounts take part where a phase does not say; the other kinds draw from the channel's own population.
CAMPAIGN_ACCOUNTS: dict[str, int] = {"raid": 400, "brigading": 60, "spam": 5}


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mood(_Part):
    """How a channel talks when nothing is planted: shares of the three registers, in any scale."""

    friendly: Share = 0.5
    neutral: Share = 0.4
    toxic: Share = 0.1

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.friendly + self.neutral + self.toxic <= 0:
            raise ValueError("one of friendly, neutral and toxic must be above 0")
        return self


class Channel(_Part):
    """A channel: its platform, its number of users, its calm rate in events per second, its language and topics."""

    id: Annotated[str, Field(min_length=1)]
    platform: Platform
    population: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    rate: Positive = 10.0
    language: Language = "en"
    mood: Mood = Mood()
    entities: Annotated[list[str], Field(min_length=1)]
    hashtags: Annotated[list[str], Field(min_length=1)]


class Phase(_Part):
    """What happens from `from` until `until` (seconds into a cycle) in some channels, beside their calm chatter.

    `factor` times a channel's calm rate is added at the phase's height (for `calm`: the rate is multiplied by it).
    A trend rises from nothing to its height, the others keep it. `target` is whom a brigade is after, `hashtag` the
    trend's, `accounts` how many take part; `messages` replaces the vocabulary's templates.
    """

    kind: Kind
    channels: Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
    from_s: Annotated[float, Field(alias="from", ge=0)]
    until_s: Annotated[float, Field(alias="until", gt=0)]
    factor: Positive = 1.0
    target: str = ""
    hashtag: str = ""
    link: str = ""
    accounts: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    messages: list[str] = []

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.until_s <= self.from_s:
            raise ValueError(f"until ({self.until_s:g}) must come after from ({self.from_s:g})")
        for kind, key in (("brigading", "target"), ("trend", "hashtag")):
            if self.kind == kind and not getattr(self, key):
                raise ValueError(f"a {kind} phase needs a {key}")
        return self


class Scenario(_Part):
    """Channels and phases; a cycle of `duration` seconds repeats for as long as the simulator runs."""

    name: str
    duration_s: Annotated[float, Field(alias="duration", gt=0, le=604_800)]
    channels: Annotated[list[Channel], Field(min_length=1)]
    phases: list[Phase] = []

    @model_validator(mode="after")
    def _phases_fit(self) -> Self:
        known = [channel.id for channel in self.channels]
        repeated = {name for name in known if known.count(name) > 1}
        if repeated:
            raise ValueError(f"channel {min(repeated)!r} is declared twice")
        for place, phase in enumerate(self.phases):
            for name in phase.channels:
                if name not in known:
                    raise ValueError(f"phases[{place}].channels: no channel {name!r}; {did_you_mean(name, known)}")
            if phase.until_s > self.duration_s:
                end = f"the end of the cycle ({self.duration_s:g})"
                raise ValueError(f"phases[{place}].until is {phase.until_s:g}, after {end}")
        return self

    def channel(self, name: str) -> Channel:
        """Return the channel with this id. Raises KeyError."""
        return {channel.id: channel for channel in self.channels}[name]


def load_scenario(path: Path | None = None) -> Scenario:
    """Read a scenario file, or the packaged default. Raises EchoPulseError naming file, key, value and near miss."""
    if path is not None:
        return read_declaration(path, Scenario)
    packaged = files("echopulse.gateway") / "scenarios" / "default.yaml"
    return parse_declaration(packaged.read_text(encoding="utf-8"), Scenario, "scenarios/default.yaml")
