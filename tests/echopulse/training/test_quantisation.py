"""Graphs computed in 8 bits."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from echopulse.training.quantisation import quantise

_WORDS, _WIDTH, _COLUMNS = 200, 64, 160


def _graph() -> bytes:
    """Rows looked up in a table, their norm, two products with one matrix and one with another."""
    generator = np.random.default_rng(1)
    values = {
        "table": generator.normal(size=(_WORDS, _WIDTH)),
        "first": generator.normal(size=(_WIDTH, _COLUMNS)),
        "second": generator.normal(size=(_WIDTH, _COLUMNS)),
        "weight": generator.normal(size=_WIDTH),
        "bias": generator.normal(size=_WIDTH),
    }
    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in values.items()]
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["looked_up"]),
        helper.make_node("LayerNormalization", ["looked_up", "weight", "bias"], ["normed"], axis=-1, epsilon=1e-6),
        helper.make_node("MatMul", ["normed", "first"], ["a"]),
        helper.make_node("MatMul", ["normed", "second"], ["b"]),
        helper.make_node("MatMul", ["looked_up", "first"], ["c"]),
        helper.make_node("Sum", ["a", "b", "c"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "pieces"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["texts", "pieces", _COLUMNS])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    written: bytes = model.SerializeToString()
    return written


@pytest.fixture(scope="module")
def sessions() -> tuple[onnxruntime.InferenceSession, onnxruntime.InferenceSession]:
    """The graph as it was written, and computed in 8 bits."""
    import onnx  # noqa: PLC0415 - the loader alone is wanted of it

    model = onnx.load_from_string(_graph())
    quantise(model)
    onnx.checker.check_model(model)
    assert not any(
        tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2 and tensor.dims[0] > 1
        for tensor in model.graph.initializer
        if tensor.name in {"table", "first", "second"}
    )
    return tuple(
        onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
        for raw in (_graph(), model.SerializeToString())
    )


def test_close_to_what_it_was(sessions: tuple[onnxruntime.InferenceSession, onnxruntime.InferenceSession]) -> None:
    """Bytes err by about a hundredth of what the scores spread over; large matrices of floats are gone."""
    ids = np.random.default_rng(2).integers(0, _WORDS, (8, 12))
    (plain,), (quantised,) = (session.run(None, {"ids": ids}) for session in sessions)
    assert (plain - quantised).std() < 0.02 * plain.std()
    assert not np.array_equal(plain, quantised)


@given(st.lists(st.lists(st.integers(0, _WORDS - 1), min_size=5, max_size=5), min_size=1, max_size=20))
def test_a_row_does_not_depend_on_the_others(
    sessions: tuple[onnxruntime.InferenceSession, onnxruntime.InferenceSession], texts: list[list[int]]
) -> None:
    """Each text alone scores as it does among others."""
    session = sessions[1]
    (together,) = session.run(None, {"ids": np.array(texts)})
    for row, text in enumerate(texts):
        (alone,) = session.run(None, {"ids": np.array([text])})
        np.testing.assert_allclose(alone[0], together[row], rtol=0, atol=1e-5)


def test_small_matrices_stay() -> None:
    """Biases and weights of norms are kept as they are: only their own names are left as floats."""
    import onnx  # noqa: PLC0415 - as above

    model = onnx.load_from_string(_graph())
    quantise(model)
    floats = {tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT}
    assert {"weight", "bias"} <= floats
    assert not {"table", "first", "second"} & floats
