"""What is wrong with the settings, in one line: which file or variable, which key, which value, what was meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, SecretStr

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a YAML mapping. Raises EchoPulseError with line and column for what is not one."""
    try:
        document = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise EchoPulseError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise EchoPulseError(f"{where}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise EchoPulseError(f"{file}: not YAML: {' '.join(str(error).split())}") from error
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise EchoPulseError(f"{file}: a mapping of settings is expected", "see echopulse.example.yaml")
    return document


def refuse_unknown_variables(known: Collection[str], prefix: str) -> None:
    """Refuse an environment variable with our prefix that no setting reads. Raises EchoPulseError."""
    for name in sorted(os.environ):
        if not name.upper().startswith(prefix):
            continue
        key = name[len(prefix) :].split("__", 1)[0].lower()
        if key not in known:
            raise EchoPulseError(f"environment variable {name}: unknown setting '{key}'", did_you_mean(key, known))


def told_plainly(
    error: ValidationError, model: type[BaseModel], file: Path, document: Mapping[str, Any], prefix: str
) -> EchoPulseError:
    """Return the first of pydantic's complaints as an EchoPulseError; values of secrets are never told."""
    first, *others = error.errors(include_url=False)
    path = [str(part) for part in first["loc"]]
    where = _source(path, file, document, prefix)
    more = f"; and {len(others)} more" if others else ""
    key = ".".join(path) or "settings"
    if first["type"] == "extra_forbidden":
        return EchoPulseError(f"{where}: unknown key '{key}'", did_you_mean(path[-1], _siblings(model, path)) + more)
    reason = first["msg"].removeprefix("Value error, ")
    return EchoPulseError(f"{where}: {key}{_shown(first, model, path)}: {reason[:1].lower()}{reason[1:]}{more}")


def _source(path: list[str], file: Path, document: Mapping[str, Any], prefix: str) -> str:
    """Name the variable that set this key, else the file."""
    variables = {name.upper(): name for name in os.environ}
    for depth in range(len(path), 0, -1):
        name = variables.get(prefix + "__".join(path[:depth]).upper())
        if name:
            return f"environment variable {name}"
    nested = prefix + "__".join(path).upper() + "__"
    inside = sorted(original for name, original in variables.items() if path and name.startswith(nested))
    if inside and (not path or path[0] not in document):
        return f"environment variable {inside[0]}"
    return str(file)


def _models_along(model: type[BaseModel], path: list[str]) -> tuple[type[BaseModel] | None, Any]:
    """Return the model that holds the last key of the path (None where there is none) and that key's annotation."""
    current: type[BaseModel] | None = model
    annotation: Any = None
    for index, part in enumerate(path):
        field = current.model_fields.get(part) if current else None
        annotation = field.annotation if field else None
        if index == len(path) - 1:
            break
        current = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    return current, annotation


def _siblings(model: type[BaseModel], path: list[str]) -> Collection[str]:
    holder, _ = _models_along(model, path)
    return holder.model_fields if holder else ()


def _shown(first: ErrorDetails, model: type[BaseModel], path: list[str]) -> str:
    """Return " is 'value'" for a plain value that is no secret and no whole section, else nothing."""
    _, annotation = _models_along(model, path)
    hidden = {annotation, *get_args(annotation)} & {SecretStr} or hasattr(annotation, "model_fields")
    value = first["input"]
    return f" is {value!r}" if not hidden and isinstance(value, str | int | float | bool) else ""
