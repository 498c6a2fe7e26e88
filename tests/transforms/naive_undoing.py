"""Evasions undone slowly, on strings: what the kernels of transforms.kernels must say of any text, without moods."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import emoji

from transforms.confusables import EXTENDED, LEET, LOOKALIKE, RESEMBLING, choices
from transforms.kernels.readings import MAX_READINGS, MAX_WORD
from transforms.vocabulary import STRONG, UNITS, WORDS

#: The signs of copyright and trade mark (below U+0100) part no words: they are found in broken encodings.
_EMOJI = {sequence[0] for sequence in emoji.EMOJI_DATA if ord(sequence[0]) > 0xFF}
_FLAG_HALVES = {chr(point) for point in range(0x1F1E6, 0x1F200)}
_SIGNS = "!$+@|"
_SEPARATORS = ".-_*"
_LETTER, _DIGIT = re.compile(r"[a-z]"), re.compile(r"[0-9]")


class _Word(NamedTuple):
    text: str
    times: int


@cache
def _counts() -> dict[str, int]:
    lines = WORDS.read_text(encoding="ascii").split("\n")
    counts = {word: int(count) for word, count in (line.split() for line in lines if line)}
    return counts | {word: 1 for word in STRONG if word not in counts}


@cache
def _costs() -> dict[str, int]:
    """Tenths of a bit of each three letters in a row, by the words that have them."""
    rows: defaultdict[str, float] = defaultdict(float)
    pairs: defaultdict[str, float] = defaultdict(float)
    weights = {word: math.log1p(count) for word, count in _counts().items()}
    for word, weight in weights.items():
        spelled = f"  {word} "
        for first, second, third in zip(spelled, spelled[1:], spelled[2:], strict=False):
            rows[first + second + third] += weight
            pairs[first + second] += weight
    return {row: min(round(10 * math.log2(pairs[row[:2]] / weight)), 100) for row, weight in rows.items()}


def _is_letter(character: str) -> bool:
    return bool(_LETTER.fullmatch(character))


def _is_leet(character: str) -> bool:
    return bool(_DIGIT.fullmatch(character)) or character in _SIGNS


def _kind(character: str) -> int:
    table = choices()
    return int(table[ord(character), 0]) if ord(character) < len(table) else 0


def _options(character: str) -> str:
    if _is_letter(character):
        return character
    return bytes(choices()[ord(character), 1:]).rstrip(b"\0").decode()


def _readings(word: str) -> list[str]:
    """All ways to read a word, the first letter's other choices first."""
    turned = itertools.product(*(_options(character) for character in reversed(word)))
    return ["".join(reversed(reading)) for reading in itertools.islice(turned, MAX_READINGS)]


def _commonest(word: str) -> _Word | None:
    known = [_Word(reading, _counts().get(reading, 0)) for reading in _readings(word)]
    best = max(known, key=lambda found: found.times)
    return best if best.times else None


def _cost(word: str) -> int:
    spelled = f"  {word} "
    return sum(_costs().get(spelled[place : place + 3], 100) for place in range(len(word) + 1))


