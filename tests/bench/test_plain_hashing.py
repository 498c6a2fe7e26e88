"""The plain pipelines do the same work: they give the same scores."""

from __future__ import annotations

import numpy as np

from bench.plain_hashing import BATCH_TEXTS, onnx_runtime, random_weights, scikit_learn

TEXTS = ["what a lovely day, all of you", "gg", "it's ok… naïve 😀 fine", "no no no", "a b"]


def test_both_give_the_same_scores() -> None:
    """scikit-learn and onnxruntime agree on each text, in batches and at their ends."""
    weights = random_weights(3)
    texts = TEXTS * (BATCH_TEXTS // len(TEXTS) + 1)
    by_scikit_learn, by_onnx_runtime = scikit_learn(weights)(texts), onnx_runtime(weights)(texts)
    assert by_scikit_learn.shape == (len(texts), 3)
    np.testing.assert_allclose(by_scikit_learn, by_onnx_runtime, rtol=1e-4, atol=1e-3)
    assert len(np.unique(by_scikit_learn[: len(TEXTS), 0])) == len(TEXTS)
