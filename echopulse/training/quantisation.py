"""A graph of 32-bit floats made one whose large products are computed in 8 bits, each row of them with its own scale.

A row is a piece of a text. One scale for all rows of a batch, as onnxruntime's own quantisation takes it, would make a
text's scores depend on the texts beside it; so the scales are computed in the graph, row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: The domain of onnxruntime's own operators; MatMulIntegerToFloat is one.
_DOMAIN = "com.microsoft"
#: Smaller matrices stay as they are.
_LEAST_WEIGHTS = 10_000
#: Of rows. They are kept as 1 to 255 around _MIDDLE: a byte without a sign is what processors multiply fast.
_LARGEST, _MIDDLE = 127, 128
#: Of the weights of products: on processors without VNNI two products are added in 16 bits, 2 · 255 · 64 is their most.
_LARGEST_WEIGHT = 64
_SMALLEST_ROW = 1e-9


def quantise(model: onnx.ModelProto) -> None:
    """Rewrite a graph in place: products with large matrices, tables that rows are looked up in, and layer norms.

    onnxruntime's own norm takes three times as long as plain operators, which it does not take for one.
    """
    graph = model.graph
    written = _Written({tensor.name: tensor for tensor in graph.initializer})
    rewrite: dict[str, Callable[[_Written, onnx.NodeProto], bool]] = {
        "MatMul": _product,
        "Gather": _look_up,
        "LayerNormalization": _norm,
    }
    for node in graph.node:
        if node.op_type not in rewrite or not rewrite[node.op_type](written, node):
            written.nodes.append(node)
    used = {name for node in written.nodes for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for name, tensor in written.constants.items() if name in used]
    del graph.node[:]
    graph.node.extend(written.nodes)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]
    if _DOMAIN not in {opset.domain for opset in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))


class _Written:
    """What is written of a graph so far: its nodes in order and its constants by name."""

    def __init__(self, constants: dict[str, onnx.TensorProto]) -> None:
        self.constants = constants
        self.nodes: list[onnx.NodeProto] = []
        self.rows: set[str] = set()

    def matrix(self, name: str) -> NDArray[np.float32] | None:
        """Return a constant where it is a large matrix of 32-bit floats."""
        tensor = self.constants.get(name)
        if tensor is None or tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) != 2:  # noqa: PLR2004
            return None
        values: NDArray[np.float32] = numpy_helper.to_array(tensor)
        return values if values.size >= _LEAST_WEIGHTS else None

    def constant(self, name: str, values: NDArray[Any] | np.generic) -> str:
        """Write a constant, once; return its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(values), name)
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401 - as ONNX
        """Write a node; return the name of its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output


def _product(written: _Written, node: onnx.NodeProto) -> bool:
    """Write rows · matrix as bytes · bytes, rescaled by the row's scale and the column's."""
    (rows, matrix), output = node.input, node.output[0]
    weights = written.matrix(matrix)
    if weights is None:
        return False
    integers, scales = _quantised(weights, 0, _LARGEST_WEIGHT)
    inputs = [
        *(_bytes_of_rows(written, rows, weights.shape[0]), written.constant(f"{matrix}.bytes", integers)),
        *(written.constant("rows.one", np.float32(1.0)), written.constant(f"{matrix}.scales", scales[0])),
        written.constant("rows.middle", np.uint8(_MIDDLE)),
    ]
    written.node("MatMulIntegerToFloat", inputs, f"{output}.unscaled", domain=_DOMAIN)
    written.node("Mul", [f"{output}.unscaled", f"{rows}.scale"], output)
    return True


def _bytes_of_rows(written: _Written, rows: str, width: int) -> str:
    """Write rows [..., width] as bytes [..., width] and their scales [..., 1], once for all products with them."""
    if rows not in written.rows:
        written.rows.add(rows)
        last = written.constant("rows.last_axis", np.array([-1]))
        written.node("Abs", [rows], f"{rows}.absolute")
        written.node("ReduceMax", [f"{rows}.absolute", last], f"{rows}.largest", keepdims=1)
        smallest = written.constant("rows.smallest", np.float32(_SMALLEST_ROW))
        written.node("Max", [f"{rows}.largest", smallest], f"{rows}.bounded")
        step = written.constant("rows.step", np.float32(1.0 / _LARGEST))
        written.node("Mul", [f"{rows}.bounded", step], f"{rows}.scale")
        # QuantizeLinear has a scale for each row of a matrix, not of a batch of matrices.
        written.node("Reshape", [f"{rows}.scale", last], f"{rows}.scales")
        written.node("Shape", [f"{rows}.scales"], f"{rows}.count")
        middle = written.constant("rows.middles", np.array([_MIDDLE], np.uint8))
        written.node("Expand", [middle, f"{rows}.count"], f"{rows}.middles")
        flat = written.constant(f"rows.of_{width}", np.array([-1, width]))
        written.node("Reshape", [rows, flat], f"{rows}.matrix")
        inputs = [f"{rows}.matrix", f"{rows}.scales", f"{rows}.middles"]
        written.node("QuantizeLinear", inputs, f"{rows}.matrix_bytes", axis=0)
        written.node("Shape", [rows], f"{rows}.shape")
        written.node("Reshape", [f"{rows}.matrix_bytes", f"{rows}.shape"], f"{rows}.bytes")
    return f"{rows}.bytes"


def _look_up(written: _Written, node: onnx.NodeProto) -> bool:
    """Write rows looked up in a table as bytes and scales looked up."""
    (table, indices), output = node.input, node.output[0]
    values = written.matrix(table)
    if values is None or any(attribute.name == "axis" and attribute.i for attribute in node.attribute):
        return False
    integers, scales = _quantised(values, 1, _LARGEST)
    written.node("Gather", [written.constant(f"{table}.bytes", integers), indices], f"{output}.table_bytes")
    written.node("Gather", [written.constant(f"{table}.scales", scales), indices], f"{output}.table_scale")
    written.node("Cast", [f"{output}.table_bytes"], f"{output}.unscaled", to=onnx.TensorProto.FLOAT)
    written.node("Mul", [f"{output}.unscaled", f"{output}.table_scale"], output)
    return True


def _norm(written: _Written, node: onnx.NodeProto) -> bool:
    """Write a norm over the last axis by plain operators."""
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if attributes.get("axis", -1) != -1 or len(node.output) != 1 or len(node.input) != 3:  # noqa: PLR2004 - rows, weight, bias
        return False
    (rows, weight, bias), output = node.input, node.output[0]
    last = written.constant("rows.last_axis", np.array([-1]))
    epsilon = written.constant(f"{output}.epsilon", np.float32(attributes.get("epsilon", 1e-5)))
    mean = written.node("ReduceMean", [rows, last], f"{output}.mean", keepdims=1)
    centred = written.node("Sub", [rows, mean], f"{output}.centred")
    square = written.node("Mul", [centred, centred], f"{output}.square")
    variance = written.node("ReduceMean", [square, last], f"{output}.variance", keepdims=1)
    bounded = written.node("Add", [variance, epsilon], f"{output}.bounded_variance")
    deviation = written.node("Sqrt", [bounded], f"{output}.deviation")
    inverse = written.node("Reciprocal", [deviation], f"{output}.inverse")
    normed = written.node("Mul", [centred, inverse], f"{output}.normed")
    weighted = written.node("Mul", [normed, weight], f"{output}.weighted")
    written.node("Add", [weighted, bias], output)
    return True


def _quantised(values: NDArray[np.float32], axis: int, largest: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return integers up to `largest` and the scales, one for all that lie along `axis`, that give the values."""
    scales = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / np.float32(largest)
    return np.rint(values / scales).astype(np.int8), scales.astype(np.float32)
