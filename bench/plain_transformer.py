"""A transformer in a plain loop over its ONNX graph: texts in the order they come, each as often as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from transforms.reading import pieces_text
from transforms.transformer import GRAPH, TOKENIZER, padded, read_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

BATCH_TEXTS = 32


class PlainLoop:
    """The graph and tokeniser of an artifact of kind `onnx`; one thread, batches of BATCH_TEXTS."""

    def __init__(self, folder: Path) -> None:
        """Open both."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        self._tokenizer = read_tokenizer(folder / TOKENIZER)

    def score(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Score normalised texts [texts, columns], each batch padded to its longest text."""
        words = pieces_text(texts).to_pylist()
        scores = []
        for start in range(0, len(words), BATCH_TEXTS):
            encoded = self._tokenizer.encode_batch(words[start : start + BATCH_TEXTS])
            ids, mask = padded([encoding.ids for encoding in encoded])
            scores.append(self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0])
        return np.concatenate(scores)
