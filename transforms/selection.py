"""Which strategies score: one active for each kind of analysis, others in shadow, each found and opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact
from transforms.discovery import discover
from transforms.kinds import declared_kind
from transforms.strategy import Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from transforms.discovery import Catalogue
    from transforms.kinds import Kind
    from transforms.strategy import Strategy

    Opened = list[tuple[Kind, Strategy]]

#: What is analysed where the settings name nothing else.
DEFAULT_STRATEGIES = {
    "sentiment": "bag",
    "toxicity": "bag",
    "stance": "bag",
    "entities": "aliases",
    "cluster": "signature",
}


@dataclass(frozen=True)
class Selection:
    """The strategies by name, and what they are opened with.

    `strategies` maps kind to name and goes before DEFAULT_STRATEGIES; `shadow` maps kind to the names of those that
    score beside it; `paths` are folders with strategies of the user's own; `model` is the artifact, by name or folder;
    `options` are for all strategies of a kind, or for one alone under `kind/name`, which goes before.
    """

    strategies: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[Path] = ()
    model: str = "default"
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shadow: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def open(self) -> tuple[Opened, Opened]:
        """Find and open the active strategies, one a kind, and those in shadow.

        Raises EchoPulseError where one is unknown, cannot open, or has no active one of its kind to stand beside.
        """
        catalogue = discover(self.paths)
        names = DEFAULT_STRATEGIES | dict(self.strategies)
        active = [self._opened(catalogue, kind, name) for kind, name in names.items()]
        shadow = []
        for kind, candidates in self.shadow.items():
            for name in candidates:
                if names.get(kind) == name:
                    raise EchoPulseError(f"'{name}' is the active strategy for {kind}", "`shadow` names others")
                if kind not in names:
                    raise EchoPulseError(
                        f"'{name}' for {kind} has no active strategy to stand beside", f"name one in strategies.{kind}"
                    )
                shadow.append(self._opened(catalogue, kind, name))
        return active, shadow

    def active_options(self, kind: str) -> dict[str, str]:
        """Return the options of the active strategy of a kind."""
        names = DEFAULT_STRATEGIES | dict(self.strategies)
        return options_of(self.options, kind, names.get(kind, ""))

    def _opened(
        self, catalogue: Catalogue, kind: str, name: str, opening: tuple[str, ...] = ()
    ) -> tuple[Kind, Strategy]:
        chain = (*opening, name)
        if name in opening:
            raise EchoPulseError(f"strategies for {kind} open each other in a circle: {' → '.join(chain)}")
        strategy = catalogue.create(kind, name)
        another = partial(self._another, catalogue, kind, chain)
        strategy.open(Context(find_artifact(self.model), options_of(self.options, kind, name), another))
        return declared_kind(kind, strategy.type), strategy

    def _another(self, catalogue: Catalogue, kind: str, opening: tuple[str, ...], name: str) -> Strategy:
        return self._opened(catalogue, kind, name, opening)[1]


def options_of(options: Mapping[str, Mapping[str, str]], kind: str, name: str) -> dict[str, str]:
    """Return one strategy's options: those of its kind, and those under `kind/name`, which go before."""
    return {**options.get(kind, {}), **options.get(f"{kind}/{name}", {})}
