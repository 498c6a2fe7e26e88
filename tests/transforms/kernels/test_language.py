"""The language kernels against a naive reading of the same rules."""

import json
import math
from collections import defaultdict
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.buffers import string_buffers
from transforms.kernels.language import LONGEST_GRAM, SHORTEST_GRAM, likeliest
from transforms.language import _UNIT, FEWEST_ENGLISH, TABLE, WEIGHTS_PER_UNIT, _table
from transforms.languages.function_words import ENGLISH
from transforms.languages.scripts import CODES, HAN, KANA, MODELLED, WIDTH, code_points

LINES = [
    json.loads(line)["text"].lower()
    for path in sorted((Path(__file__).parents[1] / "languages").glob("*.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]
with np.load(TABLE) as _file:
    WEIGHTS = dict(zip(_file["keys"].tolist(), _file["weights"].astype(int), strict=True))


def _run(texts: list[str]) -> tuple[list[str], list[float], list[int]]:
    told, words, letters = (np.empty(len(texts), np.int32) for _ in range(3))
    confidences = np.empty(len(texts), np.float64)
    slots, shift, marks, weights, codes, english = _table()
    values, offsets = string_buffers(pa.array(texts, pa.string()))
    likeliest(
        values, offsets, code_points(), HAN, KANA, codes, slots, shift, marks, weights, _UNIT, english, FEWEST_ENGLISH,
        told, confidences, words, letters,
    )  # fmt: skip
    return [CODES[code] for code in told], confidences.tolist(), words.tolist()


def _naive(text: str) -> tuple[str, float]:
    """Read words of small Latin letters and spaces, too short to be cut."""
    words = ["".join(letter for _, run in groupby(word) for letter in list(run)[:2]) for word in text.split()]
    if not any(len(word) > 1 for word in words):
        return "und", 0.0
    known = sum(word in ENGLISH for word in words)
    if known >= FEWEST_ENGLISH and known * 4 >= len(words):
        return "en", 1.0
    padded = f" {' '.join(words)} ".encode()
    grams = set()
    for end in range(SHORTEST_GRAM, len(padded) + 1):
        for size in range(min(LONGEST_GRAM, end), SHORTEST_GRAM - 1, -1):
            key = int.from_bytes(padded[end - size : end])
            if key in WEIGHTS:
                grams.add(key)
                break
    if not grams:
        return "und", 0.0
    sums = sum((WEIGHTS[key] for key in grams), np.zeros(WIDTH, int))
    scores = [value * math.log(2) / WEIGHTS_PER_UNIT / math.sqrt(len(padded)) for value in sums]
    shares: defaultdict[str, float] = defaultdict(float)
    for (_, code), score in zip(MODELLED[0].languages, scores, strict=False):
        if score - max(scores) > -10:
            shares[code] += math.exp(score - max(scores))
    best = max(shares, key=lambda code: shares[code])
    return best, shares[best] / sum(shares.values())


SHORT = st.lists(
    st.sampled_from(sorted({word for line in LINES for word in line.split() if word.isascii()})), max_size=6
)


@settings(deadline=None)
@given(SHORT, st.text(alphabet="aeioußéntsrdm ", max_size=25))
def test_a_naive_reading_agrees(words: list[str], noise: str) -> None:
    """The most likely language and its probability are what dictionaries of grams and words give."""
    latin = " ".join(word for word in words if word.isalpha() and len(word) < 9)
    for text in (latin, noise):
        codes, confidences, _ = _run([text])
        expected, probability = _naive(text)
        assert math.isclose(confidences[0], probability, rel_tol=1e-9)
        assert codes[0] == expected or math.isclose(probability, 0.5, rel_tol=1e-6)


def test_words_that_are_read() -> None:
    """Words are counted without URLs, mentions, emotes in colons and words with digits; runs and faces do not count."""
    texts = ["one two", "@one two https://three.example four5 :six: <:seven:8>", "don\u2019t stop-it", "", "a" * 5_000]
    assert _run(texts)[2] == [2, 1, 3, 0, 1]
