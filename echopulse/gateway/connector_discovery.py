"""Find connectors: those that ship, those of installed packages, those in folders that the configuration names."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
from typing import TYPE_CHECKING, Any

from echopulse.gateway import connectors
from echopulse.gateway.connector import Connector, Options
from schemas.errors import EchoPulseError
from transforms.plugin_module import declared_in, fault_of, load_module, place_of, plugin_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import ModuleType

ENTRY_POINTS = "echopulse.connectors"

ConnectorType = type[Connector[Any]]
_DECLARED = ("name", "kinds", "pausable", "options")


def discover(folders: Iterable[Path] = ()) -> dict[str, ConnectorType]:
    """Return all connectors by name; raises EchoPulseError naming file and line of one that cannot be used."""
    found: dict[str, ConnectorType] = {}
    for connector in _all(folders):
        known = found.setdefault(connector.name, connector)
        if known is not connector:
            raise EchoPulseError(f"{place_of(connector)}: connector '{connector.name}' is at {place_of(known)} already")
    return found


def _all(folders: Iterable[Path]) -> Iterator[ConnectorType]:
    for module in pkgutil.iter_modules(connectors.__path__, f"{connectors.__name__}."):
        yield from _declared(importlib.import_module(module.name))
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            loaded = entry.load()
        except Exception as error:
            raise EchoPulseError(f"entry point '{entry.name}': {fault_of(error, None)}") from error
        if not inspect.ismodule(loaded):
            raise EchoPulseError(f"entry point '{entry.name}' is {loaded!r}", "a module with connectors is wanted")
        yield from _declared(loaded)
    for folder in folders:
        if not folder.is_dir():
            raise EchoPulseError(f"connector folder {folder} is not there", "connector_paths names it")
        for path in plugin_files(folder):
            yield from _file(path)


def _file(path: Path) -> list[ConnectorType]:
    loaded = list(_declared(load_module(path, "connector")))
    if not loaded:
        raise EchoPulseError(f"{path}:1: no subclass of echopulse.gateway.connector.Connector in this file")
    return loaded


def _declared(module: ModuleType) -> Iterator[ConnectorType]:
    for connector in declared_in(module, Connector):  # type: ignore[type-abstract] # the class itself is not made
        _check(connector)
        yield connector


def _check(connector: ConnectorType) -> None:
    missing = [name for name in _DECLARED if not hasattr(connector, name)]
    if missing:
        raise EchoPulseError(f"{place_of(connector)}: {connector.__name__} does not declare `{missing[0]}`")
    if unwritten := sorted(connector.__abstractmethods__):
        raise EchoPulseError(f"{place_of(connector)}: {connector.__name__} has no `{unwritten[0]}`")
    if not inspect.isasyncgenfunction(connector.arrivals):
        raise EchoPulseError(f"{place_of(connector)}: `arrivals` of {connector.__name__} is no `async def` that yields")
    if not issubclass(connector.options, Options):
        raise EchoPulseError(f"{place_of(connector)}: `options` of {connector.__name__} is no subclass of Options")
