"""Values at chosen paths of JSON texts, found in one pass over their bytes, without a tree of each."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004 - one state machine over ASCII codes and its buffers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.json_tokens import behind_space, literal_end, number_end, string_end

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What stands at a path: nothing (or null), a string, one with escapes, a whole number of at most 18 digits, a truth.
NOTHING, PLAIN, ESCAPED, WHOLE, TRUTH = 0, 1, 2, 3, 4
#: Brackets within brackets that are followed; what is deeper is for another reader.
DEEPEST = 48
#: Nodes of a tree of paths: a bit for each says whether it was met.
MOST_NODES = 64

_PLACES = numba.types.Array(numba.int32, 1, "C", readonly=True)


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
        at = behind_space(values, offsets[row], end)
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
            at = behind_space(values, at, end)
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
                close, escaped = string_end(values, at + 1, end)
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
                at = behind_space(values, close + 1, end)
                if at >= end or values[at] != 58:
                    good = False
                    break
                at += 1
                name, value = False, True
            elif value:
                leaf = leaves[node] if node >= 0 else -1
                if byte == 34:
                    close, escaped = string_end(values, at + 1, end)
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
                    behind, whole = number_end(values, at, end)
                    if behind < 0 or (leaf >= 0 and not whole):
                        good = False
                        break
                    if leaf >= 0:
                        starts[leaf, row], ends[leaf, row], kinds[leaf, row] = at, behind, WHOLE
                    at = behind
                else:
                    behind = literal_end(values, at, end)
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
        sure[row] = good and behind_space(values, at, end) == end
