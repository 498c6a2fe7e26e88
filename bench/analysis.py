"""The analysis pass on one core: scoring alone, all of it, and the same one event at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bench.embedded import step
from bench.measure import Figure, Section, rates, ratio, repeated
from bench.row_analysis import RowAnalyser, result_datum
from bench.simulated import EventClock, events, rebatched
from schemas.avro_columns import encode_analysis
from schemas.codec import encode_events
from transforms.analysis import Analyser
from transforms.artifact import find_artifact
from transforms.bag import load_bag
from transforms.extraction import extract, lookup
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "analysis"
_RUNS = 5
_EVENTS_SHARE, _ROWS_SHARE = 5, 100
_BUNDLE = 20_000


def measure(count: int, folder: Path) -> Section:
    """Measure a fifth of `count` events, and a hundredth of it one at a time; `folder` is not used."""
    del folder
    step("analysis on one core")
    batches = rebatched(events(max(1, count // _EVENTS_SHARE), EventClock.hours_ago(60_000).start_ms, seed=1), _BUNDLE)
    encoded = [(encode_events(batch), batch.column("ts").cast(pa.int64())) for batch in batches]
    total = sum(batch.num_rows for batch in batches)
    analyser, rows = Analyser({}), RowAnalyser()
    analyser.open()

    def by_columns() -> None:
        for values, times in encoded:
            encode_analysis(analyser.analyse(values, times), times)

    some = max(1, count // _ROWS_SHARE)
    singles = list(zip(encoded[0][0].to_pylist(), encoded[0][1].to_pylist(), strict=True))[:some]

    def by_rows() -> None:
        for value, time_ms in singles:
            result_datum(rows.analyse(value, time_ms), time_ms)

    whole = _figure("whole pass: bytes in, columns and Avro out", total, by_columns)
    single = _figure("the same, an event at a time", len(singles), by_rows)
    return Section(
        NAME,
        "Analysis on one core (`analysis`)",
        f"{total:,} simulated events in batches of {_BUNDLE:,}; {len(singles):,} of them one at a time, by the "
        "functions of (b), whose output is the same. By CPU time of the process.",
        (
            *_scoring(batches),
            replace(whole, against=f"{ratio(whole, single):.1f} x an event at a time"),
            single,
        ),
        ("repeated texts of a batch are scored once; the distinct ones show the model's own speed",),
    )


def _scoring(batches: list[pa.RecordBatch]) -> tuple[Figure, Figure]:
    """Score normalised texts as they come, and the distinct ones."""
    bag = load_bag(find_artifact("default"))
    texts = [normalise(extract(batch, lookup(batch.column("metadata"), "kind")).texts).normalised for batch in batches]
    distinct = pc.unique(pa.chunked_array(texts))
    return (
        _figure("scoring alone, texts as they come", sum(map(len, texts)), lambda: [bag.score(part) for part in texts]),
        _figure("scoring alone, distinct texts", len(distinct), lambda: bag.score(distinct)),
    )


def _figure(what: str, amount: int, call: Callable[[], object]) -> Figure:
    return Figure(what, rates(amount, [cost.cpu for cost in repeated(call, _RUNS)]), "texts/s of a core")
