"""The knowledge base: entities with their aliases, read from JSON lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import EchoPulseError
from transforms.mood_lexicon import SHIPPED as MOODS
from transforms.mood_lexicon import read_moods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Where what ships with the project lies, and its entities.
KNOWLEDGE = Path(__file__).parent / "knowledge" / "entities"
SHIPPED = KNOWLEDGE.parent / "entities.jsonl"


class Entity(BaseModel):
    """One entity: `prior` is how likely its name or an alias means it, 0 to 1; both are matched in lower case.

    `alias_priors` gives aliases of their own prior, `context` words that stand around the entity in texts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    type: str
    description: str
    prior: float = Field(ge=0, le=1)
    alias_priors: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    context: tuple[str, ...] = ()


class EntityType(BaseModel):
    """What entities of one type have in common: words that often stand around them, and whether they are common nouns.

    A common noun is written without a capital within a sentence ("apple", "abortion").
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(min_length=1)
    context: tuple[str, ...] = ()
    common: bool = False


@dataclass(frozen=True)
class PlainWords:
    """Words that tell no entity, and what types tell: `plain` begin or end no name, `joiners` may join its parts.

    `title` words stay small in a title.
    """

    plain: tuple[str, ...] = ()
    joiners: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    type_context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    common_types: frozenset[str] = frozenset()


def read_plain_words() -> PlainWords:
    """Read the plain words and the types that ship with the project; emotes and slang are plain words too."""
    plain, joiners, title = (
        tuple((KNOWLEDGE / f"{name}.txt").read_text("utf-8").split()) for name in ("plain", "joiners", "title")
    )
    lines = (KNOWLEDGE / "types.jsonl").read_text("utf-8").splitlines()
    types = [EntityType.model_validate_json(line) for line in lines]
    moods = tuple(entry.token for path in MOODS for entry in read_moods(path) if entry.token.isalnum())
    return PlainWords(
        plain=plain + moods,
        joiners=joiners,
        title=title,
        type_context={own.type: own.context for own in types},
        common_types=frozenset(own.type for own in types if own.common),
    )


def merge_entities(*bases: Iterable[Entity]) -> list[Entity]:
    """Return the entities of several knowledge bases; one whose id a later base has too is replaced by the later."""
    return list({entity.id: entity for base in bases for entity in base}.values())


def read_entities(path: Path) -> list[Entity]:
    """Read a knowledge base; raises EchoPulseError that names the file, the line and the field."""
    entities: list[Entity] = []
    lines: dict[str, int] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EchoPulseError(f"knowledge base {path} cannot be read: {error}") from error
    # Not splitlines: a description may hold a separator of Unicode, which ends no line of JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entity = Entity.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise EchoPulseError(f"{path}:{number}: {field + ': ' if field else ''}{first['msg']}") from error
        if entity.id in lines:
            raise EchoPulseError(f"{path}:{number}: the id '{entity.id}' stands in line {lines[entity.id]} already")
        lines[entity.id] = number
        entities.append(entity)
    return entities
