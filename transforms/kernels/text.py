"""Clean-up of lower-case UTF-8 text and its hashes, in one pass over the bytes."""

from __future__ import annotations

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, PRIME

_MAX_RUN = 2
#: Brackets within brackets that every JSON reader takes; orjson stops at 1,024.
DEEPEST = 1_000


@compiled()
def _invisible(values, position, high):  # noqa: ANN001, ANN202 - numba infers the types; a table of ranges
    """Length in bytes of the zero-width character at `position`, 0 where there is none."""
    byte = values[position]
    if position + 1 < high and byte == 0xC2 and values[position + 1] == 0xAD:
        return 2  # soft hyphen
    if position + 2 >= high:
        return 0
    second = values[position + 1]
    third = values[position + 2]
    if byte == 0xE2:
        if second == 0x80 and (0x8B <= third <= 0x8F or 0xAA <= third <= 0xAE):
            return 3  # zero-width space, (non-)joiner, direction marks and embeddings
        if second == 0x81 and 0xA0 <= third <= 0xAF:
            return 3  # word joiner, invisible operators, isolates
    if byte == 0xEF and ((second == 0xBB and third == 0xBF) or (second == 0xB8 and 0x80 <= third <= 0x8F)):
        return 3  # byte order mark, variation selectors
    return 0


@compiled()
def _word_byte(byte):  # noqa: ANN001, ANN202 - numba infers the types
    return byte >= 128 or 97 <= byte <= 122 or 48 <= byte <= 57 or byte == 95


@compiled()
def _url(values, position, high):  # noqa: ANN001, ANN202 - numba infers the types
    """Whether http://, https:// or www. begins at `position`."""
    if high - position < 5:
        return False
    if values[position] == 119:
        return values[position + 1] == 119 and values[position + 2] == 119 and values[position + 3] == 46
    if (
        values[position] != 104
        or values[position + 1] != 116
        or values[position + 2] != 116
        or values[position + 3] != 112
    ):
        return False
    colon = position + (5 if values[position + 4] == 115 else 4)
    return colon + 2 < high and values[colon] == 58 and values[colon + 1] == 47 and values[colon + 2] == 47


@compiled(numba.void(BYTES, OFFSETS, numba.uint8[::1], numba.int32[::1], numba.int64[::1], numba.int64[::1]))
def clean(values, offsets, cleaned, cleaned_offsets, keys, signatures):  # noqa: ANN001, ANN201, C901, PLR0912, PLR0915
    """Clean each text into `cleaned`, with the hash of it (`keys`) and of its letters alone (`signatures`).

    A URL becomes `://` and a mention `@`, a run of one character is cut to two, white space and controls to one space,
    zero-width characters vanish. The output is never longer than the input. Both hashes are FNV-1a, 64 bits, 0 for none.
    """
    out = 0
    cleaned_offsets[0] = 0
    for row in range(len(offsets) - 1):
        high = offsets[row + 1]
        begin = out
        position = offsets[row]
        border = True
        last = out
        last_length = 0
        run = 0
        while position < high:
            byte = values[position]
            if byte <= 32 or byte == 127:
                if out > begin and cleaned[out - 1] != 32:
                    cleaned[out] = 32
                    out += 1
                    last_length = 0
                border = True
                position += 1
                continue
            if border and (byte == 104 or byte == 119) and _url(values, position, high):
                while position < high and values[position] > 32:
                    position += 1
                cleaned[out : out + 3] = np.array([58, 47, 47], np.uint8)
                out += 3
                last_length = 0
                continue
            if border and byte == 64 and position + 1 < high and _word_byte(values[position + 1]):
                position += 1
                while position < high and _word_byte(values[position]):
                    position += 1
                cleaned[out] = 64
                out += 1
                last_length = 0
                continue
            if byte >= 0xC2:
                skipped = _invisible(values, position, high)
                if skipped:
                    position += skipped
                    continue
            border = not (_word_byte(byte))
            length = 1
            while position + length < high and values[position + length] & 0xC0 == 0x80:
                length += 1
            same = length == last_length
            if same:
                for step in range(length):
                    if cleaned[last + step] != values[position + step]:
                        same = False
            run = run + 1 if same else 1
            if run <= _MAX_RUN:
                last = out
                last_length = length
                for step in range(length):
                    cleaned[out + step] = values[position + step]
                out += length
            position += length
        if out > begin and cleaned[out - 1] == 32:
            out -= 1
        cleaned_offsets[row + 1] = out
        key = CHAR_SEED
        signature = CHAR_SEED
        letters = False
        for index in range(begin, out):
            byte = cleaned[index]
            key = (key ^ np.uint64(byte)) * PRIME
            if byte >= 128 or 97 <= byte <= 122:
                signature = (signature ^ np.uint64(byte)) * PRIME
                letters = True
        keys[row] = np.int64(key) if out > begin else 0
        signatures[row] = np.int64(signature) if letters else 0


@compiled(numba.void(BYTES, OFFSETS, numba.boolean[::1]))
def mark_ascii(values, offsets, ascii_only):  # noqa: ANN001, ANN201 - numba's signature says it
    """Say of each text whether all its bytes are ASCII."""
    for row in range(len(offsets) - 1):
        seen = np.uint8(0)
        for position in range(offsets[row], offsets[row + 1]):
            seen |= values[position]
        ascii_only[row] = seen < 128


@compiled(numba.void(numba.int64[::1], numba.uint8[::1]))
def write_hex(numbers, digits):  # noqa: ANN001, ANN201 - numba's signature says it
    """Write each number as 16 hexadecimal digits."""
    for row in range(len(numbers)):
        number = np.uint64(numbers[row])
        for place in range(16):
            nibble = (number >> np.uint64(60 - 4 * place)) & np.uint64(15)
            digits[row * 16 + place] = nibble + 48 if nibble < 10 else nibble + 87


@compiled(numba.void(BYTES, OFFSETS, numba.boolean[::1]))
def mark_objects(values, offsets, whole):  # noqa: ANN001, ANN201, C901 - numba's signature says it; one state machine
    """Say of each payload whether its brackets outside strings close to one object, with nothing but space around it."""
    for row in range(len(offsets) - 1):
        depth = 0
        objects = 0
        quoted = False
        escaped = False
        sound = True
        for position in range(offsets[row], offsets[row + 1]):
            byte = values[position]
            if quoted:
                if escaped:
                    escaped = False
                elif byte == 92:
                    escaped = True
                elif byte == 34:
                    quoted = False
            elif byte == 34:
                quoted = True
                sound = sound and depth > 0
            elif byte in (123, 91):
                if depth == 0:
                    objects += 1
                    sound = sound and byte == 123
                depth += 1
                sound = sound and depth <= DEEPEST
            elif byte in (125, 93):
                depth -= 1
                sound = sound and depth >= 0
            elif depth == 0 and byte not in (32, 9, 13, 10):
                sound = False
        whole[row] = sound and objects == 1 and depth == 0 and not quoted
