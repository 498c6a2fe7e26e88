"""Find strategies: those that ship, those of installed packages, those in folders that the settings name."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError, did_you_mean
from transforms import strategies
from transforms.kinds import KINDS, declared_kind
from transforms.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
                f"{_place(strategy)}: '{strategy.name}' for {strategy.kind} is at {_place(found[key])} already"
            )
        found[key] = strategy
    return Catalogue(found)


def load_file(path: Path) -> list[type[Strategy]]:
    """Load the strategies of one file; raises EchoPulseError naming file and line, also where there is none in it."""
    if not path.is_file():
        raise EchoPulseError(f"strategy file {path} is not there")
    name = f"echopulse_strategy_{path.resolve().as_posix().strip('/').replace('/', '_').removesuffix('.py')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise EchoPulseError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise EchoPulseError(_told(error, path)) from error
    loaded = list(_declared(module))
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
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                yield from load_file(path)


def _entry(entry: importlib.metadata.EntryPoint) -> Iterator[type[Strategy]]:
    try:
        loaded = entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "a package"
        raise EchoPulseError(f"entry point '{entry.name}' of {package}: {_told(error, None)}") from error
    if inspect.ismodule(loaded):
        yield from _declared(loaded)
    elif inspect.isclass(loaded) and issubclass(loaded, Strategy):
        _check(loaded)
        yield loaded
    else:
        raise EchoPulseError(f"entry point '{entry.name}' is {loaded!r}", "a module or a Strategy is wanted")


def _declared(module: ModuleType) -> Iterator[type[Strategy]]:
    for value in vars(module).values():
        if (
            inspect.isclass(value)
            and issubclass(value, Strategy)
            and value.__module__ == module.__name__
            and not value.__name__.startswith("_")
        ):
            _check(value)
            yield value


def _check(strategy: type[Strategy]) -> None:
    missing = [name for name in ("kind", "name", "type") if not hasattr(strategy, name)]
    if missing:
        raise EchoPulseError(f"{_place(strategy)}: {strategy.__name__} does not declare `{missing[0]}`")
    if inspect.isabstract(strategy):
        raise EchoPulseError(f"{_place(strategy)}: {strategy.__name__} has no method `analyze`")
    try:
        declared_kind(strategy.kind, strategy.type)
    except EchoPulseError as error:
        raise EchoPulseError(f"{_place(strategy)}: {error}") from error


def _place(strategy: type[Strategy]) -> str:
    try:
        _, line = inspect.getsourcelines(strategy)
        return f"{inspect.getsourcefile(strategy)}:{line}"
    except (OSError, TypeError):
        return f"{strategy.__module__}.{strategy.__qualname__}"


def _told(error: Exception, path: Path | None) -> str:
    """Say what went wrong and where: the last line of the strategy's own file that the error passed through."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path is None or Path(frame.filename) == path]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else str(path)
    return f"{place}: {type(error).__name__}: {error}"
