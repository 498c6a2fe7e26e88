"""Keys of 32 bits for counting distinct values: what a bitmap of the windows holds in place of the value itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from transforms.buffers import string_buffers
from transforms.kernels.keys import hash_strings, narrow

if TYPE_CHECKING:
    from numpy.typing import NDArray


def narrow_keys(hashes: pa.Int64Array) -> pa.Int32Array:
    """Make 64-bit hashes 32 bits wide; 0 stays 0, and nothing else becomes it."""
    return pa.array(_narrowed(hashes.to_numpy()))


def string_keys(values: pa.StringArray) -> pa.Int32Array:
    """Hash strings (no nulls) to 32 bits; null for an empty one, which stands for a missing value."""
    hashes = np.empty(len(values), np.int64)
    hash_strings(*string_buffers(values), hashes)
    return pa.array(_narrowed(hashes), mask=hashes == 0)


def _narrowed(hashes: NDArray[np.int64]) -> NDArray[np.int32]:
    keys = np.empty(len(hashes), np.int32)
    narrow(hashes, keys)
    return keys
