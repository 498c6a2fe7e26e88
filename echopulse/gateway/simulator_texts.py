"""Composes the simulator's messages, whole batches at a time: templates and words are tables, rows are indices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.vocabulary import (
    TAIL_SLOTS,
    TEMPLATE_SLOTS,
    Template,
    json_escaped,
    parse_template,
    vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Indices = npt.NDArray[np.int64]

T = TypeVar("T")

#: A register is a way to talk; `reaction` and `silent` (joins, deletes) carry no words of their own.
REGISTERS = ("friendly", "neutral", "toxic", "hype", "raid", "brigading", "spam", "trend", "reaction", "silent")
REACTION = REGISTERS.index("reaction")
SILENT = REGISTERS.index("silent")

_WORDLESS = {"reaction": ["{emoji_good}"], "silent": [""]}
_NUMBERS = [str(number) for number in range(2, 121)]


@dataclass(frozen=True)
class Voice:
    """How one component of the stream talks: its language, its shares of registers and the scenario's own words.

    `messages` replaces a register's templates; `variants` keeps only so many of them, counted from `turn`.
    """

    language: str
    shares: Mapping[str, float]
    words: Mapping[str, Sequence[str]]
    messages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variants: int = 0
    turn: int = 0


class TextTables:
    """The voices' templates and words as Arrow columns, with the range of rows that each voice draws from."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        """Build the tables. Raises EchoPulseError for a template with an unknown slot or too many."""
        self._words: list[str] = [""]
        self._slots: dict[str, int] = {"": 0}
        self._templates: list[Template] = []
        self._tails: list[Template] = []
        shape = (len(voices), len(REGISTERS))
        self._template_range = np.zeros((*shape, 2), np.int64)
        self._tail_range = np.zeros((*shape, 2), np.int64)
        shares = np.zeros(shape)
        ranges: list[dict[str, tuple[int, int]]] = []
        for place, voice in enumerate(voices):
            ranges.append(self._add_words(voice))
            for column, register in enumerate(REGISTERS):
                shares[place, column] = voice.shares.get(register, 0.0)
                templates, tails = _templates(voice, register, set(ranges[-1]))
                self._template_range[place, column] = _appended(self._templates, templates)
                self._tail_range[place, column] = _appended(self._tails, tails)
        self._cumulative = np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)
        self._word_range = np.zeros((len(voices), len(self._slots), 2), np.int64)
        self._word_range[:, 0] = (0, 1)
        for place, named in enumerate(ranges):
            for slot, (start, count) in named.items():
                self._word_range[place, self._slots[slot]] = (start, count)
        self._word_column = pa.array(self._words, pa.string())
        self._template_parts, self._template_slots = _columns(self._templates, self._slots, TEMPLATE_SLOTS)
        self._tail_parts, self._tail_slots = _columns(self._tails, self._slots, TAIL_SLOTS)

    def draw_registers(self, voice: Indices, rng: np.random.Generator) -> Indices:
        """Draw one register a row by its voice's shares."""
        passed = rng.random(len(voice))[:, None] >= self._cumulative[voice]
        register: Indices = np.minimum(passed.sum(axis=1), len(REGISTERS) - 1)
        return register

    def compose(self, voice: Indices, register: Indices, rng: np.random.Generator) -> pa.BinaryArray:
        """Compose one JSON payload `{"text": ...}` a row, as bytes: a template with its slots filled, and a tail."""
        template = _drawn(self._template_range[voice, register], rng)
        tail = _drawn(self._tail_range[voice, register], rng)
        pieces: list[pa.Array | pa.Scalar] = [pa.scalar('{"text":"')]
        for parts, slots, rows in (
            (self._template_parts, self._template_slots, pa.array(template)),
            (self._tail_parts, self._tail_slots, pa.array(tail)),
        ):
            for number, part in enumerate(parts):
                pieces.append(part.take(rows))
                if number < slots.shape[1]:
                    kind = slots[rows.to_numpy(), number]
                    word = _drawn(self._word_range[voice, kind], rng)
                    pieces.append(self._word_column.take(pa.array(word)))
        payload = pc.binary_join_element_wise(*pieces, pa.scalar('"}'), pa.scalar(""))
        return payload.cast(pa.binary())

    def _add_words(self, voice: Voice) -> dict[str, tuple[int, int]]:
        lists = {**vocabulary(voice.language).words, "number": _NUMBERS, **voice.words}
        ranges = {}
        for slot, words in lists.items():
            if words:
                self._slots.setdefault(slot, len(self._slots))
                ranges[slot] = _appended(self._words, [json_escaped(word) for word in words])
        return ranges


def _templates(voice: Voice, register: str, known: set[str]) -> tuple[list[Template], list[Template]]:
    """Return a voice's templates and tails of a register; none where it never uses the register."""
    wordless = register in _WORDLESS
    if not (wordless or voice.shares.get(register)):
        return [], []
    own = voice.messages.get(register)
    texts = own or _WORDLESS.get(register) or vocabulary(voice.language).templates[register]
    if voice.variants and not wordless:
        texts = [texts[(voice.turn + step) % len(texts)] for step in range(min(voice.variants, len(texts)))]
    tails = [""] if wordless else vocabulary(voice.language).tails[register]
    return (
        [parse_template(text, known, TEMPLATE_SLOTS) for text in texts],
        [parse_template(text, known, TAIL_SLOTS) for text in tails],
    )


def _columns(templates: list[Template], slots: dict[str, int], count: int) -> tuple[list[pa.StringArray], Indices]:
    parts = [pa.array([t.parts[place] for t in templates], pa.string()) for place in range(count + 1)]
    return parts, np.array([[slots[name] for name in t.slots] for t in templates], np.int64).reshape(-1, count)


def _appended(table: list[T], rows: Sequence[T]) -> tuple[int, int]:
    start = len(table)
    table.extend(rows)
    return start, len(rows)


def _drawn(ranges: Indices, rng: np.random.Generator) -> Indices:
    """Draw one index a row, each in its own range (start, count)."""
    return ranges[:, 0] + (rng.random(len(ranges)) * ranges[:, 1]).astype(np.int64)
