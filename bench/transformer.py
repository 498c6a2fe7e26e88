"""The transformer on one core beside a plain loop over its graph, and the cascade and the default beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.distinct_texts import distinct_texts
from bench.embedded import step
from bench.measure import Figure, Section, ratio
from bench.plain_transformer import BATCH_TEXTS, PlainLoop
from bench.rounds import answer_all, interleaved, per_core
from bench.simulated import EventClock, events, rebatched
from transforms.artifact import find_artifact
from transforms.extraction import extract, lookup
from transforms.loading import load_model
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from pathlib import Path

    from transforms.model import Model

NAME = "transformer"
_RUNS = 5
_TWEETS_SHARE, _DEFAULT_SHARE = 1_250, 50
_BUNDLE = 20_000
#: One in so many of a bundle's distinct texts is scored, with all its repetitions.
_THINNING = 12
_WARM_TEXTS = 64


def measure(count: int, folder: Path) -> Section:
    """Measure a part of a bundle of chat, and of tweets a 1,250th of `count`, a 50th by the default.

    `folder` is not used.
    """
    del folder
    step("the transformer on one core")
    models = {name: load_model(find_artifact(name)) for name in ("transformer", "cascade", "default")}
    loop = PlainLoop(find_artifact("transformer"))
    bundle = chat(_BUNDLE)
    repeating = thinned(bundle, _THINNING)
    many = distinct_texts(max(1, count // _DEFAULT_SHARE))
    few = many.normalised[: max(1, count // _TWEETS_SHARE)]
    for model in models.values():
        answer_all(model, few[:_WARM_TEXTS])
    loop.score(few[:_WARM_TEXTS])
    costs = interleaved(
        {
            "chat": lambda: answer_all(models["transformer"], repeating),
            "chat, loop": lambda: loop.score(repeating),
            "transformer": lambda: answer_all(models["transformer"], few),
            "loop": lambda: loop.score(few),
            "cascade": lambda: answer_all(models["cascade"], few),
            "cascade, one task": lambda: answer_all(models["cascade"], few, ["sentiment"]),
            "default": lambda: answer_all(models["default"], many.normalised),
        },
        _RUNS,
    )
    chatted = per_core("transformer, chat as it comes", len(repeating), costs["chat"])
    chatted_loop = per_core("plain loop, the same chat", len(repeating), costs["chat, loop"])
    strong = per_core("transformer, distinct texts", len(few), costs["transformer"])
    strong_loop = per_core("plain loop, the same texts", len(few), costs["loop"])
    cascade = per_core("cascade, the same texts", len(few), costs["cascade"])
    single = per_core("cascade for sentiment alone, the same texts", len(few), costs["cascade, one task"])
    default = per_core(f"default, {len(many.normalised):,} distinct texts", len(many.normalised), costs["default"])
    asked = _asked(models["cascade"], models["transformer"], few)
    return Section(
        NAME,
        "The transformer on one core (`transformer`)",
        f"All heads over normalised texts. Chat: of a batch of {len(bundle):,} simulated messages one in {_THINNING} "
        f"of the distinct texts, with all its repetitions, {len(repeating):,} texts. Distinct: {len(few):,} "
        f"{many.said}. The plain loop runs the same graph and tokeniser over {BATCH_TEXTS} texts at a time as they "
        "come, padded to the longest, each as often as it comes, and neither calibrates nor decides. One thread "
        "each; runs take turns. By CPU time of the process.",
        (
            replace(chatted, against=_times(chatted, chatted_loop, "the plain loop")),
            chatted_loop,
            replace(strong, against=_times(strong, strong_loop, "the plain loop")),
            strong_loop,
            replace(cascade, against=_times(cascade, strong, "the transformer")),
            replace(single, against=_times(single, strong, "the transformer")),
            replace(default, against=_times(default, strong, "the transformer")),
        ),
        (
            (
                f"of the chat {_share(len(pc.unique(repeating)), len(repeating))} are distinct (in the whole "
                f"batch {_share(len(pc.unique(bundle)), len(bundle))}) and scored once; distinct texts gain by "
                "standing beside texts of like length. "
                f"The cascade asks the transformer about {_share(asked, len(few))} of them"
            ),
        ),
    )


def chat(count: int) -> pa.StringArray:
    """Return the normalised texts of `count` simulated events, as they come; those without a word left out."""
    (batch,) = rebatched(events(count, EventClock.hours_ago(60_000).start_ms, seed=1), count)
    texts = normalise(extract(batch, lookup(batch.column("metadata"), "kind")).texts).normalised
    return texts.filter(pc.greater(pc.binary_length(texts), 0))


def thinned(texts: pa.StringArray, one_in: int) -> pa.StringArray:
    """Keep one in `one_in` of the distinct texts, of frequent and rare ones alike, with all repetitions, in order."""
    rows = pc.dictionary_encode(texts).indices.to_numpy()
    by_frequency = np.argsort(np.bincount(rows), kind="stable")
    return texts.filter(pa.array(np.isin(rows, by_frequency[one_in // 2 :: one_in])))


def _times(figure: Figure, peer: Figure, name: str) -> str:
    return f"{ratio(figure, peer):.1f} x {name}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}"


def _asked(cascade: Model, strong: Model, texts: pa.StringArray) -> int:
    """Count the texts that the strong model has answered for, in any task."""
    asked = np.zeros(len(texts), np.bool_)
    for answer in answer_all(cascade, texts).values():
        asked |= pc.equal(answer.models, strong.digest).to_numpy(zero_copy_only=False)
    return int(asked.sum())
