"""A sample of a pane's digests: its bytes as they are, of fewer messages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import string_array, string_buffers
from transforms.digest import HEAD_TYPE
from transforms.kernels.digest import HEAD, index_records, read_heads
from transforms.kernels.spans import copy_spans


def sample_digests(digests: pa.ListArray, most: int) -> pa.BinaryArray:
    """Return for each pane (list of digests) one digest of at most `most` of its messages, those of the least hashes.

    Messages without their text are left out. Raises ValueError where the bytes are no digests.
    """
    values, offsets = string_buffers(digests.flatten())
    room = (int(offsets[-1]) - int(offsets[0])) // HEAD
    segments, starts = np.empty(room, np.int64), np.empty(room, np.int64)
    count = index_records(values, offsets, segments, starts)
    if count < 0:
        message = "a digest ends in the middle of a record"
        raise ValueError(message)
    starts = starts[:count]
    heads = np.empty(count, HEAD_TYPE)
    read_heads(values, starts, heads.view(np.uint8).reshape(count, HEAD))
    pane = np.repeat(np.arange(len(digests)), pc.list_value_length(digests).to_numpy())[segments[:count]]
    order = np.lexsort((heads["event"].view(np.uint64), heads["beyond"], pane))
    sizes = np.bincount(pane, minlength=len(digests))
    place = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = order[(place < most) & (heads["beyond"][order] == 0)]
    lengths = HEAD + sum(heads[name][kept].astype(np.int64) for name in ("id_bytes", "text_bytes", "note_bytes"))
    copied = np.empty(int(lengths.sum()), np.uint8)
    copy_spans(values, starts[kept], starts[kept] + lengths, copied)
    bytes_a_pane = np.bincount(pane[kept], lengths, len(digests)).astype(np.int64)
    return string_array(copied, np.concatenate([[0], np.cumsum(bytes_a_pane)]).astype(np.int32)).view(pa.binary())
