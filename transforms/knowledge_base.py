"""The knowledge base: entities with their aliases, read from JSON lines, and the alias table made of them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The entities that ship with the project.
SHIPPED = Path(__file__).parent / "knowledge" / "entities.jsonl"


class Entity(BaseModel):
    """One entity: `prior` is how likely one of its aliases means it, 0 to 1; aliases are matched in lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    type: str
    description: str
    prior: float = Field(ge=0, le=1)


@dataclass(frozen=True)
class AliasTable:
    """An Aho-Corasick automaton over aliases in UTF-8, and the entity id that each alias links to ('' for none)."""

    automaton: BytesAhoCorasick
    links: tuple[str, ...]


def read_entities(path: Path) -> list[Entity]:
    """Read a knowledge base; raises EchoPulseError that names the file, the line and the field."""
    entities: list[Entity] = []
    lines: dict[str, int] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EchoPulseError(f"knowledge base {path} cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
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


def alias_table(entities: Iterable[Entity]) -> AliasTable:
    """Build the table of all names and aliases; an alias of several links to the one of the highest prior.

    Where the two highest are equal, it links to none.
    """
    claims: dict[str, list[tuple[float, str]]] = {}
    for entity in entities:
        for alias in {_folded(alias) for alias in (entity.name, *entity.aliases)} - {""}:
            claims.setdefault(alias, []).append((entity.prior, entity.id))
    aliases = sorted(claims)
    links = []
    for alias in aliases:
        ranked = sorted(claims[alias], reverse=True)
        tied = len(ranked) > 1 and ranked[0][0] == ranked[1][0]
        links.append("" if tied else ranked[0][1])
    automaton = BytesAhoCorasick(
        [alias.encode() for alias in aliases], matchkind=MatchKind.Standard, implementation=Implementation.DFA
    )
    return AliasTable(automaton, tuple(links))


def _folded(alias: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", alias).lower()).strip()
