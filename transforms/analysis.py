"""The one pass over events: bytes in, one row of schemas.arrow.ANALYSED out for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import ANALYSED
from schemas.codec import decode_events
from transforms.artifact import find_artifact
from transforms.discovery import discover
from transforms.extraction import extract, lookup
from transforms.keys import narrow_keys, string_keys
from transforms.kinds import find_kind
from transforms.normalisation import NormalisedTexts, normalise
from transforms.scoring import score
from transforms.screening import Outcome, screen
from transforms.strategy import TEXTS, Context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.kinds import Kind
    from transforms.strategy import Strategy

#: What is analysed where the settings name nothing else.
DEFAULT_STRATEGIES = {"sentiment": "bag", "toxicity": "bag", "entities": "aliases", "cluster": "signature"}
DEFAULT_KIND = "message"
#: Events of these kinds carry text; the others (delete, join, ...) pass unscored.
TEXT_KINDS = ("message", "edit", "reaction", "transcript")

_IDENTITY = {"id": "event_id", "channel_id": "channel_id", "user_id": "user_id", "source": "source"}


class Analyser:
    """Decodes, screens, normalises and scores batches of events, with one strategy for each kind of analysis.

    `strategies` maps kind to name and goes before DEFAULT_STRATEGIES; `paths` are folders with strategies of the
    user's own; `model` is the artifact, by name or folder, that strategies open; `options` are theirs, by kind.
    """

    def __init__(
        self,
        strategies: Mapping[str, str],
        paths: Sequence[Path] = (),
        model: str = "default",
        options: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._names = DEFAULT_STRATEGIES | dict(strategies)
        self._paths = tuple(paths)
        self._model = model
        self._options = options or {}
        self._strategies: list[tuple[Kind, Strategy]] = []

    def open(self) -> None:
        """Find and open the strategies; raises EchoPulseError where one is unknown or cannot open."""
        catalogue = discover(self._paths)
        artifact = find_artifact(self._model)
        self._strategies = [(find_kind(kind), catalogue.create(kind, name)) for kind, name in self._names.items()]
        for kind, strategy in self._strategies:
            strategy.open(Context(artifact, self._options.get(kind.name, {})))

    def analyse(self, values: pa.BinaryArray, record_ts_ms: pa.Int64Array) -> pa.RecordBatch:
        """Analyse SocialEvent messages, given their records' times (ms UTC): one row of ANALYSED for each, in order.

        Raises nothing for what is in the data: a row that fails has its stage and reason, and the rest is unharmed.
        """
        outcome = Outcome(len(values))
        absent = np.flatnonzero(pc.is_null(values).to_numpy(zero_copy_only=False))
        outcome.refuse(absent, "decode", "the record has no value")
        decoded = decode_events(pc.fill_null(values, b"") if len(absent) else values)
        outcome.refuse(decoded.bad_rows, "decode", lambda index: decoded.reasons[index])
        events, rows = decoded.events, decoded.rows.to_numpy()
        present = ~np.isin(rows, absent)
        if not present.all():
            events, rows = events.filter(pa.array(present)), rows[present]
        return self._analyse_decoded(events, rows, pc.fill_null(record_ts_ms, 0).to_numpy()[rows], outcome)

    def analyse_events(self, events: pa.RecordBatch) -> pa.RecordBatch:
        """Analyse events that are decoded already (schema EVENT), each taken to have come at its own time."""
        times = pc.fill_null(events.column("ts").cast(pa.int64()), 0).to_numpy()
        return self._analyse_decoded(events, np.arange(events.num_rows), times, Outcome(events.num_rows))

    def _analyse_decoded(
        self, events: pa.RecordBatch, rows: NDArray[np.int64], times: NDArray[np.int64], outcome: Outcome
    ) -> pa.RecordBatch:
        kinds = pc.fill_null(lookup(events.column("metadata"), "kind"), DEFAULT_KIND)
        screen(events, kinds, times, rows, outcome)
        columns = {own: _Column(events.column(name), rows) for name, own in _IDENTITY.items()}
        columns["kind"] = _Column(kinds, rows)
        columns["user_key"] = _Column(string_keys(events.column("user_id")), rows)
        columns |= self._analyse_texts(events, kinds, rows, outcome)
        everything = np.arange(len(outcome.passed))
        columns |= {"stage": _Column(outcome.stages(), everything), "reason": _Column(outcome.reasons(), everything)}
        refused = ~outcome.passed
        return pa.RecordBatch.from_arrays(
            [columns.get(field.name, _Column.nothing(field.type)).spread(refused) for field in ANALYSED],
            schema=ANALYSED,
        )

    def _analyse_texts(
        self, events: pa.RecordBatch, kinds: pa.StringArray, rows: NDArray[np.int64], outcome: Outcome
    ) -> dict[str, _Column]:
        textual = pc.is_in(kinds, pa.array(TEXT_KINDS)).to_numpy(zero_copy_only=False) & outcome.passed[rows]
        events, kinds, rows = _kept(textual, events, kinds, rows)
        extracted = extract(events.column("metadata"), events.column("raw_payload"))
        outcome.refuse(rows[extracted.bad_rows], "extract", lambda index: extracted.reasons[index])
        texts = normalise(extracted.texts)
        batch = text_batch(events, kinds, texts)
        worded = (pc.binary_length(texts.normalised).to_numpy() > 0) & outcome.passed[rows]
        columns = {
            "text_key": _Column(narrow_keys(texts.keys), rows, blank(pa.int32())),
            "emoji_count": _Column(texts.emoji_counts, rows, blank(pa.int32())),
        }
        if not worded.all():
            batch, rows = batch.filter(pa.array(worded)), rows[worded]
        for kind, strategy in self._strategies:
            scored = score(strategy, batch)
            failed = np.array(list(scored.failures), np.int64)
            outcome.refuse(rows[failed], "analyse", list(scored.failures.values()).__getitem__)
            neutral = kind.split(pa.array([kind.neutral], kind.type))
            for name, column in kind.split(scored.values).items():
                columns[name] = _Column(column, rows[scored.rows], neutral[name])
        return columns


def _kept(
    keep: NDArray[np.bool_], events: pa.RecordBatch, kinds: pa.StringArray, rows: NDArray[np.int64]
) -> tuple[pa.RecordBatch, pa.StringArray, NDArray[np.int64]]:
    if keep.all():
        return events, kinds, rows
    mask = pa.array(keep)
    return events.filter(mask), kinds.filter(mask), rows[keep]


def text_batch(events: pa.RecordBatch, kinds: pa.StringArray, texts: NormalisedTexts) -> pa.RecordBatch:
    """Return the batch that strategies are given, of events (schema EVENT), their kinds and their normalised texts."""
    columns = {
        "kind": kinds,
        "text": texts.composed,
        "folded": texts.folded,
        "normalised": texts.normalised,
        "key": texts.keys,
        "signature": texts.clusters,
    }
    arrays = [columns[field.name] if field.name in columns else events.column(field.name) for field in TEXTS]
    return pa.RecordBatch.from_arrays(arrays, schema=TEXTS)


class _Column:
    """A column for some rows of the input (ascending), and its value for a row that was not analysed.

    Without such a value it is one of the event's own: a refused row keeps it too, where it could be read.
    """

    def __init__(self, values: pa.Array, rows: NDArray[np.int64], neutral: pa.Array | None = None) -> None:
        self._values = values
        self._rows = rows
        self._neutral = neutral

    @classmethod
    def nothing(cls, type_: pa.DataType) -> _Column:
        """A column that no strategy fills."""
        return cls(pa.array([], type_), np.zeros(0, np.int64))

    def spread(self, refused: NDArray[np.bool_]) -> pa.Array:
        """Lay the values out over all rows: blank where a row was refused, neutral where it was not analysed."""
        own = self._neutral is None
        if len(self._rows) == len(refused) and (own or not refused.any()):
            return self._values
        known = len(self._values)
        index = np.full(len(refused), known)
        index[self._rows] = np.arange(known)
        if not own:
            index[refused] = known + 1
        empty = blank(self._values.type)
        return pa.concat_arrays([self._values, empty if own else self._neutral, empty]).take(pa.array(index))


def blank(type_: pa.DataType) -> pa.Array:
    """One empty value of a type of ANALYSED: '', 0 or an empty list."""
    value: Any = [] if pa.types.is_list(type_) else "" if pa.types.is_string(type_) else 0
    return pa.array([value], type_)
