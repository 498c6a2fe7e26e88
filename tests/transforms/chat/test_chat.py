"""The labelled chat lines: their shape, their spread, and that they are not the word list again."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from transforms.mood_lexicon import SHIPPED, read_moods

_FILE = Path(__file__).parent / "chat.jsonl"


class Line(BaseModel):
    """One labelled line of live chat."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1, max_length=500)
    label: Literal["negative", "neutral", "positive"]
    platform: Literal["twitch", "discord", "slack", "x"]


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[Line]:
    return [Line.model_validate_json(row) for row in _FILE.read_text(encoding="utf-8").splitlines()]


def test_shape(lines: list[Line]) -> None:
    """There are enough lines, each of one row, none twice."""
    assert len(lines) >= 400
    assert [line.text for line in lines if line.text != " ".join(line.text.split())] == []
    assert len({line.text for line in lines}) == len(lines)


def test_spread(lines: list[Line]) -> None:
    """Moods are spread as in live chat: most lines say none, and a few more are glad than are not."""
    shares = {label: count / len(lines) for label, count in Counter(line.label for line in lines).items()}
    assert shares == {
        "negative": pytest.approx(0.25, abs=0.06),
        "neutral": pytest.approx(0.45, abs=0.06),
        "positive": pytest.approx(0.30, abs=0.06),
    }


def test_a_third_holds_no_listed_token(lines: list[Line]) -> None:
    """A model that only knows the lexicon is told apart: a third of each mood's lines, or near it, holds none of it."""
    entries = [entry for path in SHIPPED for entry in read_moods(path)]
    # A word of the lexicon ends where another begins; what starts or ends in a sign may stand against a letter.
    as_written, lowered = (
        re.compile("|".join(rf"(?<!\w){re.escape(entry.matched)}(?!\w)" for entry in entries if entry.cased is cased))
        for cased in (True, False)
    )
    free = [line for line in lines if not as_written.search(line.text) and not lowered.search(line.text.lower())]
    assert len(free) >= len(lines) / 3
    shares = {
        label: sum(line.label == label for line in free) / sum(line.label == label for line in lines)
        for label in ("negative", "neutral", "positive")
    }
    assert min(shares.values()) > 0.2
