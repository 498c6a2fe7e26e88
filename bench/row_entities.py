"""Names in one text, by Aho-Corasick and a regular expression; equal to transforms.entities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transforms.knowledge_base import AliasTable

_LETTERS = "A-Za-z0-9_\u00c0-\u1fff\u3040-\ud7ff"
_LETTER = re.compile(f"[{_LETTERS}]")
_TAG = re.compile(f"(?<![{_LETTERS}])([#$@])([{_LETTERS}]+)")
_CASHTAG = re.compile("[A-Za-z_]{1,6}")
_UNLINKED = -1


def find_names(composed: str, folded: str, table: AliasTable) -> tuple[list[str], list[str]]:
    """Return (names, links) of one text: surfaces in order of appearance, and an entity id or '' for each."""
    aliases = _aliases(folded, table)
    spans = [(start, end, number) for (start, end), number in aliases.items()]
    for tag in _TAG.finditer(folded):
        if _is_tag(tag[1], tag[2]):
            start, end = tag.span()
            spans.append((start, end, aliases.get((start, end), aliases.get((start + 1, end), _UNLINKED))))
    source = composed if len(composed.encode()) == len(folded.encode()) else folded
    names: list[str] = []
    links: list[str] = []
    last = -1
    for start, end, number in sorted(spans, key=lambda span: (span[0], -span[1], -span[2])):
        if start >= last:
            last = end
            names.append(source[start:end])
            links.append(table.links[number] if number != _UNLINKED else "")
    return names, links


def _aliases(folded: str, table: AliasTable) -> dict[tuple[int, int], int]:
    """Return the aliases that stand as whole words: (start, end) in characters to the alias's number."""
    data = folded.encode()
    found: dict[tuple[int, int], int] = {}
    for number, first, stop in table.automaton.find_matches_as_indexes(data, overlapping=True):
        start, end = len(data[:first].decode()), len(data[:stop].decode())
        if start and _LETTER.match(folded, start) and _LETTER.match(folded, start - 1):
            continue
        if not _LETTER.match(folded, end):
            found[start, end] = number
    return found


def _is_tag(sigil: str, word: str) -> bool:
    if sigil == "#":
        return bool(word.strip("0123456789"))
    return sigil == "@" or _CASHTAG.fullmatch(word) is not None
