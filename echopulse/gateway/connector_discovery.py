"""Find connectors: those that ship, those of installed packages, those in folders that the configuration names."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echopulse.gateway import connectors
from echopulse.gateway.connector import Connector, Options
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
            raise EchoPulseError(f"{_place(connector)}: connector '{connector.name}' is at {_place(known)} already")
    return found


def _all(folders: Iterable[Path]) -> Iterator[ConnectorType]:
    for module in pkgutil.iter_modules(connectors.__path__, f"{connectors.__name__}."):
        yield from _declared(importlib.import_module(module.name))
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            loaded = entry.load()
        except Exception as error:
            raise EchoPulseError(f"entry point '{entry.name}': {_told(error, None)}") from error
        if not inspect.ismodule(loaded):
            raise EchoPulseError(f"entry point '{entry.name}' is {loaded!r}", "a module with connectors is wanted")
        yield from _declared(loaded)
    for folder in folders:
        if not folder.is_dir():
            raise EchoPulseError(f"connector folder {folder} is not there", "connector_paths names it")
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                yield from _file(path)


def _file(path: Path) -> list[ConnectorType]:
    name = f"echopulse_connector_{path.resolve().as_posix().strip('/').replace('/', '_').removesuffix('.py')}"
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
        raise EchoPulseError(f"{path}:1: no subclass of echopulse.gateway.connector.Connector in this file")
    return loaded


def _declared(module: ModuleType) -> Iterator[ConnectorType]:
    for value in vars(module).values():
        ours = inspect.isclass(value) and issubclass(value, Connector) and value.__module__ == module.__name__
        if ours and not value.__name__.startswith("_"):
            _check(value)
            yield value


def _check(connector: ConnectorType) -> None:
    missing = [name for name in _DECLARED if not hasattr(connector, name)]
    if missing:
        raise EchoPulseError(f"{_place(connector)}: {connector.__name__} does not declare `{missing[0]}`")
    if unwritten := sorted(connector.__abstractmethods__):
        raise EchoPulseError(f"{_place(connector)}: {connector.__name__} has no `{unwritten[0]}`")
    if not inspect.isasyncgenfunction(connector.arrivals):
        raise EchoPulseError(f"{_place(connector)}: `arrivals` of {connector.__name__} is no `async def` that yields")
    if not issubclass(connector.options, Options):
        raise EchoPulseError(f"{_place(connector)}: `options` of {connector.__name__} is no subclass of Options")


def _place(connector: ConnectorType) -> str:
    try:
        _, line = inspect.getsourcelines(connector)
        return f"{inspect.getsourcefile(connector)}:{line}"
    except (OSError, TypeError):
        return f"{connector.__module__}.{connector.__qualname__}"


def _told(error: Exception, path: Path | None) -> str:
    """Say what went wrong and where: the last line of the connector's own file that the error passed through."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path is None or Path(frame.filename) == path]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else str(path)
    return f"{place}: {type(error).__name__}: {error}"
