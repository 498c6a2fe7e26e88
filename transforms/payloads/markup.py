"""Texts as a person reads them: mentions, links and emotes without the platform's way of writing them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import emoji
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import constant, string_buffers

if TYPE_CHECKING:
    from transforms.payloads.declaration import Emote, Payload

#: Around an emote while its text is taken apart; control characters, which no text needs.
_BETWEEN, _EMOTE = "\x1f", "\x1e"


def rewrite(texts: pa.StringArray, payload: Payload) -> tuple[pa.StringArray, pa.StringArray]:
    """Return the texts (no nulls) of a platform without its markup, and the emote codes found in each."""
    none = constant("", len(texts), pa.string())
    marks = {rule.mark for rule in payload.markup} | ({payload.emote.mark} if payload.emote else set())
    marked = np.zeros(len(texts), np.bool_)
    for mark in sorted(marks):
        if contains(texts, mark):
            marked |= pc.match_substring(texts, mark).to_numpy(zero_copy_only=False)
    if not marked.any():
        return texts, none
    mask = pa.array(marked)
    some = texts.filter(mask)
    emotes = constant("", len(some), pa.string())
    if payload.emote and contains(some, payload.emote.mark):
        some, emotes = take_emotes(some, payload.emote)
    for rule in payload.markup:
        if contains(some, rule.mark):
            some = pc.replace_substring_regex(some, rule.pattern, rule.replacement)
    some = pc.utf8_trim_whitespace(pc.replace_substring_regex(some, "[ \t\n]{2,}", " "))
    return pc.replace_with_mask(texts, mask, some), pc.replace_with_mask(none, mask, emotes)


def contains(texts: pa.StringArray, mark: str) -> bool:
    """Whether the first character of a mark occurs in any of the texts."""
    values, offsets = string_buffers(texts)
    return bool((values[offsets[0] : offsets[-1]] == ord(mark[0])).any())


def take_emotes(texts: pa.StringArray, emote: Emote) -> tuple[pa.StringArray, pa.StringArray]:
    """Return the texts with emotes' codes (or emoji) in place of what is written, and the codes of each text."""
    clean = pc.replace_substring_regex(texts, f"[{_EMOTE}{_BETWEEN}]", " ")
    marked = pc.replace_substring_regex(clean, emote.pattern, f"{_BETWEEN}{_EMOTE}\\1{_BETWEEN}")
    pieces = pc.split_pattern(marked, _BETWEEN)
    parts = pieces.values
    found = pc.starts_with(parts, _EMOTE)
    if not pc.any(found).as_py():
        return clean, constant("", len(texts), pa.string())
    codes = pc.utf8_slice_codeunits(parts.filter(found), 1)
    shown, own = codes, pa.array(np.ones(len(codes), np.bool_))
    if emote.emoji:
        names, characters = _emoji()
        known = characters.take(pc.index_in(pc.ascii_lower(codes), names))
        shown, own = pc.coalesce(known, codes), pc.is_null(known)
    # An emote's code is a word of its own, whatever it was glued to.
    shown = pc.if_else(own, pc.binary_join_element_wise("", shown, "", " "), shown)
    rows = pc.list_parent_indices(pieces).filter(found).filter(own).to_numpy()
    bounds = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(texts)))]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(bounds), codes.filter(own))
    parts = pc.replace_with_mask(parts, found, shown)
    return pc.binary_join(pa.ListArray.from_arrays(pieces.offsets, parts), ""), pc.binary_join(lists, " ")


@cache
def _emoji() -> tuple[pa.StringArray, pa.StringArray]:
    """The names of emoji, in lower case, and their characters."""
    characters: dict[str, str] = {}
    for character, names in emoji.EMOJI_DATA.items():
        if names["status"] == emoji.STATUS["fully_qualified"]:
            for name in (*names.get("alias", ()), names["en"]):
                plain = name.strip(":").lower()
                # Slack joins some names by hyphens that others join by underscores.
                for written in (plain, plain.replace("_", "-")):
                    characters.setdefault(written, character)
    return pa.array(list(characters)), pa.array(list(characters.values()))