def folded(text: str) -> str:
    """Compatibility forms in lower case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())


def undone(text: str) -> str:
    """Undo the evasions in a cleaned text (a line feed stands for several spaces)."""
    latin = _mostly_latin(text)
    written = ""
    position = 0
    gap = False
    while position < len(text):
        if text[position] in " \n":
            gap = bool(written)
            position += 1
            continue
        told, size = _piece(text, position, latin, begins=position == 0 or text[position - 1] in " \n")
        written += " " * gap + told
        gap = False
        position += size
    return written


def _piece(text: str, position: int, latin: bool, *, begins: bool) -> tuple[str, int]:  # noqa: FBT001 - as the text is
    """What is written for the token, emoji or spelled-out words at a place, and how many characters they are."""
    rest = text[position:]
    count = _spelled(rest) if begins and rest[1:2] == " " else 0
    if count:
        told = _told_apart(rest[0 : 2 * count : 2])
        if told is not None:
            return told, 2 * count - 1
    if rest[0] in _EMOJI or rest[0] in _FLAG_HALVES:
        return rest[0], 1
    ends = [place for place, own in enumerate(rest) if own in " \n" or own in _EMOJI or own in _FLAG_HALVES]
    token = rest[: min(ends, default=len(rest))]
    return _token(token, latin), len(token)


def _mostly_latin(text: str) -> bool:
    plain = sum(map(_is_letter, text))
    near = sum(0xC0 <= ord(own) < 0x800 and _kind(own) != LOOKALIKE for own in text)
    far = sum(0x800 <= ord(own) < 0x2000 or 0x3000 <= ord(own) < 0x10000 for own in text)
    return plain > 0 and plain >= 2 * (near + far)


def _spelled(rest: str) -> int:
    """How many single letters a text begins with, parted by one and the same character; 0 for fewer than three."""
    if len(rest) < 5 or not _is_letter(rest[0]):
        return 0
    separator = rest[1]
    count = 1
    while rest[2 * count - 1 : 2 * count] == separator and _is_letter(rest[2 * count : 2 * count + 1]):
        count += 1
    after = rest[2 * count - 1 :]
    abbreviates = separator == " " and len(after) > 1 and after[0] in _SEPARATORS and _is_letter(after[1])
    if abbreviates or (after and _goes_on(after[0])):
        count -= 1
    # Of one letter alone it is none, the one that another word begins with counted along.
    alike = len(set(rest[0 : 2 * (count + (abbreviates or bool(after and _goes_on(after[0])))) : 2])) == 1
    return 0 if count < 3 or alike else count


def _goes_on(character: str) -> bool:
    if character.isascii():
        return _is_letter(character) or bool(_DIGIT.fullmatch(character))
    return 0xC0 <= ord(character) < 0x2000 or 0x3000 <= ord(character) < 0x10000 or ord(character) >= 0x40000


def _told_apart(letters: str) -> str | None:
    """Joined letters as one word, or as several; None where three are no word."""
    if _counts().get(letters, 0) >= 5:
        return letters
    if len(letters) == 3:
        return None
    if len(letters) > 64:
        return letters

    @cache
    def likeliest(end: int) -> tuple[float, tuple[str, ...]]:
        best: tuple[float, tuple[str, ...]] = (-math.inf, ())
        if end == 0:
            return 0.0, ()
        for begin in range(max(0, end - 20), end):
            count = _counts().get(letters[begin:end], 0)
            if count:
                before, words = likeliest(begin)
                likelihood = before + math.log(count / 1_500_000)
                if likelihood > best[0]:
                    best = likelihood, (*words, letters[begin:end])
        return best

    _, words = likeliest(len(letters))
    return " ".join(words) if words and 3 * len(words) <= len(letters) + 2 else letters


def _token(token: str, latin: bool) -> str:  # noqa: FBT001 - as the text is
    """A token with the words in it undisguised, whatever else is in it kept."""
    written = ""
    position = 0
    while position < len(token):
        rest = token[position:]
        count = _spelled(rest) if rest[1:2] and rest[1] in _SEPARATORS else 0
        if count:
            written += rest[0 : 2 * count : 2]
            position += 2 * count - 1
            continue
        size = 0
        while size < len(rest) and _wordly(rest[size]):
            size += 1
        size = max(size, 1)
        word = rest[:size].rstrip("!")
        kept = position > 0 and token[position - 1] in "#/"
        written += (word if kept or not word or not _wordly(word[0]) else _word(word, latin)) + rest[len(word) : size]
        position += size
    return written


def _wordly(character: str) -> bool:
    return _is_letter(character) or _is_leet(character) or (ord(character) > 0x7F and not _punctuates(character))


def _punctuates(character: str) -> bool:
    return 0x2000 <= ord(character) < 0x2040


def _script(character: str) -> str:
    return unicodedata.name(character).split()[0]


def _word(word: str, latin: bool) -> str:  # noqa: FBT001 - as the text is
    """One word, undisguised where it is disguised."""
    kinds = [0 if _is_letter(own) else _kind(own) for own in word]
    if len(word) > MAX_WORD or any(kind == 0 and not _is_letter(own) for own, kind in zip(word, kinds, strict=True)):
        return word
    plain, signs = kinds.count(0), kinds.count(LEET)
    foreign = len(word) - plain - signs
    if foreign == 0:
        return (_leet(word, plain) or word) if plain and signs else word
    known = _commonest(word)
    spelling = known.text if known else "".join(own if _is_leet(own) else _options(own)[0] for own in word)
    scripts = {_script(own) for own, kind in zip(word, kinds, strict=True) if kind not in (0, LEET)}
    if kinds.count(EXTENDED) == foreign:
        disguised = known is not None and plain > 0 and len(word) > 3
    elif plain or len(scripts) > 1:
        disguised = known is not None or 2 * kinds.count(RESEMBLING) <= plain + foreign
    else:
        disguised = latin and RESEMBLING not in kinds and not signs and len(word) > 1
    return spelling if disguised else word


def _leet(word: str, plain: int) -> str | None:
    """A word of letters, digits and signs as it is read, None where it is left."""
    known = _commonest(word)
    if known is None:
        return _spelling(word, plain)
    strong = known.text in STRONG
    scattered = _scattered(word) or _mixed(word)
    if len(word) < 3:
        return None
    if plain < 2 and not strong and (len(word) < 4 or known.times < (10 if scattered else 100)):
        return None
    if len(word) == 3 and (_is_leet(word[0]) or (_is_leet(word[2]) and word[2] != "$")):
        return None
    return None if _numbered(word, known) else known.text


def _numbered(word: str, known: _Word) -> bool:
    ahead, rest, behind = _trimmed(word)
    strong = known.text in STRONG
    if any(map(_is_leet, rest)) or (ahead and behind) or _mixed(ahead) or _mixed(behind):
        return False
    count = _counts().get(rest, 0)
    if ahead:
        if ahead[0].isdigit():
            return rest in UNITS
        return len(ahead) == 1 and not strong and 8 * count > known.times
    if strong or "$" in behind:
        return False
    return {"3": 2, "5": 1}.get(behind, 8) * count > known.times


def _trimmed(word: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"([^a-z]*)(.*?)([^a-z]*)", word)
    assert found is not None
    return found[1], found[2], found[3]


def _mixed(run: str) -> bool:
    digits = [own for own in run if own.isdigit()]
    if not digits:
        return len(run) > 1 and "!" not in run
    return len(digits) < len(run) and bool(set(run) - set("!1"))


def _scattered(word: str) -> bool:
    cry = re.search(r"![!1]*$", word)
    ahead = word[: cry.start()] if cry and re.search(r"(?<![!1])[!1]*$", word)[0] == cry[0] else word  # type: ignore[index]
    return len(re.findall(r"[^a-z]+", ahead)) > 1


def _joined(word: str) -> bool:
    for found in re.finditer(r"[a-z]+", word):
        if word[: found.start()].isdigit() and found[0] in UNITS:
            return True
        if word[: found.start()].endswith("@") and len(found[0]) > 5:
            return True
    return all(len(own) > 2 and own in _counts() for own in re.findall(r"[a-z]+", word))


def _spelling(word: str, plain: int) -> str | None:
    """An unknown word as it is likeliest spelled, None where it is none."""
    best = min(_readings(word), key=_cost)
    if _joined(word):
        return None
    if plain > 1 and _scattered(word) and _cost(best) <= (45 if plain > 2 else 35) * (len(word) + 1):
        return best
    signs = [own for own in word if _is_leet(own)]
    numbered = set(signs) & set("2689") or (_is_leet(word[-1]) and word[-1] != "$") or re.search("[0-9]{2}", word)
    if plain < 4 or _is_leet(word[0]) or numbered or set(signs) <= set("!+@") or len(signs) > plain:
        return None
    if len(signs) > 1:
        return best
    ahead, behind = word.split(signs[0])
    return None if _whole(ahead) and _whole(behind) else best


def _whole(word: str) -> bool:
    return word in _counts() or word in UNITS
