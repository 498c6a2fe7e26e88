"""Reads a YAML file into a pydantic model; what is wrong is told by file, key, value and near miss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from echopulse.gateway.secret_text import UNSHOWN
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

_SHOWN_CHARACTERS = 60


def read_declaration(path: Path, model: type[M]) -> M:
    """Read the YAML file `path` as a `model`.

    Raises EchoPulseError naming the file, the line or key, the value and the near miss.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EchoPulseError(f"{path} cannot be read: {error.strerror}", _nearest_file(path)) from None
    except UnicodeDecodeError as error:
        raise EchoPulseError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    return parse_declaration(text, model, str(path))


def parse_declaration(text: str, model: type[M], name: str) -> M:
    """Read YAML `text` as a `model`; `name` stands for the file in errors. Raises EchoPulseError."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EchoPulseError(f"{name} is not YAML: {_in_one_line(error)}") from None
    if not isinstance(document, dict):
        found = "nothing" if document is None else f"a {type(document).__name__}"
        raise EchoPulseError(f"{name} must hold keys and values, found {found}", f"keys: {_names(model.model_fields)}")
    return check_declaration(document, model, name)


def check_declaration(document: dict[str, Any], model: type[M], name: str) -> M:
    """Read a document as a `model`; `name` stands for the file in errors. Raises EchoPulseError."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise EchoPulseError(*_explained(error, model, name)) from None


def _explained(error: ValidationError, model: type[BaseModel], name: str) -> tuple[str, str]:
    details = error.errors(include_url=False)
    # An unknown key comes first: it is often the misspelt one that is reported as missing too.
    first = min(details, key=lambda detail: detail["type"] != "extra_forbidden")
    others = f"; {len(details) - 1} more" if len(details) > 1 else ""
    key = _key(first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{name}: unknown key {key}{others}", did_you_mean(
            str(first["loc"][-1]), _known_keys(model, first["loc"])
        )
    if first["type"] == "missing":
        return f"{name}: {key} is missing{others}", f"add it to {_key(first['loc'][:-1]) or 'the top level'}"
    message = first["msg"].removeprefix("Value error, ")
    where = f"{key}: " if key else ""
    if first["type"] == UNSHOWN:
        return f"{name}: {where}{message}{others}", ""
    return f"{name}: {where}{message}, found {_shown(first['input'])}{others}", _near_value(first)


def _near_value(detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    known = re.findall(r"'([^']*)'", expected)
    return did_you_mean(str(detail["input"]), known) if known else ""


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> Iterable[str]:
    """Return the keys allowed at the place where `location`'s last part stands."""
    models = [model]
    for part in location[:-1]:
        if isinstance(part, str):
            fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = [found for field in fields for found in _models_within(field)] or models
    return sorted({alias for m in models for alias in _field_names(m)})


def _field_names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_within(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation a field can have
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_within(inner)]


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def _nearest_file(path: Path) -> str:
    siblings = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    return did_you_mean(path.name, siblings) if siblings else ""
