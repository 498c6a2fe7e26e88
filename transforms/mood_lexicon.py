"""The mood lexicon: what emotes, emoticons, emoji and slang of live chat say, read from JSON lines."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.errors import EchoPulseError, did_you_mean

Mood = Literal[
    "laugh",
    "love",
    "joy",
    "hype",
    "approve",
    "sad",
    "fear",
    "anger",
    "disgust",
    "mock",
    "sarcasm",
    "bored",
    "surprise",
    "think",
    "hello",
    "neutral",
]

#: The closed list of moods; `neutral` is a token that is known and carries none.
MOODS: tuple[Mood, ...] = get_args(Mood)

#: The lexicon that ships with the project: emotes, emoticons and shortcodes; slang and set phrases; emoji.
SHIPPED: tuple[Path, ...] = tuple(
    Path(__file__).parent / "knowledge" / "moods" / name for name in ("emotes.jsonl", "slang.jsonl", "emoji.jsonl")
)

_SPACE = re.compile(r"\s")


class MoodEntry(BaseModel):
    """One token, or phrase of tokens with single spaces, and the mood it carries in live chat.

    Matched in lower case, or as written where `cased`; on one platform or in one channel alone where these are given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(min_length=1)
    mood: Mood
    cased: bool = False
    platform: str | None = Field(default=None, min_length=1)
    channel: str | None = Field(default=None, min_length=1)
    note: str = ""

    @field_validator("token")
    @classmethod
    def _spaced(cls, token: str) -> str:
        if _SPACE.search(token) and " ".join(token.split()) != token:
            raise ValueError(f"'{token}' may hold single spaces between words, and no other white space")
        # A macron, for one, becomes a space and a combining mark, so that no text would ever hold the token.
        composed = unicodedata.normalize("NFKC", token)
        if _SPACE.findall(composed) != _SPACE.findall(token):
            raise ValueError(f"'{token}' holds other white space in Unicode NFKC, in which texts are compared")
        return token

    @property
    def matched(self) -> str:
        """The token as it stands in a text that is compared: in NFKC, and in lower case unless `cased`."""
        composed = unicodedata.normalize("NFKC", self.token)
        return composed if self.cased else unicodedata.normalize("NFKC", composed.lower())


def read_moods(path: Path) -> list[MoodEntry]:
    """Read a mood lexicon; raises EchoPulseError that names the file, the line and the field."""
    entries: list[MoodEntry] = []
    lines: dict[tuple[str, bool, str | None, str | None], int] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EchoPulseError(f"mood lexicon {path} cannot be read: {error}") from error
    # Not splitlines: a note may hold a separator of Unicode, which ends no line of JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = MoodEntry.model_validate_json(line)
        except ValidationError as error:
            raise _fault(f"{path}:{number}", error) from error
        claim = (entry.matched, entry.cased, entry.platform, entry.channel)
        if claim in lines:
            raise EchoPulseError(
                f"{path}:{number}: token: '{entry.token}' stands in line {lines[claim]} already",
                "one line for each token, platform and channel",
            )
        lines[claim] = number
        entries.append(entry)
    return entries


def _fault(place: str, error: ValidationError) -> EchoPulseError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if field == "mood" and isinstance(first["input"], str):
        return EchoPulseError(f"{place}: mood: '{first['input']}' is no mood", did_you_mean(first["input"], MOODS))
    if first["type"] == "extra_forbidden":
        return EchoPulseError(f"{place}: {field}: no such field", did_you_mean(field, MoodEntry.model_fields))
    return EchoPulseError(f"{place}: {field + ': ' if field else ''}{first['msg'].removeprefix('Value error, ')}")
