"""Rows encrypted before they are written, and cells decrypted after they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.encrypted_value import MARK, encrypted_content, key_id, unknown_key
from features.machinery.keyring import read_keys
from features.machinery.redis_format import EncodedRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.machinery.encryption import Encryption
    from features.machinery.hash_reads import Cell

_WIDTHS = {"I4": 4, "B": 1}


def encryption(source: str) -> Encryption | None:
    """Return the encryption with the keys of `source`; None where it is '' and values lie open."""
    if not source:
        return None
    from features.machinery.encryption import Encryption  # noqa: PLC0415 most stores hold nothing encrypted

    return Encryption(read_keys(source))


def encrypt_rows(rows: EncodedRows, cipher: Encryption) -> EncodedRows:
    """Return the rows with every value encrypted, missing ones too; keys and event timestamps stay readable."""
    places, stamps, *columns = split(rows)
    sealed = [cipher.encrypted(field, places, column) for field, column in zip(rows.fields, columns, strict=True)]
    parts = [pa.array(part, pa.binary()) for part in (places, stamps, *sealed)]
    pieces = [piece for part in parts for piece in (_lengths(part), part)]
    return EncodedRows(
        format="<" + "I4c0" * len(parts),
        timestamp_field=rows.timestamp_field,
        fields=rows.fields,
        rows=pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary())),
        ttl_s=rows.ttl_s,
    )


def split(rows: EncodedRows) -> list[list[bytes]]:
    """Return the columns of encoded rows: the hashes' keys, the timestamps, then the values of each field."""
    offsets = np.frombuffer(rows.rows.buffers()[1], dtype=np.int32)[rows.rows.offset :][: len(rows.rows) + 1]
    data = rows.rows.buffers()[2]
    flat, whole = np.frombuffer(data, dtype=np.uint8), bytes(data)
    position, columns = offsets[:-1].astype(np.int64), []
    for part in rows.format.removeprefix("<").split("c0")[:-1]:
        width = _WIDTHS[part]
        digits = flat[position[:, None] + np.arange(width)].astype(np.int64)
        start = position + width
        position = start + (digits << (8 * np.arange(width))).sum(axis=1)
        columns.append([whole[a:b] for a, b in zip(start.tolist(), position.tolist(), strict=True)])
    return columns


def decrypt_cells(
    cipher: Encryption | None,
    commands: Sequence[tuple[bytes, Sequence[str | bytes]]],
    replies: list[list[Cell]],
) -> list[list[Cell]]:
    """Return the cells of each command's fields with the encrypted ones decrypted.

    Raises EchoPulseError that names the key's id where a value is encrypted under a key that is not known.
    """
    # One search a row: most stores hold nothing encrypted.
    return [
        [_opened(cipher, field, key, cell) for field, cell in zip(fields, cells, strict=True)]
        if MARK in b"".join([cell for cell in cells if cell])
        else cells
        for (key, fields), cells in zip(commands, replies, strict=True)
    ]


def _opened(cipher: Encryption | None, field: str | bytes, key: bytes, cell: Cell) -> Cell:
    if not cell or isinstance(field, str):
        return cell
    if cipher is not None:
        return cipher.decrypted(field, key, bytes(cell))
    if (content := encrypted_content(bytes(cell))) is not None:
        raise unknown_key(key_id(content), {})
    return cell


def _lengths(column: pa.BinaryArray) -> pa.BinaryArray:
    """Return the length of each value in four bytes, little-endian."""
    sizes = pc.binary_length(column).to_numpy(zero_copy_only=False).astype("<u4")
    offsets = np.arange(len(column) + 1, dtype=np.int32) * np.int32(4)
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(column), [None, pa.py_buffer(offsets), pa.py_buffer(sizes.tobytes())]
    )
