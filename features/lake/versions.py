"""The version of a data set, and its bytes: the same rows give the same of both."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROUP_ROWS = 100_000


def rows_version(rows: pa.Table, declaration: Mapping[str, Any]) -> str:
    """Return `sha256:…` over the rows, in order and by column, and over what they are.

    Neither chunks nor buffers of the table count, nor how its file is compressed.
    """
    digest = hashlib.sha256(json.dumps(declaration, sort_keys=True, separators=(",", ":")).encode())
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        digest.update(f"\0{name}\0{column.type}\0{len(column)}\0".encode())
        _update(digest, column.combine_chunks())
    return f"sha256:{digest.hexdigest()}"


def parquet_bytes(rows: pa.Table) -> bytes:
    """Return a table as Parquet; the same rows give the same bytes with the same version of Arrow."""
    sink = io.BytesIO()
    pq.write_table(rows.combine_chunks(), sink, row_group_size=_GROUP_ROWS, compression="zstd")
    return sink.getvalue()


def _update(digest: Any, array: pa.Array) -> None:  # noqa: ANN401 hashlib's object has no public type
    """Add validity, then values: lengths and bytes of text, children of lists, the numbers of all else."""
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    digest.update(array.is_valid().to_numpy(zero_copy_only=False).tobytes())
    kind = array.type
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
        digest.update(pc.list_value_length(array.drop_null()).to_numpy(zero_copy_only=False).astype("<i8").tobytes())
        _update(digest, pc.list_flatten(array))
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        present = array.drop_null().cast(pa.binary())
        digest.update(pc.binary_length(present).to_numpy(zero_copy_only=False).astype("<i8").tobytes())
        digest.update(b"".join(present.to_pylist()))
    else:
        plain = array.drop_null()
        if pa.types.is_temporal(kind):
            plain = plain.cast(pa.int64())
        values = plain.to_numpy(zero_copy_only=False)
        digest.update(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes())
