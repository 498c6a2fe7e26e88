"""What a command prints on stdout: one JSON document, or text for a person."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import orjson


def emit(document: Mapping[str, Any], json: bool, text: Callable[[], str] | str) -> None:  # noqa: FBT001 one result, two forms
    """Print the result of a command: `document` as one line of JSON where `json`, else `text` (built only then).

    Paths, dates, UUIDs, enums, dataclasses and numpy values may stand in the document. Raises TypeError for others.
    """
    if json:
        options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
        line = orjson.dumps(document, default=_plain, option=options).decode()
    else:
        line = text() if callable(text) else text
    sys.stdout.write(line + "\n" if line else "")
    sys.stdout.flush()


def counted(number: int, noun: str) -> str:
    """Return a count with its noun, which ends in s where it is not one: `1 event`, `12,345 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _plain(value: object) -> object:
    """Turn what orjson does not know into what it does."""
    from pathlib import PurePath

    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError  # orjson puts the type's name into its own error
