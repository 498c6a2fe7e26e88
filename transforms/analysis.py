"""The one pass over events: bytes in, one row of schemas.arrow.ANALYSED out for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import ANALYSED
from schemas.codec import decode_events
from transforms.artifact import find_artifact
from transforms.buffers import constant
from transforms.columns import Column, blank, map_column
from transforms.discovery import discover
from transforms.extraction import extract, lookup
from transforms.keys import narrow_keys, string_keys
from transforms.kinds import declared_kind
from transforms.normalisation import NormalisedTexts, normalise
from transforms.screening import Outcome, screen
from transforms.strategy import TEXTS, Context
from transforms.verdict import UNDETERMINED, TextBatch, ask

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

#: Metadata that names another event: the one that this is about, and the one that it answers.
_ABOUT = ("target", "reply_to")
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
        strategies = [catalogue.create(kind, name) for kind, name in self._names.items()]
        self._strategies = [(declared_kind(strategy.kind, strategy.type), strategy) for strategy in strategies]
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
        columns = {own: Column(events.column(name), rows) for name, own in _IDENTITY.items()}
        columns["kind"] = Column(kinds, rows)
        columns |= {name: Column(pc.fill_null(lookup(events.column("metadata"), name), ""), rows) for name in _ABOUT}
        columns["user_key"] = Column(string_keys(events.column("user_id")), rows)
        analysed = self._analyse_texts(events, kinds, rows, outcome)
        refused = ~outcome.passed
        everything = np.arange(len(refused))
        columns |= analysed | {
            "stage": Column(outcome.stages(), everything),
            "reason": Column(outcome.reasons(), everything),
            **self._of_other_kinds(analysed, refused),
        }
        return pa.RecordBatch.from_arrays(
            [columns.get(field.name, Column.nothing(field.type)).spread(refused) for field in ANALYSED],
            schema=ANALYSED,
        )

    def _analyse_texts(
        self, events: pa.RecordBatch, kinds: pa.StringArray, rows: NDArray[np.int64], outcome: Outcome
    ) -> dict[str, Column]:
        textual = pc.is_in(kinds, pa.array(TEXT_KINDS)).to_numpy(zero_copy_only=False) & outcome.passed[rows]
        events, kinds, rows = _kept(textual, events, kinds, rows)
        extracted = extract(events, kinds)
        outcome.refuse(rows[extracted.bad_rows], "extract", lambda index: extracted.reasons[index])
        texts = normalise(extracted.texts)
        languages = constant(UNDETERMINED, len(rows), pa.string())
        batch = text_batch(events, kinds, texts, languages)
        worded = (pc.binary_length(texts.normalised).to_numpy() > 0) & outcome.passed[rows]
        columns = {
            "text_key": Column(narrow_keys(texts.keys), rows, blank(pa.int32())),
            "emoji_count": Column(texts.emoji_counts, rows, blank(pa.int32())),
            "language": Column(languages, rows, pa.array([UNDETERMINED])),
        }
        if not worded.all():
            batch, rows = batch.filter(pa.array(worded)), rows[worded]
        asked = TextBatch(batch)
        for kind, strategy in self._strategies:
            verdict = ask(kind, strategy, asked)
            failed = np.array(list(verdict.failures), np.int64)
            outcome.refuse(rows[failed], "analyse", list(verdict.failures.values()).__getitem__)
            answered = rows[verdict.rows]
            columns[f"model_{kind.name}"] = Column(verdict.models, answered, blank(pa.string()))
            neutral = kind.split(pa.array([kind.neutral], kind.type))
            for name, column in kind.split(verdict.values).items():
                columns[name] = Column(column, answered, neutral[name])
        return columns

    def _of_other_kinds(self, columns: Mapping[str, Column], refused: NDArray[np.bool_]) -> dict[str, Column]:
        """Gather what kinds of the user's own gave, which have no columns of their own."""
        scores, labels, models = {}, {}, {}
        for kind, _ in self._strategies:
            if not kind.columns:
                models[kind.name] = columns[f"model_{kind.name}"]
                for name in kind.split(pa.array([kind.neutral], kind.type)):
                    column = columns[name]
                    if pa.types.is_string(column.values.type):
                        labels[name] = column
                    else:
                        scores[name] = Column(column.values.cast(pa.float64()), column.rows)
        gathered = {"other_scores": scores, "other_labels": labels, "other_models": models}
        return {name: map_column(found, ANALYSED.field(name).type, refused) for name, found in gathered.items()}


def _kept(
    keep: NDArray[np.bool_], events: pa.RecordBatch, kinds: pa.StringArray, rows: NDArray[np.int64]
) -> tuple[pa.RecordBatch, pa.StringArray, NDArray[np.int64]]:
    if keep.all():
        return events, kinds, rows
    mask = pa.array(keep)
    return events.filter(mask), kinds.filter(mask), rows[keep]


def text_batch(
    events: pa.RecordBatch, kinds: pa.StringArray, texts: NormalisedTexts, languages: pa.StringArray
) -> pa.RecordBatch:
    """Return the batch that strategies are given: events (schema EVENT), their kinds, normalised texts, languages."""
    columns = {
        "kind": kinds,
        "text": texts.composed,
        "folded": texts.folded,
        "normalised": texts.normalised,
        "key": texts.keys,
        "signature": texts.clusters,
        "language": languages,
    }
    arrays = [columns[field.name] if field.name in columns else events.column(field.name) for field in TEXTS]
    return pa.RecordBatch.from_arrays(arrays, schema=TEXTS)
