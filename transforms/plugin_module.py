"""Modules that others bring, strategies and connectors alike: loaded from a file, their classes, where a fault lies."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

T = TypeVar("T")


def load_module(path: Path, sort: str) -> ModuleType:
    """Load a file under a name of its own; raises EchoPulseError naming file and line. `sort` is what it declares."""
    name = f"echopulse_{sort}_{path.resolve().as_posix().strip('/').replace('/', '_').removesuffix('.py')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise EchoPulseError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise EchoPulseError(fault_of(error, path)) from error
    return module


def plugin_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that are read, in the order of their names: those that no underscore begins."""
    return (path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_"))


def declared_in(module: ModuleType, base: type[T]) -> Iterator[type[T]]:
    """Yield the public subclasses of `base` that a module defines itself."""
    for value in vars(module).values():
        ours = inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
        if ours and not value.__name__.startswith("_"):
            yield value


def place_of(declared: type) -> str:
    """Say where a class stands, as file and line, or by its name where there is no source."""
    try:
        _, line = inspect.getsourcelines(declared)
        return f"{inspect.getsourcefile(declared)}:{line}"
    except (OSError, TypeError):
        return f"{declared.__module__}.{declared.__qualname__}"


def fault_of(error: Exception, path: Path | None) -> str:
    """Say what went wrong and where: the last line of the file itself, or of any, that the error passed through."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path is None or Path(frame.filename) == path]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else str(path)
    return f"{place}: {type(error).__name__}: {error}"
