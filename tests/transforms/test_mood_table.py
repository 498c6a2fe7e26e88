"""Moods marked behind known tokens."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.mood_lexicon import MOODS as NAMES
from transforms.mood_lexicon import MoodEntry
from transforms.mood_table import build_table, load_table, markers
from transforms.normalisation import normalise

MOODS = build_table(
    [
        MoodEntry(token="KEKW", mood="laugh"),
        MoodEntry(token="lmao", mood="laugh"),
        MoodEntry(token="4head", mood="laugh"),
        MoodEntry(token="m8", mood="neutral"),
        MoodEntry(token="Clap", mood="approve", cased=True),
        MoodEntry(token="on god", mood="approve"),
        MoodEntry(token=":)", mood="joy"),
        MoodEntry(token="😭", mood="sad"),
        MoodEntry(token="😂", mood="laugh"),
        MoodEntry(token="👍", mood="approve"),
        MoodEntry(token="❤️", mood="love"),
        MoodEntry(token="gg", mood="hype"),
        MoodEntry(token="gg", mood="hello", platform="discord"),
        MoodEntry(token="gg", mood="mock", channel="cozy"),
        MoodEntry(token="Sure", mood="sarcasm", cased=True, channel="cozy"),
    ]
)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("KEKW KEKW kekw", "kekw kekw kekw :laugh:"),
        ("KEKW :) so", "kekw :laugh: :) :joy: so"),
        ("lmao😂 lmaooooo!!!", "lmao😂 lmaoo!! :laugh:"),
        ("love😭you 😭😭 👍🏽", "love😭 :sad: you 😭😭 :sad: 👍🏽 :approve:"),
        ("❤ ❤️❤️", "❤ ❤❤ :love:"),
        ("Clap clap CLAP Clap!", "clap :approve: clap clap clap! :approve:"),
        ("on god! on", "on god! :approve: on"),
        ("4head 5head m8", "4head :laugh: 5head m8"),
        ("k e k w", "kekw :laugh:"),
        ("kekw :laugh: x", "kekw :laugh: x"),
        ("https://a.b", "://"),
    ],
)
def test_moods(text: str, normalised: str) -> None:
    """A mood stands behind each known token, once for those of one mood in a row."""
    assert normalise(pa.array([text]), MOODS).normalised.to_pylist() == [normalised]


@pytest.mark.parametrize(
    ("platform", "channel", "normalised"),
    [
        ("discord", "x", "gg :hello: sure"),
        ("discord", "cozy", "gg :mock: sure :sarcasm:"),
        ("twitch", "", "gg :hype: sure"),
    ],
)
def test_scopes(platform: str, channel: str, normalised: str) -> None:
    """An entry with a platform or channel holds there alone, a channel's before a platform's."""
    result = normalise(pa.array(["gg Sure"]), MOODS, pa.array([platform]), pa.array([channel]))
    assert result.normalised.to_pylist() == [normalised]


def test_signatures_hold_no_moods() -> None:
    """Two texts equal in letters are near-duplicates whatever mood a platform gives to one of them."""
    result = normalise(pa.array(["gg all", "gg all"]), MOODS, pa.array(["discord", "twitch"]))
    assert result.clusters[0] == result.clusters[1]
    assert result.keys[0] != result.keys[1]


def test_a_later_entry_holds() -> None:
    """A lexicon of the user's own, read after the shipped one, overrides it."""
    table = build_table([MoodEntry(token="pog", mood="hype"), MoodEntry(token="pog", mood="mock")])
    assert normalise(pa.array(["pog"]), table).normalised.to_pylist() == ["pog :mock:"]


def test_markers_of_a_text_are_limited() -> None:
    """Moods that take turns are marked 32 times a text."""
    text = "KEKW :) " * 500
    assert normalise(pa.array([text]), MOODS).normalised[0].as_py().count(" :laugh:") == 16


def test_marker_of_each_mood() -> None:
    """Each mood has its marker but the neutral one."""
    written = [bytes(row[1 : 1 + row[0]]).decode() for row in markers()]
    assert written == ["" if name == "neutral" else f" :{name}:" for name in NAMES]


def test_shipped_lexicon() -> None:
    """The lexicon that ships is what normalisation uses."""
    assert load_table() is load_table()
    assert normalise(pa.array(["KEKW"])).normalised.to_pylist() == ["kekw :laugh:"]
