"""The plain loop over a transformer's graph."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bench.plain_transformer import BATCH_TEXTS, PlainLoop
from bench.transformer import chat, thinned
from transforms.artifact import find_artifact
from transforms.loading import load_model
from transforms.model import TableModel
from transforms.normalisation import normalise


def test_scores_as_the_model_does() -> None:
    """The same graph over the same texts: the loop's scores are the model's."""
    texts = normalise(pa.array(["so good", "i hate this", "so good"] * BATCH_TEXTS)).normalised
    model = load_model(find_artifact("transformer"))
    assert isinstance(model, TableModel)
    np.testing.assert_allclose(PlainLoop(find_artifact("transformer")).score(texts), model.score(texts), atol=1e-4)


def test_thinning_keeps_all_repetitions() -> None:
    """A text is there as often as it was, or not at all, in the order it came."""
    texts = pa.array(["a", "b", "a", "c", "d", "a", "e", "b"])
    kept = thinned(texts, 2).to_pylist()
    assert kept == [text for text in texts.to_pylist() if text in set(kept)]
    assert 0 < len(set(kept)) < 5


def test_chat_repeats_and_is_worded() -> None:
    """The simulator's messages, those without a word left out."""
    texts = chat(2_000).to_pylist()
    assert "" not in texts
    assert len(set(texts)) < len(texts) <= 2_000
