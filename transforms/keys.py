"""Keys of 32 bits for counting distinct values: what a bitmap of the windows holds in place of the value itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.buffers import string_buffers
from transforms.kernels.keys import hash_strings, narrow


def narrow_keys(hashes: pa.Int64Array) -> pa.Int32Array:
    """Make 64-bit hashes 32 bits wide; 0 stays 0, and nothing else becomes it."""
    keys = np.empty(len(hashes), np.int32)
    narrow(hashes.to_numpy(), keys)
    return pa.array(keys)


def string_keys(values: pa.StringArray) -> pa.Int32Array:
    """Hash strings (no nulls) to 32 bits; null for an empty one, which stands for a missing value."""
    hashes = np.empty(len(values), np.int64)
    hash_strings(*string_buffers(values), hashes)
    keys = np.empty(len(values), np.int32)
    narrow(hashes, keys)
    return pa.array(keys, mask=hashes == 0)
