"""Values at chosen paths of JSON texts, found in one pass over their bytes, without a tree of each."""
# ruff: noqa: C901, PLR0911, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004 - one state machine over ASCII codes and its buffers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What stands at a path: nothing (or null), a string, one with escapes, a whole number of at most 18 digits, a truth.
NOTHING, PLAIN, ESCAPED, WHOLE, TRUTH = 0, 1, 2, 3, 4
#: Brackets within brackets that are followed; what is deeper is for another reader.
DEEPEST = 48
#: Nodes of a tree of paths: a bit for each says whether it was met.
MOST_NODES = 64
_DIGITS, _LONGEST = 18, 300

_PLACES = numba.types.Array(numba.int32, 1, "C", readonly=True)
_KINDS = numba.types.Array(numba.uint8, 1, "C", readonly=True)


@compiled()
def _behind_space(values: NDArray[np.uint8], at: int, end: int) -> int:
    while at < end:
        byte = values[np.uintp(at)]
        if byte not in (32, 10, 13, 9):
            break
        at += 1
    return at


@compiled()
def _hex(values: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the number that four hexadecimal digits write, -1 where they are none."""
    if at + 4 > end:
        return -1
    number = 0
    for place in range(at, at + 4):
        byte = values[np.uintp(place)]
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 97 <= (byte | 32) <= 102:
            digit = (byte | 32) - 87
        else:
            return -1
        number = number * 16 + digit
    return number


@compiled()
def _string_end(values: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """Return where the closing quote of a string is whose text begins at `at`, -1 for none; whether it has escapes."""
    escaped = False
    while at < end:
        byte = values[np.uintp(at)]
        if byte > 92:  # most of a text: behind both that end it or escape
            at += 1
            continue
        if byte == 34:
            return at, escaped
        if byte < 32:
            return -1, escaped
        if byte == 92:
            escaped = True
            at += 1
            if at >= end:
                return -1, escaped
            byte = values[np.uintp(at)]
            if byte == 117:
                unit = _hex(values, at + 1, end)
                at += 4
                if 0xD800 <= unit < 0xDC00:
                    if at + 2 >= end or values[at + 1] != 92 or values[at + 2] != 117:
                        return -1, escaped
                    low = _hex(values, at + 3, end)
                    at += 6
                    if not 0xDC00 <= low < 0xE000:
                        return -1, escaped
                elif unit < 0 or 0xDC00 <= unit < 0xE000:
                    return -1, escaped
            # " \ / b f n r t
            elif byte not in (34, 92, 47, 98, 102, 110, 114, 116):
                return -1, escaped
        at += 1
    return -1, escaped


@compiled()
def _number_end(values: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """Return the place behind a number without an exponent, -1 for none; whether it is whole and has few digits."""
    first = at
    if values[at] == 45:
        at += 1
    digits = at
    while at < end and 48 <= values[np.uintp(at)] <= 57:
        at += 1
    count = at - digits
    zero = count > 0 and values[digits] == 48
    if count == 0 or count > _LONGEST or (zero and count > 1):
        return -1, False
    whole = count <= _DIGITS and not (zero and digits > first)
    if at < end and values[at] == 46:
        fraction = at + 1
        at += 1
        while at < end and 48 <= values[np.uintp(at)] <= 57:
            at += 1
        if at == fraction or at - fraction > _LONGEST:
            return -1, False
        whole = False
    if at < end and (values[at] | 32) == 101:
        return -1, False
    return at, whole


@compiled()
def _literal_end(values: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the place behind true, false or null, -1 for none of them."""
    byte = values[at]
    if byte == 116 and at + 4 <= end:
        same = values[at + 1] == 114 and values[at + 2] == 117 and values[at + 3] == 101
        return at + 4 if same else -1
    if byte == 110 and at + 4 <= end:
        same = values[at + 1] == 117 and values[at + 2] == 108 and values[at + 3] == 108
        return at + 4 if same else -1
    if byte == 102 and at + 5 <= end:
        same = values[at + 1] == 97 and values[at + 2] == 108 and values[at + 3] == 115 and values[at + 4] == 101
        return at + 5 if same else -1
    return -1


@compiled()
def _child(
    values: NDArray[np.uint8], start: int, end: int, first: int, last: int, names: NDArray[np.uint8],
    name_offsets: NDArray[np.int32], positions: NDArray[np.int32],
) -> int:  # fmt: skip
    """Return which of the children `first`, …, `last` excluded, has that name, -1 for none."""
    for child in range(first, last):
        begin = name_offsets[child]
        if positions[child] < 0 and name_offsets[child + 1] - begin == end - start:
            same = True
            for place in range(end - start):
                if values[np.uintp(start + place)] != names[np.uintp(begin + place)]:
                    same = False
                    break
            if same:
                return child
    return -1


@compiled()
def _element(place: int, first: int, last: int, positions: NDArray[np.int32]) -> int:
    """Return the node of a list's element, -1 where no path leads there."""
    for child in range(first, last):
        if positions[child] == place:
            return child + 1
    return -1


@compiled(
    numba.void(
        BYTES,
        OFFSETS,
        BYTES,
        _PLACES,
        _PLACES,
        _PLACES,
        _PLACES,
        numba.int32[:, ::1],
        numba.int32[:, ::1],
        numba.uint8[:, ::1],
        numba.boolean[::1],
    )
)
def find_values(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    names: NDArray[np.uint8],
    name_offsets: NDArray[np.int32],
    positions: NDArray[np.int32],
    children: NDArray[np.int32],
    leaves: NDArray[np.int32],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    sure: NDArray[np.bool_],
) -> None:
    """Say where in each text the value of each path begins and ends, and of which kind it is, where that is `sure`.

    The paths are a tree: node n has the children `children[n]`, …, `children[n + 1]` excluded; child c is node c + 1
    and has the name `name_offsets[c]`, …, or else the place `positions[c]` in a list, which is -1 for a name;
    `leaves[n]` is the path that ends at a node, -1 for none. A text that is sure is one JSON object by RFC 8259 where
    it is UTF-8: what is not, and what is rare (an exponent, an object at a path's end, a name met twice, an escape in
    one), is for another reader. `kinds` must be NOTHING all over.
    """
    nodes = np.empty(DEEPEST, np.int32)
    objects = np.empty(DEEPEST, np.bool_)
    elements = np.empty(DEEPEST, np.int32)  # how many commas were passed
    for row in range(len(offsets) - 1):
        end = offsets[row + 1]
        at = _behind_space(values, offsets[row], end)
        sure[row] = False
        if at >= end or values[at] != 123:
            continue
        at += 1
        depth, nodes[0], objects[0] = 1, 0, True
        met = np.uint64(0)
        #: A value, its place behind a comma or not, is expected; or a name; or what follows a value.
        value, name, fresh = False, True, True
        good = True
        node = -1
        while depth > 0:
            at = _behind_space(values, at, end)
            if at >= end:
                good = False
                break
            byte = values[np.uintp(at)]
            if fresh and byte == (125 if objects[depth - 1] else 93):
                depth -= 1
                at += 1
                value = name = fresh = False
                continue
            fresh = False
            if name:
                if byte != 34:
                    good = False
                    break
                close, escaped = _string_end(values, at + 1, end)
                parent = nodes[depth - 1]
                node = -1
                if close < 0 or (escaped and parent >= 0):
                    good = False
                    break
                if parent >= 0:
                    first, last = children[parent], children[parent + 1]
                    node = _child(values, at + 1, close, first, last, names, name_offsets, positions)
                    if node >= 0:
                        node += 1
                        bit = np.uint64(1) << np.uint64(node)
                        if met & bit:
                            good = False
                            break
                        met |= bit
                at = _behind_space(values, close + 1, end)
                if at >= end or values[at] != 58:
                    good = False
                    break
                at += 1
                name, value = False, True
            elif value:
                leaf = leaves[node] if node >= 0 else -1
                if byte == 34:
                    close, escaped = _string_end(values, at + 1, end)
                    if close < 0:
                        good = False
                        break
                    if leaf >= 0:
                        starts[leaf, row], ends[leaf, row] = at + 1, close
                        kinds[leaf, row] = ESCAPED if escaped else PLAIN
                    at = close + 1
                elif byte in (123, 91):
                    if leaf >= 0 or depth == DEEPEST:
                        good = False
                        break
                    nodes[depth], objects[depth], elements[depth] = node, byte == 123, 0
                    depth += 1
                    at += 1
                    name, value, fresh = byte == 123, byte == 91, True
                    if value and node >= 0:
                        node = _element(0, children[node], children[node + 1], positions)
                    continue
                elif byte == 45 or 48 <= byte <= 57:
                    behind, whole = _number_end(values, at, end)
                    if behind < 0 or (leaf >= 0 and not whole):
                        good = False
                        break
                    if leaf >= 0:
                        starts[leaf, row], ends[leaf, row], kinds[leaf, row] = at, behind, WHOLE
                    at = behind
                else:
                    behind = _literal_end(values, at, end)
                    if behind < 0:
                        good = False
                        break
                    if leaf >= 0 and byte != 110:
                        starts[leaf, row], ends[leaf, row], kinds[leaf, row] = at, behind, TRUTH
                    at = behind
                value = False
            elif byte == 44:
                name, value = objects[depth - 1], not objects[depth - 1]
                at += 1
                node = -1
                if value and nodes[depth - 1] >= 0:
                    elements[depth - 1] += 1
                    node = nodes[depth - 1]
                    node = _element(elements[depth - 1], children[node], children[node + 1], positions)
            elif byte == (125 if objects[depth - 1] else 93):
                depth -= 1
                at += 1
            else:
                good = False
                break
        sure[row] = good and _behind_space(values, at, end) == end


@compiled(numba.int64(BYTES, _PLACES, _PLACES, _KINDS, numba.uint8[::1], numba.int32[::1]))
def copy_texts(
    values: NDArray[np.uint8],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    out: NDArray[np.uint8],
    offsets: NDArray[np.int32],
) -> int:
    """Write the texts that `find_values` found, without their escapes, into `out`; return the bytes written.

    A whole number or a truth is written as it stands, NOTHING as an empty text. `offsets` [texts + 1] get their bounds.
    """
    written = 0
    offsets[0] = 0
    for row in range(len(kinds)):
        kind = kinds[row]
        at = starts[row]
        end = ends[row] if kind != NOTHING else at
        while at < end:
            byte = values[np.uintp(at)]
            at += 1
            if byte != 92 or kind != ESCAPED:
                out[np.uintp(written)] = byte
                written += 1
                continue
            byte = values[np.uintp(at)]
            at += 1
            if byte != 117:
                if byte == 98:
                    byte = np.uint8(8)
                elif byte == 102:
                    byte = np.uint8(12)
                elif byte == 110:
                    byte = np.uint8(10)
                elif byte == 114:
                    byte = np.uint8(13)
                elif byte == 116:
                    byte = np.uint8(9)
                out[np.uintp(written)] = byte
                written += 1
                continue
            unit = _hex(values, at, end)
            at += 4
            if 0xD800 <= unit < 0xDC00:
                unit = 0x10000 + ((unit - 0xD800) << 10) + _hex(values, at + 2, end) - 0xDC00
                at += 6
            # UTF-8 (RFC 3629, 3)
            if unit < 0x80:
                out[written] = unit
                written += 1
            elif unit < 0x800:
                out[written] = 0xC0 | unit >> 6
                out[written + 1] = 0x80 | unit & 0x3F
                written += 2
            elif unit < 0x10000:
                out[written] = 0xE0 | unit >> 12
                out[written + 1] = 0x80 | unit >> 6 & 0x3F
                out[written + 2] = 0x80 | unit & 0x3F
                written += 3
            else:
                out[written] = 0xF0 | unit >> 18
                out[written + 1] = 0x80 | unit >> 12 & 0x3F
                out[written + 2] = 0x80 | unit >> 6 & 0x3F
                out[written + 3] = 0x80 | unit & 0x3F
                written += 4
        offsets[row + 1] = written
    return written


@compiled(numba.void(BYTES, _PLACES, _PLACES, numba.int64[::1]))
def read_numbers(
    values: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32], numbers: NDArray[np.int64]
) -> None:
    """Read the whole numbers that `find_values` found."""
    for row in range(len(numbers)):
        at = starts[row]
        negative = values[at] == 45
        if negative:
            at += 1
        number = 0
        while at < ends[row]:
            number = number * 10 + values[np.uintp(at)] - 48
            at += 1
        numbers[row] = -number if negative else number
