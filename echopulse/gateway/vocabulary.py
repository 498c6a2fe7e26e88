"""The simulator's words: templates and word lists of each language, read from the packaged YAML files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field

from echopulse.gateway.declaration import parse_declaration
from schemas.errors import EchoPulseError, did_you_mean

#: A template's slots at most, and a tail's: the composing kernel joins this many columns.
TEMPLATE_SLOTS = 3
TAIL_SLOTS = 1

_SLOT = re.compile(r"\{(\w+)\}")


class Vocabulary(BaseModel):
    """A language's word lists, its templates by register and the tails that may follow a template's text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[str, Annotated[list[str], Field(min_length=1)]]
    templates: dict[str, Annotated[list[str], Field(min_length=1)]]
    tails: dict[str, Annotated[list[str], Field(min_length=1)]]


@dataclass(frozen=True)
class Template:
    """Text between slots, escaped for JSON, and the slots' names: one part more than slots."""

    parts: tuple[str, ...]
    slots: tuple[str, ...]


@cache
def vocabulary(language: str) -> Vocabulary:
    """Return the packaged vocabulary of a language. Raises EchoPulseError where the file is damaged."""
    packaged = files("echopulse.gateway") / "words" / f"{language}.yaml"
    return parse_declaration(packaged.read_text(encoding="utf-8"), Vocabulary, f"words/{language}.yaml")


def parse_template(text: str, known: set[str], slots: int) -> Template:
    """Split `text` at its {slots}, padded to `slots` of them ('' for none).

    Raises EchoPulseError for an unknown slot or one too many.
    """
    pieces = _SLOT.split(text)
    names = tuple(pieces[1::2])
    for name in names:
        if name not in known:
            raise EchoPulseError(
                f"template {text!r} has no word list for its slot {{{name}}}", did_you_mean(name, known)
            )
    if len(names) > slots:
        raise EchoPulseError(f"template {text!r} has {len(names)} slots, at most {slots} are taken")
    padding = slots - len(names)
    parts = tuple(json_escaped(part) for part in pieces[0::2])
    return Template(parts + ("",) * padding, names + ("",) * padding)


def json_escaped(text: str) -> str:
    """Return `text` as it stands between the quotes of a JSON string."""
    return orjson.dumps(text).decode()[1:-1]
