"""The one pass over events: bytes in, one row of schemas.arrow.ANALYSED out for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import ANALYSED, SHADOWED
from schemas.codec import decode_events
from transforms.columns import Column, blank, map_column
from transforms.extraction import DEFAULT_KIND, TEXT_KINDS, extract, lookup
from transforms.keys import narrow_keys, string_keys
from transforms.language import identify
from transforms.languages.codes import UNDETERMINED
from transforms.normalisation import NormalisedTexts, normalise
from transforms.screening import Outcome, screen
from transforms.selection import Selection
from transforms.shadow import compare
from transforms.strategy import TEXTS
from transforms.verdict import TextBatch, ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.extraction import Extracted
    from transforms.kinds import Kind
    from transforms.strategy import Strategy
    from transforms.verdict import Verdict

_IDENTITY = {"id": "event_id", "channel_id": "channel_id", "user_id": "user_id", "source": "source"}


@dataclass(frozen=True)
class Analysis:
    """What came of a batch: `rows` in schema ANALYSED, and `shadow` in SHADOWED, ordered by strategy, then row."""

    rows: pa.RecordBatch
    shadow: pa.RecordBatch


class Analyser:
    """Decodes, screens, normalises and scores batches of events; its arguments are those of a Selection."""

    def __init__(
        self,
        strategies: Mapping[str, str],
        paths: Sequence[Path] = (),
        model: str = "default",
        options: Mapping[str, Mapping[str, str]] | None = None,
        shadow: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._selection = Selection(dict(strategies), paths, model, options or {}, shadow or {})
        self._strategies: list[tuple[Kind, Strategy]] = []
        self._shadow: list[tuple[Kind, Strategy]] = []

    @classmethod
    def of(cls, selection: Selection) -> Analyser:
        """Make one of a selection."""
        return cls(selection.strategies, selection.paths, selection.model, selection.options, selection.shadow)

    def open(self) -> None:
        """Find and open the strategies; raises EchoPulseError where one is unknown or cannot open."""
        self._strategies, self._shadow = self._selection.open()

    def close(self) -> None:
        """Let the strategies give back what they took."""
        for _, strategy in (*self._strategies, *self._shadow):
            strategy.close()

    def analyse(self, values: pa.BinaryArray, record_ts_ms: pa.Int64Array) -> pa.RecordBatch:
        """Analyse SocialEvent messages, given their records' times (ms UTC): one row of ANALYSED for each, in order.

        Raises nothing for what is in the data: a row that fails has its stage and reason, and the rest is unharmed.
        """
        return self.analysis(values, record_ts_ms).rows

    def analysis(self, values: pa.BinaryArray, record_ts_ms: pa.Int64Array) -> Analysis:
        """Analyse as `analyse` does, and say what the strategies in shadow say."""
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
        return self._analyse_decoded(events, np.arange(events.num_rows), times, Outcome(events.num_rows)).rows

    def _analyse_decoded(
        self, events: pa.RecordBatch, rows: NDArray[np.int64], times: NDArray[np.int64], outcome: Outcome
    ) -> Analysis:
        kinds = lookup(events.column("metadata"), "kind")
        screen(events, pc.fill_null(kinds, DEFAULT_KIND), times, rows, outcome)
        extracted = extract(events, kinds)
        outcome.refuse(rows[extracted.bad_rows], "extract", lambda index: extracted.reasons[index])
        columns = {own: Column(events.column(name), rows) for name, own in _IDENTITY.items()}
        columns |= {
            "kind": Column(extracted.kinds, rows),
            "target": Column(extracted.target, rows),
            "reply_to": Column(extracted.reply_to, rows),
            "emotes": Column(extracted.emotes, rows),
            "user_key": Column(string_keys(events.column("user_id")), rows),
        }
        analysed, shadow = self._analyse_texts(events, extracted, rows, outcome)
        refused = ~outcome.passed
        everything = np.arange(len(refused))
        columns |= analysed | {
            "stage": Column(outcome.stages(), everything),
            "reason": Column(outcome.reasons(), everything),
            **self._of_other_kinds(analysed, refused),
        }
        arrays = [columns.get(field.name, Column.nothing(field.type)).spread(refused) for field in ANALYSED]
        return Analysis(pa.RecordBatch.from_arrays(arrays, schema=ANALYSED), _passed(shadow, refused))

    def _analyse_texts(
        self, events: pa.RecordBatch, extracted: Extracted, rows: NDArray[np.int64], outcome: Outcome
    ) -> tuple[dict[str, Column], list[pa.RecordBatch]]:
        textual = pc.is_in(extracted.kinds, pa.array(TEXT_KINDS)).to_numpy(zero_copy_only=False)
        events, rows, told = _kept(textual & outcome.passed[rows], events, rows, extracted)
        texts = normalise(told["text"], platforms=_platforms(events), channels=events.column("channel_id"))
        languages = _languages(told["language"], texts.folded)
        batch = text_batch(events, told["kind"], texts, languages)
        columns = {
            "text": Column(texts.composed, rows, blank(pa.string())),
            "text_key": Column(narrow_keys(texts.keys), rows, blank(pa.int32())),
            "emoji_count": Column(texts.emoji_counts, rows, blank(pa.int32())),
            "language": Column(languages, rows, pa.array([UNDETERMINED])),
        }
        worded = pc.binary_length(texts.normalised).to_numpy() > 0
        if not worded.all():
            batch, rows = batch.filter(pa.array(worded)), rows[worded]
        asked = TextBatch(batch)
        verdicts = {}
        for kind, strategy in self._strategies:
            verdict = verdicts[kind.name] = ask(kind, strategy, asked)
            failed = np.array(list(verdict.failures), np.int64)
            outcome.refuse(rows[failed], "analyse", list(verdict.failures.values()).__getitem__)
            answered = rows[verdict.rows]
            columns[f"model_{kind.name}"] = _models(verdict, rows)
            neutral = kind.split(pa.array([kind.neutral], kind.type))
            for name, column in kind.split(verdict.values).items():
                columns[name] = Column(column, answered, neutral[name])
        beside = [
            compare(kind, strategy, ask(kind, strategy, asked), verdicts[kind.name], rows)
            for kind, strategy in self._shadow
            if strategy.ready()
        ]
        return columns, beside

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


def _models(verdict: Verdict, rows: NDArray[np.int64]) -> Column:
    if not len(verdict.abstained):
        return Column(verdict.models, rows[verdict.rows], blank(pa.string()))
    said = pa.concat_arrays([verdict.models, verdict.abstentions])
    return Column(said, rows[np.concatenate([verdict.rows, verdict.abstained])], blank(pa.string()), ascending=False)


def _kept(
    keep: NDArray[np.bool_], events: pa.RecordBatch, rows: NDArray[np.int64], extracted: Extracted
) -> tuple[pa.RecordBatch, NDArray[np.int64], dict[str, pa.StringArray]]:
    told = {"text": extracted.texts, "kind": extracted.kinds, "language": extracted.language}
    if keep.all():
        return events, rows, told
    mask = pa.array(keep)
    return events.filter(mask), rows[keep], {name: column.filter(mask) for name, column in told.items()}


def _platforms(events: pa.RecordBatch) -> pa.StringArray:
    """Return the platform that an event's metadata names, else its source."""
    named = lookup(events.column("metadata"), "platform")
    source = events.column("source")
    return source if named.null_count == len(named) else pc.coalesce(named, source)


def _languages(told: pa.StringArray, folded: pa.StringArray) -> pa.StringArray:
    """Return each text's language: what its platform told, else what the text itself tells."""
    untold = pc.equal(told, "")
    if not pc.any(untold, min_count=0).as_py():
        return told
    if pc.all(untold).as_py():
        return identify(folded)
    return pc.replace_with_mask(told, untold, identify(folded.filter(untold)))


def _passed(shadow: list[pa.RecordBatch], refused: NDArray[np.bool_]) -> pa.RecordBatch:
    if not shadow:
        return pa.RecordBatch.from_pylist([], schema=SHADOWED)
    whole = pa.Table.from_batches(shadow).combine_chunks().to_batches()
    batch = whole[0] if whole else shadow[0]
    return batch.filter(pa.array(~refused[batch.column("row").to_numpy()]))


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
