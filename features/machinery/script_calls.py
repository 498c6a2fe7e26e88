"""Calls of the write script on one connection: sent while the next rows are being encoded, answers read at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.machinery.encrypted_rows import encrypt_rows
from features.machinery.pipelined import arguments, opened, pipelined, sized
from features.machinery.redis_format import encode_fitted, fitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    import redis

    from features.machinery.encryption import Encryption
    from features.machinery.pipelined import Bytes
    from features.machinery.redis_format import EncodedRows
    from features.machinery.view_spec import ViewSchema

#: Encoded at a time, as many as the job hands over at a time. Fewer cost more a row (2,048: a sixth), more leave the
#: server idle for longer at first.
ROWS_ENCODED = 5_000


class EncodedSlices:
    """The rows of a batch, encoded slice by slice, and encrypted where there is a cipher.

    It can be gone through again, as a retry does: nothing encoded is kept.
    """

    def __init__(self, view: ViewSchema, project: str, batch: pa.RecordBatch, cipher: Encryption | None = None) -> None:
        """Look at the whole batch, before any of it is sent; raises EchoPulseError as `fitted` does."""
        self._view, self._project, self._cipher = view, project, cipher
        self._batch = fitted(view, batch)

    def __iter__(self) -> Iterator[EncodedRows]:
        """Yield `ROWS_ENCODED` rows at a time."""
        for start in range(0, self._batch.num_rows, ROWS_ENCODED):
            rows = encode_fitted(self._view, self._project, self._batch.slice(start, ROWS_ENCODED))
            yield rows if self._cipher is None else encrypt_rows(rows, self._cipher)


def call_script(
    client: redis.Redis, sha: str, slices: Iterable[EncodedRows], key_ttl_s: int, rows_per_call: int
) -> int:
    """Run the script on all rows, `rows_per_call` at a time, in one round trip; return the sum of its answers.

    The server works on a slice while the next is encoded: no call waits for the answer to another. Raises as
    `pipelined` does.
    """
    return sum(pipelined(client, (_request(sha, rows, key_ttl_s, rows_per_call) for rows in slices)))


def head(rows: EncodedRows, key_ttl_s: int) -> list[Any]:
    """Return the script's arguments before the rows."""
    return [rows.format, needed(key_ttl_s, rows.ttl_s), rows.timestamp_field, *rows.fields]


def needed(key_ttl_s: int, view_ttl_s: int) -> int:
    """Return how long after a write its key is needed, in s: 0, for ever, where the keys or the view's values are."""
    return max(key_ttl_s, view_ttl_s) if key_ttl_s and view_ttl_s else 0


def _request(sha: str, rows: EncodedRows, key_ttl_s: int, rows_per_call: int) -> tuple[list[Bytes], int]:
    """Return the bytes of the calls that carry the rows, and how many they are."""
    offsets = np.frombuffer(rows.rows.buffers()[1], dtype=np.int32)[rows.rows.offset :]
    data, total = memoryview(rows.rows.buffers()[2]), len(rows.rows)
    given = [part if isinstance(part, bytes) else str(part).encode() for part in (sha, 0, *head(rows, key_ttl_s))]
    beginning = b"".join([opened(b"EVALSHA", len(given) + 1), *arguments(given)])
    starts = range(0, total, rows_per_call)
    pieces: list[Bytes] = []
    end = b""
    for start in starts:
        part = data[offsets[start] : offsets[min(start + rows_per_call, total)]]
        pieces += (end + beginning + sized(part), part)
        end = b"\r\n"
    return [*pieces, end], len(starts)
