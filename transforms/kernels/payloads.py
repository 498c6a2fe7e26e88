"""JSON payloads made ready to be parsed as one stream: the outer shape of each, and no fields that nobody reads."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004 - one state machine over ASCII codes and its buffers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Brackets within brackets that every JSON reader takes; orjson stops at 1,024.
DEEPEST = 1_000
#: Digits in a row that a double can hold whatever they are; JSON readers differ on longer numbers.
LONGEST = 300
#: Names are told apart by a hash this wide. Two that share one are both kept, which costs time and nothing else.
SLOTS = 1_024

_MASKS = numba.types.Array(numba.uint64, 2, "C", readonly=True)
_FLAGS = numba.types.Array(numba.boolean, 2, "C", readonly=True)


@compiled()
def hash_name(values: NDArray[np.uint8], start: int, end: int) -> int:
    """Return the slot of a name by its length and its first, middle and last byte."""
    if start == end:
        return 0
    slot: int = end - start + 31 * values[start] + 131 * values[end - 1] + 517 * values[(start + end) >> 1]
    return slot & (SLOTS - 1)


@compiled()
def _string_end(values: NDArray[np.uint8], position: int, end: int) -> tuple[int, bool]:
    """Return where a string ends that begins at `position` (its closing quote), and whether it is free of escapes."""
    plain = True
    while position < end:
        byte = values[np.uintp(position)]
        if byte == 34:
            break
        if byte == 92:
            plain = False
            position += 1
        elif byte < 32:
            plain = False
        position += 1
    return min(position, end), plain


@compiled()
def _scalar_end(values: NDArray[np.uint8], position: int, end: int) -> int:
    """Return the position behind a string without escapes, a whole number or a literal, -1 behind anything else."""
    byte = values[position]
    if byte == 34:
        close, plain = _string_end(values, position + 1, end)
        return close + 1 if plain and close < end else -1
    if byte == 110 and position + 4 <= end:  # null
        same = values[position + 1] == 117 and values[position + 2] == 108 and values[position + 3] == 108
        return position + 4 if same else -1
    if byte == 116 and position + 4 <= end:  # true
        same = values[position + 1] == 114 and values[position + 2] == 117 and values[position + 3] == 101
        return position + 4 if same else -1
    if byte == 102 and position + 5 <= end:  # false
        same = values[position + 1] == 97 and values[position + 2] == 108
        same = same and values[position + 3] == 115 and values[position + 4] == 101
        return position + 5 if same else -1
    if 49 <= byte <= 57 or byte == 48:
        first = position
        while position < end and 48 <= values[position] <= 57:
            position += 1
        single = byte != 48 or position == first + 1
        return position if single and position - first <= LONGEST else -1
    return -1


@compiled()
def _behind_space(values: NDArray[np.uint8], position: int, end: int) -> int:
    while position < end and values[position] in (32, 9, 13, 10):
        position += 1
    return position


@compiled(
    numba.void(
        BYTES,
        OFFSETS,
        numba.uint8[::1],
        _MASKS,
        _FLAGS,
        numba.boolean[::1],
        numba.uint64[::1],
        numba.uint8[::1],
        numba.int32[::1],
    )
)
def slim_objects(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    platforms: NDArray[np.uint8],
    tops: NDArray[np.uint64],
    names: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    present: NDArray[np.uint64],
    slim: NDArray[np.uint8],
    slim_offsets: NDArray[np.int32],
) -> None:
    """Say of each payload whether its brackets outside strings close to one object, with nothing but space around it.

    No payload that is `whole` can swallow its neighbour or pass for two when they are parsed one behind another.
    `present` gathers the masks `tops[platform, slot]` of the names at its top. `slim` [bytes] and `slim_offsets` [rows
    + 1] get the payload without the fields that no slot of `names[platform]` knows, where their values are plain
    scalars: it is JSON if and only if the payload is.
    """
    written = 0
    slim_offsets[0] = 0
    for row in range(len(offsets) - 1):
        depth = 0
        objects = 0
        sound = True
        in_object = np.uint64(0)  # a bit for each bracket around, the innermost last: whether it is an object's
        bits = np.uint64(0)
        before = 0  # the last byte but space: { or , before a name
        comma = 0
        digits = 0
        platform = platforms[row]
        position = offsets[row]
        end = offsets[row + 1]
        kept = position
        while position < end:
            byte = values[np.uintp(position)]
            if byte == 34:
                close, plain = _string_end(values, position + 1, end)
                sound = sound and close < end and depth > 0
                if before in (123, 44) and in_object & np.uint64(1):
                    slot = hash_name(values, position + 1, close)
                    if depth == 1:
                        bits |= tops[platform, slot]
                        sound = sound and plain
                    if plain and close < end and not names[platform, slot]:
                        colon = _behind_space(values, close + 1, end)
                        value = _behind_space(values, colon + 1, end)
                        behind = -1
                        if colon < end and values[colon] == 58 and value < end:
                            behind = _scalar_end(values, value, end)
                        follower = _behind_space(values, behind, end) if behind >= 0 else end
                        if follower < end and values[follower] in (44, 125):
                            # A field goes with the comma before it, the first of an object with the one behind it.
                            first = comma if before == 44 else position
                            if before == 123 and values[follower] == 44:
                                follower += 1
                                name = _behind_space(values, follower, end)
                                sound = sound and name < end and values[name] == 34
                            while kept < first:
                                slim[np.uintp(written)] = values[np.uintp(kept)]
                                written += 1
                                kept += 1
                            kept = follower
                            position = follower
                            if before == 44:
                                before = 34
                            continue
                before = 34
                digits = 0
                position = close + 1
                continue
            if byte in (123, 91):
                if depth == 0:
                    objects += 1
                    sound = sound and byte == 123
                in_object = (in_object << np.uint64(1)) | np.uint64(byte == 123)
                depth += 1
                sound = sound and depth <= DEEPEST
            elif byte in (125, 93):
                in_object >>= np.uint64(1)
                depth -= 1
                sound = sound and depth >= 0
            elif depth == 0 and byte not in (32, 9, 13, 10):
                sound = False
            elif 48 <= byte <= 57:
                digits += 1
                sound = sound and digits <= LONGEST
            elif byte in (73, 78):  # NaN and Infinity, which some readers take
                sound = False
            if byte == 44:
                # Were the field behind a comma that is out of place left out, so would be the fault.
                sound = sound and before not in (123, 91, 44, 58)
                comma = position
            if byte not in (32, 9, 13, 10):
                before = byte
                if not 48 <= byte <= 57:
                    digits = 0
            position += 1
        while kept < end:
            slim[np.uintp(written)] = values[np.uintp(kept)]
            written += 1
            kept += 1
        slim_offsets[row + 1] = written
        whole[row] = sound and objects == 1 and depth == 0
        present[row] = bits
