"""SocialEvents written as protobuf (https://protobuf.dev/programming-guides/encoding), from Arrow's buffers."""
# ruff: noqa: PLR0913, PLR0917, PLR2004 - many buffers, and bytes of the wire format

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Beside its texts an event takes at most so many bytes: six tags and lengths, and its time.
BESIDE_EVENT = 6 * 6 + 24
#: And a pair of its metadata: three tags and lengths.
BESIDE_PAIR = 3 * 6
_TIMES = numba.types.Array(numba.int64, 1, "C", readonly=True)


@compiled()
def _varint(out: NDArray[np.uint8], at: int, number: int) -> int:
    left = np.uint64(number)
    while left > np.uint64(127):
        out[np.uintp(at)] = np.uint8(left & np.uint64(127)) | np.uint8(128)
        left >>= np.uint64(7)
        at += 1
    out[np.uintp(at)] = np.uint8(left)
    return at + 1


@compiled()
def _varint_size(number: int) -> int:
    size = 1
    while number > 127:
        number >>= 7
        size += 1
    return size


@compiled()
def _text(out: NDArray[np.uint8], at: int, tag: int, values: NDArray[np.uint8], start: int, end: int) -> int:
    """Write a field of bytes, none for an empty one; return the place behind it."""
    if start == end:
        return at
    out[np.uintp(at)] = tag
    at = _varint(out, at + 1, end - start)
    for place in range(end - start):
        out[np.uintp(at + place)] = values[np.uintp(start + place)]
    return at + end - start


@compiled()
def _text_size(start: int, end: int) -> int:
    return 1 + _varint_size(end - start) + end - start if end > start else 0


@compiled(
    numba.int64(
        *(OFFSETS, BYTES, _TIMES, OFFSETS, BYTES, OFFSETS, BYTES, OFFSETS, BYTES, OFFSETS, BYTES),
        *(OFFSETS, OFFSETS, BYTES, OFFSETS, BYTES),
        *(numba.uint8[::1], numba.int32[::1]),
    )
)
def write_events(
    id_offsets: NDArray[np.int32],
    ids: NDArray[np.uint8],
    times_ms: NDArray[np.int64],
    source_offsets: NDArray[np.int32],
    sources: NDArray[np.uint8],
    channel_offsets: NDArray[np.int32],
    channels: NDArray[np.uint8],
    user_offsets: NDArray[np.int32],
    users: NDArray[np.uint8],
    raw_offsets: NDArray[np.int32],
    raws: NDArray[np.uint8],
    pair_offsets: NDArray[np.int32],
    key_offsets: NDArray[np.int32],
    keys: NDArray[np.uint8],
    item_offsets: NDArray[np.int32],
    items: NDArray[np.uint8],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int32],
) -> int:
    """Write one message after the other into `out`, their bounds into `out_offsets` [events + 1]; return the bytes.

    Fields are written in their order (id = 1, ts = 2, …, metadata = 7), texts that are empty are not. `out` has room
    for all texts, BESIDE_EVENT for each event and BESIDE_PAIR for each pair of metadata.
    """
    at = 0
    out_offsets[0] = 0
    for row in range(len(times_ms)):
        at = _text(out, at, 0x0A, ids, id_offsets[row], id_offsets[row + 1])
        out[at] = 0x12
        begin = at + 2  # a time is shorter than 128 bytes
        at = begin
        seconds = times_ms[row] // 1_000
        nanos = (times_ms[row] - seconds * 1_000) * 1_000_000
        if seconds != 0:
            out[at] = 0x08
            at = _varint(out, at + 1, seconds)
        if nanos != 0:
            out[at] = 0x10
            at = _varint(out, at + 1, nanos)
        out[begin - 1] = at - begin
        at = _text(out, at, 0x1A, sources, source_offsets[row], source_offsets[row + 1])
        at = _text(out, at, 0x22, channels, channel_offsets[row], channel_offsets[row + 1])
        at = _text(out, at, 0x2A, users, user_offsets[row], user_offsets[row + 1])
        at = _text(out, at, 0x32, raws, raw_offsets[row], raw_offsets[row + 1])
        for pair in range(pair_offsets[row], pair_offsets[row + 1]):
            size = _text_size(key_offsets[pair], key_offsets[pair + 1])
            size += _text_size(item_offsets[pair], item_offsets[pair + 1])
            out[at] = 0x3A
            at = _varint(out, at + 1, size)
            at = _text(out, at, 0x0A, keys, key_offsets[pair], key_offsets[pair + 1])
            at = _text(out, at, 0x12, items, item_offsets[pair], item_offsets[pair + 1])
        out_offsets[row + 1] = at
    return at
