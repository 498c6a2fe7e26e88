"""Rows given to librdkafka, and its reports of them counted, each a loop of C's calls without Python's."""
# ruff: noqa: PLR0913, PLR0917 - many buffers

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types

from echopulse.gateway.librdkafka import REPORTS, address_of, function, in_kernels
from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: rd_kafka_vtype_t, and RD_KAFKA_MSG_F_COPY.
_TOPIC, _VALUE, _KEY, _OPAQUE, _FLAGS, _TIME, _HEADER, _COPY = 2, 4, 5, 6, 7, 8, 9, 2
#: Words of a rd_kafka_vu_t: its type, and a union of 64 bytes; and of a rd_kafka_message_t.
_WORDS = 9
#: In rd_kafka_message_t: err is its first number, _private its ninth word.
_PRIVATE = 8
#: A row is known in its report by its batch's slot, and below that its place in the batch.
_ROW_BITS, _WORD = 32, (1 << 64) - 1
_POINTER = types.uintp

_produceva = in_kernels("produceva", _POINTER, _POINTER, _POINTER, types.uintp)
_error_code = in_kernels("error_code", types.int32, _POINTER)
_error_destroy = in_kernels("error_destroy", types.void, _POINTER)
_queue_poll = in_kernels("queue_poll", _POINTER, _POINTER, types.int32)
_event_type = in_kernels("event_type", types.int32, _POINTER)
_message_next = in_kernels("event_message_next", _POINTER, _POINTER)
_event_destroy = in_kernels("event_destroy", types.void, _POINTER)
_copy_memory: Any = types.ExternalFunction("memcpy", _POINTER(_POINTER, _POINTER, types.uintp))

_Numbers = types.Array(types.int64, 1, "C", readonly=True)


def row_known_by(slot: int, row: int) -> int:
    """Return what a row bears until its report."""
    return (slot << _ROW_BITS) | row


def produce_one(
    producer: int, topic: int, known: int, record: tuple[bytes, bytes, int, list[tuple[bytes, bytes]]]
) -> int:
    """Produce key, value, time and headers, copied; return the error, 0 for none."""
    key, value, ts, headers = record
    fields = [
        (_TOPIC, topic),
        (_VALUE, address_of(value), len(value)),
        (_KEY, address_of(key), len(key)),
        (_OPAQUE, known),
        (_FLAGS, _COPY),
        (_TIME, ts & _WORD),
        *((_HEADER, address_of(name), address_of(content), len(content)) for name, content in headers),
    ]
    words = np.zeros((len(fields), _WORDS), np.uint64)
    for row, field in zip(words, fields, strict=True):
        row[: len(field)] = field
    error = function("produceva")(producer, words.ctypes.data, len(fields))
    if error is None:
        return 0
    code: int = function("error_code")(error)
    function("error_destroy")(error)
    return code


@compiled(
    types.Tuple((types.int64, types.int32))(  # type: ignore[no-untyped-call] # numba has few types
        _POINTER, _POINTER, types.int64, BYTES, OFFSETS, BYTES, OFFSETS, _Numbers, types.int64
    )
)
def produce_rows(
    producer: int,
    topic: int,
    known: int,
    keys: NDArray[np.uint8],
    key_offsets: NDArray[np.int32],
    values: NDArray[np.uint8],
    value_offsets: NDArray[np.int32],
    stamps: NDArray[np.int64],
    first: int,
) -> tuple[int, int]:
    """Produce the rows from `first` on, copied; row 0 is known by `known`, the others by what follows.

    Returns the row at which it ended and the error there, 0 at the end.
    """
    fields = np.zeros((6, _WORDS), np.uint64)
    for at, kind in enumerate((_TOPIC, _VALUE, _KEY, _OPAQUE, _FLAGS, _TIME)):
        fields[at, 0] = kind
    fields[0, 1], fields[4, 1] = topic, _COPY
    key_base, value_base = np.uint64(keys.ctypes.data), np.uint64(values.ctypes.data)
    for row in range(first, len(stamps)):
        fields[1, 1] = value_base + np.uint64(value_offsets[row])
        fields[1, 2] = value_offsets[row + 1] - value_offsets[row]
        fields[2, 1] = key_base + np.uint64(key_offsets[row])
        fields[2, 2] = key_offsets[row + 1] - key_offsets[row]
        fields[3, 1] = known + row
        fields[5, 1] = np.uint64(stamps[row])
        error = _produceva(producer, fields.ctypes.data, 6)
        if error != 0:
            code = _error_code(error)
            _error_destroy(error)
            return row, code
    return len(stamps), 0


@compiled(
    types.Tuple((_POINTER, types.int64, types.int64, types.int64))(  # type: ignore[no-untyped-call] # as above
        _POINTER, _POINTER, types.int64[::1], types.int64[::1], types.int64[:, ::1]
    )
)
def take_reports(
    queue: int, event: int, left: NDArray[np.int64], over: NDArray[np.int64], failed: NDArray[np.int64]
) -> tuple[int, int, int, int]:
    """Count reports down in `left`, by slot, until none are there.

    Writes the slots that came to nothing to `over`, and slot, row and error of what failed to `failed`. Goes on in
    `event` where it is not 0. Returns an event that holds something else than reports, or is not at its end as `failed`
    is full, and how many reports, slots over and failures there were.
    """
    served = overs = failures = 0
    message = np.zeros(_WORDS, np.uint64)
    while True:
        if event == 0:
            event = _queue_poll(queue, 0)
            if event == 0:
                return event, served, overs, failures
        if _event_type(event) != REPORTS:
            return event, served, overs, failures
        while failures < len(failed):
            pointer = _message_next(event)
            if pointer == 0:
                break
            _copy_memory(message.ctypes.data, pointer, _WORDS * 8)
            known = np.int64(message[_PRIVATE])
            slot, code = known >> _ROW_BITS, np.int32(message[0] & np.uint64(0xFFFFFFFF))
            served += 1
            if code != 0:
                failed[failures, 0], failed[failures, 1] = slot, known & ((1 << _ROW_BITS) - 1)
                failed[failures, 2] = code
                failures += 1
            left[slot] -= 1
            if left[slot] == 0:
                over[overs] = slot
                overs += 1
        else:
            return event, served, overs, failures
        _event_destroy(event)
        event ^= event  # 0, of the same type
