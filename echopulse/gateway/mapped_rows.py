"""What a mapping makes of a batch of frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from echopulse.gateway.rows import Rows


@dataclass(frozen=True)
class Mapped:
    """The rows that a batch of frames gave, faulty ones included, and how many frames the conditions left out."""

    rows: Rows
    filtered: int


def woven(one: Mapped, two: Mapped) -> Mapped:
    """Put the rows of two parts of a batch in the order of their numbers."""
    parts = (one.rows, two.rows)
    numbers = [*one.rows.numbers, *two.rows.numbers]
    order = np.argsort(np.array(numbers, np.int64))
    places = np.argsort(order).tolist()
    columns = pa.Table.from_batches([part.columns for part in parts]).combine_chunks().to_batches()
    originals = [part.original(row) for part in parts for row in range(part.columns.num_rows)]
    sorted_originals = [originals[place] for place in order.tolist()]
    behind = one.rows.columns.num_rows
    faults = {places[at]: fault for at, fault in one.rows.faults.items()}
    faults |= {places[behind + at]: fault for at, fault in two.rows.faults.items()}
    rows = Rows(
        columns[0].take(pa.array(order)) if columns else one.rows.columns,
        [numbers[place] for place in order.tolist()],
        sorted_originals.__getitem__,
        faults,
    )
    return Mapped(rows, one.filtered + two.filtered)
