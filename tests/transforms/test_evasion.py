"""Evasions: what is undone, what stays, and how much of each attack is recovered."""
# ruff: noqa: RUF001 - look-alikes are what is tested

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import EchoPulseError
from transforms.evasion import ATTACKS, evade
from transforms.mood_table import build_table
from transforms.normalisation import normalise

MOODS = build_table([])
TEXTS = pa.array(
    [
        "honestly this stupid update made everything worse than before",
        "nobody wants another boring stream about nothing, please change the game",
        "what a wonderful evening with friends, thanks everyone for coming tonight",
        "they should have listened when people told them about the problem",
        "Здравствуйте, это обычный русский текст",
        "#hashtag @mention https://example.org/some/path stay",
        "",
    ]
)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("h4te sh1t b!tch a$$hole 5tupid idi0t p!nk", "hate shit bitch asshole stupid idiot pink"),
        (
            "2nd 4th 1080p covid19 ps5 mp3 h2o b2b 10k 3pm $AAPL gr8 b4 50ft game5 7:30pm #h4te a@b.de day! a+ google+",
            "2nd 4th 1080p covid19 ps5 mp3 h2o b2b 10k 3pm $aapl gr8 b4 50ft game5 7:30pm #h4te a@b.de day! a+ google+",
        ),
        ("w!|1 you st!11 do th!$ 3d93", "will you still do this edge"),
        ("|@s+ |@s7 s+111 st111 w111", "last |@ still still will"),
        ("|@bob| +@bob a|@b 111 5111 +111 covid1111 st1112 |@5+", "|@| +@ a|@b 11 511 +11 covid11 st112 |@5+"),
        ("r4d1@t|0n m46ni+ud3", "radiation magnitude"),
        ("see you||there 6million+ 3am!with 1on1 h3n2 in!1", "see you||there 6million+ 3am!with 1on1 h3n2 in!1"),
        ("yⲟu are сⲟⲟl", "you are cool"),
        ("you i d i o t !", "you idiot !"),
        ("i h a t e you", "i hate you"),
        ("k i l l  y o u", "kill you"),
        ("f.u.c.k s-h-i-t k_y_s f*u*c*k f**k", "fuck shit kys fuck f**k"),
        ("u r a star, x x x x", "u r a star, x x x x"),
        ("by J. R. R. Tolkien", "by j. r. r. tolkien"),
        ("ѕtuріd ʜate", "stupid hate"),
        ("you are a ѕсаm", "you are a scam"),
        ("Привет мир, море", "привет мир, море"),
        ("καλημέρα", "καλημέρα"),
        ("słowo kød", "słowo kød"),
        ("t̷̢e̴x̸t", "text"),
        ("ⓗⓔⓛⓛⓞ 𝒽𝑒𝓁𝓁𝑜", "hello hello"),
    ],
)
def test_evasions(text: str, normalised: str) -> None:
    """Evasions are undone, and what only looks like one stays."""
    assert normalise(pa.array([text]), MOODS).normalised.to_pylist() == [normalised]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks(attack: str) -> None:
    """An attack is the same for the same seed and leaves what is no word; nearly all of it is undone."""
    attacked = evade(TEXTS, attack, 1)
    assert attacked == evade(TEXTS, attack, 1)
    assert attacked != evade(TEXTS, attack, 2)
    assert attacked.slice(4).to_pylist()[0] == TEXTS[4].as_py()
    assert attacked.slice(6).to_pylist() == [""]
    assert attacked[5].as_py().startswith("#hashtag @mention https://example.org/some/path ")
    assert all(attacked[row] != TEXTS[row] for row in range(4))
    words = " ".join(normalise(TEXTS.slice(0, 4), MOODS).normalised.to_pylist()).split()
    back = " ".join(normalise(attacked.slice(0, 4), MOODS).normalised.to_pylist()).split()
    assert len(set(words) & set(back)) >= 0.95 * len(set(words))


@pytest.mark.skipif("LABELLED_TEXTS" not in os.environ, reason="LABELLED_TEXTS names no folder of labelled texts")
@pytest.mark.parametrize(("attack", "least"), [("leetspeak", 0.95), ("homoglyph", 0.99), ("zero_width", 1.0)])
def test_attacks_on_labelled_texts(attack: str, least: float) -> None:
    """Nearly all words that were disguised are read as what they were."""
    texts = pq.read_table(Path(os.environ["LABELLED_TEXTS"]) / "offensive.val.parquet")["text"].combine_chunks()
    attacked = evade(texts, attack, 1)
    plain, back = (normalise(column, MOODS).normalised.to_pylist() for column in (texts, attacked))
    read = []
    for columns in zip(texts.to_pylist(), attacked.to_pylist(), plain, back, strict=True):
        words = [text.split() for text in columns]
        if len({len(row) for row in words}) == 1:
            read += [is_read == was for wrote, now, was, is_read in zip(*words, strict=True) if wrote != now]
    assert len(read) > 1000
    assert sum(read) >= least * len(read)


def test_unknown_attack() -> None:
    """An attack that there is not is named, with the near miss."""
    with pytest.raises(EchoPulseError, match="'leetspeek' is no attack"):
        evade(TEXTS, "leetspeek", 1)
