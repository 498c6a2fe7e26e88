"""A fine-tuned network as an ONNX graph that is computed in 8 bits."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import torch

from echopulse.training.quantisation import quantise

if TYPE_CHECKING:
    from torch import nn

_OPSET = 18


def export(net: nn.Module, path: Path, *, quantised: bool = True) -> None:
    """Write a network to `path`: inputs input_ids and attention_mask [texts, pieces], output scores.

    Where `quantised`, its large products are computed in 8 bits (echopulse.training.quantisation).
    """
    net = net.to("cpu").eval()
    # Two tensors: one given twice would be taken for one input, and the texts would be lost.
    example = (torch.ones((2, 8), dtype=torch.int64), torch.ones((2, 8), dtype=torch.int64))
    axes = {0: torch.export.Dim("texts", min=1), 1: torch.export.Dim("pieces", min=2, max=512)}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Both inputs share their axes on purpose.
        warnings.filterwarnings("ignore", message="# The axis name: (texts|pieces) will not be used")
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
    if quantised:
        quantise(model)
    onnx.save(model, str(path))
