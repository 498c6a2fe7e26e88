"""What transformers are given of a text."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.reading import STYLES, pieces_text, tweet_text
from transforms.strategy import TEXTS


def test_normalised() -> None:
    """Marks of URLs and mentions become words."""
    assert pieces_text(pa.array(["see :// now", "@ hi @", "a@b", "rt @: @"])).to_pylist() == [
        "see http now",
        "@user hi @user",
        "a@b",
        "rt @user: @user",
    ]


def test_tweets() -> None:
    """URLs and mentions as they were written become the words that TweetEval's models know; the rest stays."""
    texts = ["@Ann @bob LOOK https://example.org/a now", "mail a@b.c @", "HTTPS://x", "", "see\nhttp://x"]
    assert tweet_text(pa.array(texts)).to_pylist() == [
        "@user @user LOOK http now",
        "mail a@b.c @",
        "HTTPS://x",
        "",
        "see\nhttp://x",
    ]


def _word_by_word(text: str) -> str:
    """As the cards of TweetEval's models say it, in Python."""
    words = ["@user" if word.startswith("@") and len(word) > 1 else word for word in text.split(" ")]
    return " ".join("http" if word.startswith("http") else word for word in words)


@given(st.lists(st.text(st.sampled_from(" @ahtp:/\n.é\U0001f600"), max_size=30), max_size=8))
def test_tweets_are_those_of_a_loop(texts: list[str]) -> None:
    """Words are rewritten all at once as one by one."""
    assert tweet_text(pa.array(texts, pa.string())).to_pylist() == [_word_by_word(text) for text in texts]


def test_each_style_reads_what_strategies_are_given() -> None:
    """A style's column is one of a batch's."""
    assert {column for column, _ in STYLES.values()} <= set(TEXTS.names)
    assert STYLES["written"][1](pa.array(["@A http://b"])).to_pylist() == ["@A http://b"]
