"""The default model on one core over texts that all differ, beside plain pipelines of its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from bench.distinct_texts import distinct_texts
from bench.embedded import step
from bench.measure import Section, ratio
from bench.plain_hashing import onnx_runtime, random_weights, scikit_learn
from bench.rounds import answer_all, interleaved, per_core
from transforms.analysis import Analyser, text_batch
from transforms.artifact import find_artifact
from transforms.extraction import DEFAULT_KIND
from transforms.language import identify
from transforms.loading import load_model
from transforms.normalisation import normalise
from transforms.selection import Selection
from transforms.verdict import TextBatch, ask

if TYPE_CHECKING:
    from pathlib import Path

    from bench.distinct_texts import DistinctTexts
    from transforms.kinds import Kind
    from transforms.strategy import Strategy
    from transforms.verdict import Verdict

NAME = "heads"
_RUNS = 5
_TEXTS_SHARE, _PLAIN_SHARE = 20, 200
_BUNDLE = 20_000


def measure(count: int, folder: Path) -> Section:
    """Measure a twentieth of `count` texts, a two-hundredth by the plain pipelines; `folder` is not used."""
    del folder
    step("the default model on one core")
    texts = distinct_texts(max(1, count // _TEXTS_SHARE))
    total = len(texts.written)
    bundles = [texts.part(start, _BUNDLE) for start in range(0, total, _BUNDLE)]
    model = load_model(find_artifact("default"))
    columns = len({column for task in model.manifest.tasks.values() for column in task.columns})
    weights = random_weights(columns)
    plain = texts.normalised[: max(1, count // _PLAIN_SHARE)].to_pylist()
    by_scikit_learn, by_onnx_runtime = scikit_learn(weights), onnx_runtime(weights)
    strategies, _ = Selection().open()
    analyser = Analyser({})
    analyser.open()
    calls = {
        "all heads": lambda: [answer_all(model, part.normalised) for part in bundles],
        "normalised": lambda: [analysed(strategies, part) for part in bundles],
        "analyser": lambda: [analyser.analyse_events(part.events) for part in bundles],
        "scikit-learn": lambda: by_scikit_learn(plain),
        "onnxruntime": lambda: by_onnx_runtime(plain),
    }
    interleaved(calls, 1)
    costs = interleaved(calls, _RUNS)
    heads = per_core("all heads, normalised texts", total, costs["all heads"])
    learn = per_core("scikit-learn's pipeline, normalised texts", len(plain), costs["scikit-learn"])
    runtime = per_core("onnxruntime's pipeline, normalised texts", len(plain), costs["onnxruntime"])
    return Section(
        NAME,
        "The default model on one core (`heads`)",
        f"{total:,} {texts.said}, no two of them alike, in batches of {_BUNDLE:,}; the first {len(plain):,} for the "
        f"pipelines. {len(model.manifest.tasks)} heads, {columns} scores. Runs take turns. By CPU time of the process.",
        (
            replace(
                heads, against=f"{ratio(heads, learn):.0f} x scikit-learn; {ratio(heads, runtime):.0f} x onnxruntime"
            ),
            per_core("normalisation, languages, entities linked and all heads", total, costs["normalised"]),
            per_core("the whole analysis of decoded events", total, costs["analyser"]),
            learn,
            runtime,
        ),
        (
            (
                "the pipelines compute what the default model does, with another hash and without calibrating "
                "or deciding: grams of 2 to 5 characters, words and pairs of words, hashed into tables of "
                "2^18 rows, and a linear layer in float32, whose weights are random, which does not bear on "
                "the time. scikit-learn: a FeatureUnion of two HashingVectorizers, then LinearRegression. "
                "onnxruntime: Tokenizer, StringConcat and MurmurHash3, then Gather and ReduceSum, one thread, "
                "32 texts at a time. Both give the same scores"
            ),
        ),
    )


def analysed(strategies: list[tuple[Kind, Strategy]], texts: DistinctTexts) -> dict[str, Verdict]:
    """Normalise texts, tell their languages and ask all strategies about them, as transforms.analysis does."""
    events = texts.events
    normalised = normalise(texts.written, platforms=events.column("source"), channels=events.column("channel_id"))
    kinds = pa.array([DEFAULT_KIND]).take(pa.array([0] * events.num_rows))
    batch = TextBatch(text_batch(events, kinds, normalised, identify(normalised.folded)))
    return {kind.name: ask(kind, strategy, batch) for kind, strategy in strategies}
