"""A transformer as a model: ONNX on the CPU, distinct texts in batches of like length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from schemas.errors import EchoPulseError
from transforms.artifact import Reading
from transforms.model import TableModel
from transforms.reading import STYLES

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from transforms.artifact import Manifest

KIND = "onnx"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
#: Word pieces of a text that are read, unless its manifest says otherwise; the rest of a longer one is left out.
MAX_PIECES = Reading().pieces
#: Texts of like length that are scored together: more wait for memory (one thread).
BATCH_TEXTS = 16


def read_tokenizer(path: Path, pieces: int = MAX_PIECES) -> Tokenizer:
    """Read a tokeniser, cut to so many pieces and without padding; raises EchoPulseError where it cannot be read."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise EchoPulseError(f"{path} is no tokeniser: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(pieces)
    return tokenizer


def padded(pieces: list[list[int]], padding: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (ids, mask) [texts, longest] of texts' word pieces; `padding` and 0 where there is none."""
    lengths = np.array([len(ids) for ids in pieces])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids = np.full(mask.shape, padding, np.int64)
    ids[mask.astype(np.bool_)] = np.concatenate(pieces)
    return ids, mask


class Transformer(TableModel):
    """An ONNX graph from (input_ids, attention_mask) to scores [texts, columns], its tokeniser, its manifest.

    One thread: the job runs one worker a core.
    """

    def __init__(self, manifest: Manifest, digest: str, folder: Path) -> None:
        super().__init__(manifest, digest)
        self._padding = manifest.reading.padding
        self.reads, self._worded = STYLES[manifest.reading.style]
        self._tokenizer = read_tokenizer(folder / TOKENIZER, manifest.reading.pieces)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises nothing narrower
            raise EchoPulseError(f"{folder / GRAPH} cannot be run: {error}") from error
        self._columns = self._session.get_outputs()[0].shape[1]

    def score_distinct(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Score texts [texts, columns], each of them, whether it repeats or not.

        Sorted by length, so that a batch holds little padding; masked attention keeps a text's scores its own.
        """
        encoded = self._tokenizer.encode_batch(self._worded(texts).to_pylist())
        pieces = [encoding.ids for encoding in encoded]
        order = np.argsort([len(ids) for ids in pieces], kind="stable")
        scores = np.empty((len(pieces), self._columns), np.float32)
        for start in range(0, len(order), BATCH_TEXTS):
            rows = order[start : start + BATCH_TEXTS]
            ids, mask = padded([pieces[row] for row in rows], self._padding)
            (scores[rows],) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return scores
