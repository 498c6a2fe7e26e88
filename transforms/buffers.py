"""Arrow string columns as NumPy views of their buffers, and back, without a Python string."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


def string_buffers(texts: pa.StringArray | pa.BinaryArray) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return (bytes, offsets [rows + 1]) of a string column without nulls; offsets need not begin at 0."""
    _, offsets, values = texts.buffers()
    if not len(texts):
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    rows = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(values, np.uint8) if values is not None else np.zeros(0, np.uint8), rows


def string_array(values: NDArray[np.uint8], offsets: NDArray[np.int32]) -> pa.StringArray:
    """Build a string column from UTF-8 bytes and offsets [rows + 1], without a copy."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(values))


def constant(value: Any, rows: int, type_: pa.DataType) -> pa.Array:  # noqa: ANN401 - any Arrow value
    """Return a column that repeats one value."""
    if value == "" and type_ == pa.string():
        return string_array(np.zeros(0, np.uint8), np.zeros(rows + 1, np.int32))
    return pa.repeat(pa.scalar(value, type_), rows)
