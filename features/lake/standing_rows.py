"""Of the rows of one window the one written last stands: a restarted job and a backfill write a window again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.view_spec import EVENT_TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: When a row was written, wall time in ms UTC.
WRITTEN = "written_ms"


def standing_rows(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return one row for each key and window, the one written last, ordered by key, then window."""
    order = [*((name, "ascending") for name in keys), (EVENT_TIMESTAMP, "ascending"), (WRITTEN, "ascending")]
    ordered = rows.sort_by(order)
    return ordered.filter(pa.array(last_of_each(ordered, [*keys, EVENT_TIMESTAMP])))


def last_of_each(ordered: pa.Table, names: Sequence[str]) -> NDArray[np.bool_]:
    """Say of each row of an ordered table whether it is the last one with its values of `names`."""
    if ordered.num_rows == 0:
        return np.zeros(0, np.bool_)
    last = np.zeros(ordered.num_rows, np.bool_)
    last[-1] = True
    for name in names:
        column = ordered.column(name).combine_chunks()
        last[:-1] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return last
