"""Secrets of the gateway's configuration: named there, held elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticCustomError

#: The type of a validation error whose input may be a secret that stands where its name should.
UNSHOWN = "unshown"
_ENVIRONMENT, _FILE = "env:", "file:"


def resolved(text: object) -> str:
    """Return what `env:NAME` or `file:PATH` holds. Raises ValueError, which never tells the value."""
    if isinstance(text, str) and text.startswith(_ENVIRONMENT):
        name = text.removeprefix(_ENVIRONMENT)
        if not os.environ.get(name):
            raise ValueError(f"the environment has no variable {name}")
        return os.environ[name]
    if isinstance(text, str) and text.startswith(_FILE):
        path = Path(text.removeprefix(_FILE)).expanduser()
        try:
            held = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from None
        if not held:
            raise ValueError(f"{path} is empty")
        return held
    raise ValueError("a secret is named by env:NAME or file:PATH, it does not stand here itself")


def with_secrets(document: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return a document whose secret fields, as the model declares them, hold what they name.

    Raises ValueError naming the field.
    """
    found = dict(document)
    for name, field in model.model_fields.items():
        if name not in found or found[name] is None or not _holds_secret(field.annotation):
            continue
        try:
            if isinstance(found[name], dict):
                found[name] = {key: resolved(value) for key, value in found[name].items()}
            elif isinstance(found[name], list):
                found[name] = [resolved(value) for value in found[name]]
            else:
                found[name] = resolved(found[name])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def checked_secrets(document: object, model: type[BaseModel]) -> object:
    """Do `with_secrets` for a validator of pydantic's: what is wrong is told without what stands there."""
    if not isinstance(document, dict):
        return document
    try:
        return with_secrets(document, model)
    except ValueError as error:
        raise PydanticCustomError(UNSHOWN, "{told}", {"told": str(error)}) from None


def _holds_secret(annotation: Any) -> bool:  # noqa: ANN401 any annotation
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))
