"""A fine-tuned network as an ONNX graph whose weights are kept in 8 bits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from echopulse.training.encoder import Network

_OPSET = 18
#: Smaller tensors (biases, norms) stay as they are.
_LEAST_WEIGHTS = 10_000
_LARGEST = 127


def export(net: Network, path: Path) -> None:
    """Write the network to `path`: inputs input_ids and attention_mask [texts, pieces], output scores.

    Only weights are quantised, a scale for each row of a table and each output of a layer; they are computed with as
    32-bit floats. Activations quantised as they come would have one scale for a whole batch, and a text's scores would
    depend on the texts beside it.
    """
    net = net.to("cpu").eval()
    # Two tensors: one given twice would be taken for one input, and the texts would be lost.
    example = (torch.ones((2, 8), dtype=torch.int64), torch.ones((2, 8), dtype=torch.int64))
    axes = {0: torch.export.Dim("texts", min=1), 1: torch.export.Dim("pieces", min=2, max=512)}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        program = torch.onnx.export(
            net,
            example,
            input_names=["input_ids", "attention_mask"],
            output_names=["scores"],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
        program.save(str(plain))
        model = onnx.load(str(plain))
    quantise(model)
    onnx.save(model, str(path))


def quantise(model: onnx.ModelProto) -> None:
    """Replace each large matrix of 32-bit floats by 8-bit integers and their scales, in place."""
    graph = model.graph
    tables = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.ndim != 2 or values.size < _LEAST_WEIGHTS:  # noqa: PLR2004 - a matrix
            continue
        axis = 0 if weight.name in tables else 1
        integers, scales = _quantised(values, axis)
        graph.initializer.remove(weight)
        graph.initializer.extend(
            [
                numpy_helper.from_array(integers, f"{weight.name}.integers"),
                numpy_helper.from_array(scales, f"{weight.name}.scales"),
            ]
        )
        names = [f"{weight.name}.integers", f"{weight.name}.scales"]
        graph.node.insert(0, helper.make_node("DequantizeLinear", names, [weight.name], axis=axis))


def _quantised(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scales = (np.maximum(np.abs(values).max(axis=1 - axis), 1e-12) / _LARGEST).astype(np.float32)
    spread = scales[:, None] if axis == 0 else scales[None, :]
    return np.rint(values / spread).astype(np.int8), scales
