"""Find strategies: those that ship, those of installed packages, those in folders that the settings name."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError, did_you_mean
from transforms import strategies
from transforms.kinds import KINDS, declared_kind
from transforms.plugin_module import declared_in, fault_of, load_module, place_of, plugin_files
from transforms.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import ModuleType

ENTRY_POINTS = "echopulse.strategies"


@dataclass(frozen=True)
class Catalogue:
    """The strategies found, by kind and name."""

    strategies: dict[tuple[str, str], type[Strategy]]

    def create(self, kind: str, name: str) -> Strategy:
        """Create a strategy; raises EchoPulseError naming the nearest one where there is none of that name."""
        found = self.strategies.get((kind, name))
        if found is None:
            known = [other for own_kind, other in self.strategies if own_kind == kind]
            kinds = {own_kind for own_kind, _ in self.strategies} | KINDS.keys()
            hint = did_you_mean(name, known) if known else f"no strategy of this kind; {did_you_mean(kind, kinds)}"
            raise EchoPulseError(f"no strategy '{name}' for {kind}", hint)
        return found()


def discover(folders: Iterable[Path] = ()) -> Catalogue:
    """Find all strategies; raises EchoPulseError naming file and line of one that cannot be loaded or used."""
    found: dict[tuple[str, str], type[Strategy]] = {}
    for strategy in _all(folders):
        key = (strategy.kind, strategy.name)
        if key in found and found[key] is not strategy:
            raise EchoPulseError(
                f"{place_of(strategy)}: '{strategy.name}' for {strategy.kind} is at {place_of(found[key])} already"
            )
        found[key] = strategy
    return Catalogue(found)


def load_file(path: Path) -> list[type[Strategy]]:
    """Load the strategies of one file; raises EchoPulseError naming file and line, also where there is none in it."""
    if not path.is_file():
        raise EchoPulseError(f"strategy file {path} is not there")
    loaded = list(_declared(load_module(path, "strategy")))
    if not loaded:
        raise EchoPulseError(f"{path}:1: no subclass of transforms.strategy.Strategy in this file")
    return loaded


def _all(folders: Iterable[Path]) -> Iterator[type[Strategy]]:
    for module in pkgutil.iter_modules(strategies.__path__, f"{strategies.__name__}."):
        yield from _declared(importlib.import_module(module.name))
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        yield from _entry(entry)
    for folder in folders:
        if not folder.is_dir():
            raise EchoPulseError(f"strategy folder {folder} is not there", "strategy_paths in the settings names it")
        for path in plugin_files(folder):
            yield from load_file(path)


def _entry(entry: importlib.metadata.EntryPoint) -> Iterator[type[Strategy]]:
    try:
        loaded = entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "a package"
        raise EchoPulseError(f"entry point '{entry.name}' of {package}: {fault_of(error, None)}") from error
    if inspect.ismodule(loaded):
        yield from _declared(loaded)
    elif inspect.isclass(loaded) and issubclass(loaded, Strategy):
        _check(loaded)
        yield loaded
    else:
        raise EchoPulseError(f"entry point '{entry.name}' is {loaded!r}", "a module or a Strategy is wanted")


def _declared(module: ModuleType) -> Iterator[type[Strategy]]:
    for strategy in declared_in(module, Strategy):  # type: ignore[type-abstract] # the class itself is not made
        _check(strategy)
        yield strategy


def _check(strategy: type[Strategy]) -> None:
    missing = [name for name in ("kind", "name", "type") if not hasattr(strategy, name)]
    if missing:
        raise EchoPulseError(f"{place_of(strategy)}: {strategy.__name__} does not declare `{missing[0]}`")
    if inspect.isabstract(strategy):
        raise EchoPulseError(f"{place_of(strategy)}: {strategy.__name__} has no method `analyze`")
    try:
        declared_kind(strategy.kind, strategy.type)
    except EchoPulseError as error:
        raise EchoPulseError(f"{place_of(strategy)}: {error}") from error
