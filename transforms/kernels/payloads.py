"""The outer shape of JSON payloads, so that whole batches of them can be parsed as one stream."""
# ruff: noqa: C901, PLR2004 - one state machine over ASCII codes

from __future__ import annotations

from typing import TYPE_CHECKING

import numba

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Brackets within brackets that every JSON reader takes; orjson stops at 1,024.
DEEPEST = 1_000


@compiled(numba.void(BYTES, OFFSETS, numba.boolean[::1]))
def mark_objects(values: NDArray[np.uint8], offsets: NDArray[np.int32], whole: NDArray[np.bool_]) -> None:
    """Say of each payload whether its brackets outside strings close to one object, with nothing but space around it.

    No payload so marked can swallow its neighbour or pass for two when they are parsed one behind another.
    """
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
