"""The default model's kind by scikit-learn and by onnxruntime alone: hashed n-grams, then one linear layer.

Both take the grams of transforms.kernels.bag from normalised text and hash them by MurmurHash3 into two tables of
2^18 rows, one of characters and one of words, so that they give the same scores. onnxruntime has no operator for all of
that at once: its graph splits texts into characters and words and joins neighbours, length by length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

from transforms.bag import CHAR_GRAMS, WORD_GRAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Scorer = Callable[[Sequence[str]], NDArray[np.float32]]

#: Rows of each of the two tables.
BUCKETS = 1 << 18
#: Texts that onnxruntime is given at once, its strings padded to the longest: 8 to 64 are about as fast, 256 slower.
BATCH_TEXTS = 32
_OPSET, _IR_VERSION = 20, 10
_MICROSOFT = "com.microsoft"
_LETTERS = "a-z0-9'_{}-{}"
_PYTHON_LETTERS = _LETTERS.format("\x80", "\U0010ffff")
_RE2_LETTERS = _LETTERS.format(r"\x{80}", r"\x{10ffff}")
_WORD = "[{0}]+|[^{0} ]+"


def random_weights(columns: int) -> NDArray[np.float32]:
    """Return weights [2 tables of BUCKETS rows, columns]; their values do not bear on the time."""
    return np.random.default_rng(0).standard_normal((2 * BUCKETS, columns), np.float32)


def scikit_learn(weights: NDArray[np.float32]) -> Scorer:
    """Return a pipeline: a union of two HashingVectorizers, and a linear model of `weights`."""
    hashed = {"n_features": BUCKETS, "norm": None, "alternate_sign": False, "lowercase": False, "dtype": np.float32}
    union = FeatureUnion(
        [
            ("characters", HashingVectorizer(analyzer="char", ngram_range=CHAR_GRAMS, **hashed)),
            ("words", HashingVectorizer(token_pattern=_WORD.format(_PYTHON_LETTERS), ngram_range=WORD_GRAMS, **hashed)),
        ]
    )
    linear = LinearRegression(fit_intercept=False)
    # In this order the product is taken without a copy.
    linear.coef_ = np.asfortranarray(weights.T)
    linear.intercept_ = np.zeros(weights.shape[1], np.float32)
    score: Scorer = make_pipeline(union, linear).predict
    return score


def onnx_runtime(weights: NDArray[np.float32]) -> Scorer:
    """Return a session of one thread over a graph from texts to scores, in batches of BATCH_TEXTS."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        _graph(weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def score(texts: Sequence[str]) -> NDArray[np.float32]:
        starts = range(0, len(texts), BATCH_TEXTS)
        batches = (np.array(texts[start : start + BATCH_TEXTS], np.object_) for start in starts)
        return np.concatenate([session.run(None, {"texts": batch})[0] for batch in batches])

    return score


class _Nodes:
    """Nodes and constants of a graph, each named by its place."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401 - ONNX's own
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def split(self, **how: Any) -> tuple[str, str]:  # noqa: ANN401 - attributes of the operator
        """Split the texts; return (tokens [texts, longest], which of them are no padding)."""
        tokens = self.add("Tokenizer", "texts", domain=_MICROSOFT, mark=0, mincharnum=1, pad_value="", **how)
        padding = self.add("Equal", tokens, self.constant(np.array([""], np.object_)))
        return tokens, self.add("Not", padding)

    def between(self, values: str, start: int, stop: int) -> str:
        """Slice the second dimension."""
        bounds = (self.constant(np.array([place], np.int64)) for place in (start, stop, 1))
        return self.add("Slice", values, *bounds)

    def buckets(self, grams: str, real: str, first: int) -> str:
        """Hash grams into the table that begins at row `first`; padding into the row behind both tables."""
        hashes = self.add("Abs", self.add("MurmurHash3", grams, domain=_MICROSOFT, positive=0, seed=0))
        rows = self.add("Mod", hashes, self.constant(np.array(BUCKETS, np.int32)))
        rows = self.add("Add", rows, self.constant(np.array(first, np.int32)))
        return self.add("Where", real, rows, self.constant(np.array(2 * BUCKETS, np.int32)))

    def grams(self, tokens: str, real: str, lengths: tuple[int, int], joint: str, first: int) -> list[str]:
        """Return the buckets of each length of runs of tokens, joined by `joint`."""
        runs, found = tokens, []
        for length in range(1, lengths[1] + 1):
            if length > 1:
                following = self.between(tokens, length - 1, np.iinfo(np.int64).max)
                runs = self.between(runs, 0, -1)
                if joint:
                    runs = self.add("StringConcat", runs, self.constant(np.array([joint], np.object_)))
                runs = self.add("StringConcat", runs, following)
            if length >= lengths[0]:
                last = self.between(real, length - 1, np.iinfo(np.int64).max)
                found.append(self.buckets(runs, last, first))
        return found


def _graph(weights: NDArray[np.float32]) -> Any:  # noqa: ANN401 - onnx is read as Any
    graph = _Nodes()
    columns = weights.shape[1]
    table = graph.constant(np.concatenate([weights, np.zeros((1, columns), np.float32)]))
    rows = [
        *graph.grams(*graph.split(separators=[""]), CHAR_GRAMS, "", 0),
        *graph.grams(*graph.split(tokenexp=_WORD.format(_RE2_LETTERS)), WORD_GRAMS, " ", BUCKETS),
    ]
    picked = graph.add("Gather", table, graph.add("Concat", *rows, axis=1))
    graph.nodes.append(
        helper.make_node("ReduceSum", [picked, graph.constant(np.array([1], np.int64))], ["scores"], keepdims=0)
    )
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "hashed n-grams",
            [helper.make_tensor_value_info("texts", TensorProto.STRING, ["texts"])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["texts", columns])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)],
        ir_version=_IR_VERSION,
    )
