"""The mood lexicon: what ships, and the faults of a user's own."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.errors import EchoPulseError
from transforms.mood_lexicon import MOODS, SHIPPED, MoodEntry, read_moods

if TYPE_CHECKING:
    from pathlib import Path

_LINE = '{"token":"KEKW","mood":"laugh"}\n'

#: Words that say something of their own so often that in lower case they are no emote.
_ORDINARY = (
    "sure w l f clap aware clueless life looking listening waiting stare okay real same right word free sick cook next "
    "pass gas heat clean fresh salt dog soft throw imagine peak him king queen cooking nerd caught run love hug wave"
)


@pytest.mark.parametrize(("path", "least"), list(zip(SHIPPED, (600, 500, 300), strict=True)))
def test_shipped(path: Path, least: int) -> None:
    """Each file that ships can be read, is as long as promised, and a token's spelling is what texts are made of."""
    entries = read_moods(path)
    assert len(entries) >= least
    for entry in entries:
        assert unicodedata.normalize("NFKC", entry.token) == entry.token
        assert re.findall(r"\s", entry.matched) == re.findall(r"\s", entry.token)


def test_shipped_files_do_not_conflict() -> None:
    """No token stands in two of the files, nor as written beside its own lower case."""
    entries = [entry for path in SHIPPED for entry in read_moods(path)]
    repeated = Counter((entry.matched, entry.platform, entry.channel) for entry in entries)
    assert [token for token, times in repeated.items() if times > 1] == []
    uncased = {entry.matched for entry in entries if not entry.cased}
    assert [entry.token for entry in entries if entry.cased and entry.token.lower() in uncased] == []


def test_shipped_spellings() -> None:
    """Emotes and emoji are single tokens; only what is known by its capitals has them."""
    emotes, slang, emoji = (read_moods(path) for path in SHIPPED)
    assert [entry.token for entry in [*emotes, *emoji] if " " in entry.token] == []
    assert [entry.token for entry in [*slang, *emoji] if entry.token != entry.matched] == []


def test_ordinary_words_are_listed_as_written_alone() -> None:
    """An everyday word is no emote in lower case."""
    uncased = {entry.matched for path in SHIPPED for entry in read_moods(path) if not entry.cased}
    assert uncased.isdisjoint(_ORDINARY.split())


def test_every_mood_is_met() -> None:
    """Each mood of the closed list is carried by some token."""
    assert {entry.mood for path in SHIPPED for entry in read_moods(path)} == set(MOODS)


@pytest.mark.parametrize(
    ("token", "mood"),
    [
        ("KEKW", "laugh"),
        ("Kappa", "sarcasm"),
        ("BibleThump", "sad"),
        ("PogChamp", "hype"),
        ("monkaS", "fear"),
        ("DansGame", "disgust"),
        ("ResidentSleeper", "bored"),
        ("SeemsGood", "approve"),
        ("HeyGuys", "hello"),
        ("<3", "love"),
        (":joy:", "laugh"),
        ("let's go", "hype"),
        ("uninstall", "disgust"),
        ("not bad", "approve"),
        ("based on", "neutral"),
        ("😭", "sad"),
    ],
)
def test_known_tokens(token: str, mood: str) -> None:
    """What everyone in live chat knows is known."""
    found = [entry.mood for path in SHIPPED for entry in read_moods(path) if entry.token == token]
    assert found == [mood]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_LINE + "{", ":2: Invalid JSON"),
        (_LINE + "\n" + _LINE.lower(), ":3: token: 'kekw' stands in line 1 already"),
        (_LINE.replace("laugh", "laughs"), ":1: mood: 'laughs' is no mood (did you mean 'laugh'?)"),
        (_LINE.replace('"laugh"', "1"), ":1: mood: "),
        (_LINE.replace("}", ',"platfrom":"x"}'), ":1: platfrom: no such field (did you mean 'platform'?)"),
        (_LINE.replace("}", ',"cased":"often"}'), ":1: cased: "),
        (_LINE.replace("KEKW", ""), ":1: token: "),
        (_LINE.replace("KEKW", "KEK  W"), ":1: token: 'KEK  W' may hold single spaces"),
        (_LINE.replace("KEKW", " KEKW"), ":1: token: ' KEKW' may hold single spaces"),
        (_LINE.replace("KEKW", "KEK\\tW"), ":1: token: "),
        (_LINE.replace("KEKW", "¯"), ":1: token: '¯' holds other white space"),
        ('{"token":"KEKW"}', ":1: mood: Field required"),
    ],
)
def test_faults_name_the_line(tmp_path: Path, text: str, told: str) -> None:
    """A fault is told with file, line and field."""
    path = tmp_path / "own.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EchoPulseError) as raised:
        read_moods(path)
    assert f"{path}{told}" in str(raised.value)


def test_one_token_in_several_places(tmp_path: Path) -> None:
    """A token may say something else on a platform, in a channel, and as written."""
    path = tmp_path / "own.jsonl"
    places = ["", ',"platform":"twitch"', ',"channel":"c"', ',"platform":"twitch","channel":"c"', ',"cased":true']
    path.write_text("".join(_LINE.replace("}", f"{place}}}") for place in places), encoding="utf-8")
    assert [(entry.platform, entry.channel, entry.cased) for entry in read_moods(path)] == [
        (None, None, False),
        ("twitch", None, False),
        (None, "c", False),
        ("twitch", "c", False),
        (None, None, True),
    ]


def test_unreadable_files(tmp_path: Path) -> None:
    """A lexicon that is not there, or not UTF-8, is named."""
    path = tmp_path / "own.jsonl"
    with pytest.raises(EchoPulseError, match=r"own\.jsonl cannot be read"):
        read_moods(path)
    path.write_bytes(b"\xff")
    with pytest.raises(EchoPulseError, match=r"own\.jsonl cannot be read"):
        read_moods(path)


@given(st.text(min_size=1))
def test_what_is_matched_stands_in_a_composed_text(token: str) -> None:
    """A token is either refused or, as matched, found in the composed lower-cased text that holds it."""
    try:
        entry = MoodEntry(token=token, mood="neutral")
    except ValidationError:
        return
    composed = unicodedata.normalize("NFKC", token)
    assert entry.matched == unicodedata.normalize("NFKC", composed.lower())
    assert MoodEntry(token=token, mood="neutral", cased=True).matched == composed
