"""Events that a platform gives again after a resume, known by channel and id."""

from __future__ import annotations

from collections import deque

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: The ids kept, at least: what a platform gives again is minutes old.
MOST = 20_000
REPEAT = "repeat"
_BETWEEN = "\0"


class Repeats:
    """Keeps the ids of the last events, and drops those that come again once a resume is expected to give any.

    Until then a batch costs a reference to its columns: no id is looked at.
    """

    def __init__(self, most: int = MOST) -> None:
        """Know nothing yet."""
        self._most, self._kept, self._watched = most, 0, 0
        self._batches: deque[tuple[pa.StringArray, pa.StringArray]] = deque()

    def expect(self) -> None:
        """Look at the next events, twice as many as are known: some of them came before the resume and still wait."""
        self._watched = 2 * self._most

    def drop(self, events: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch in schema EVENT without what was there before, and keep its ids."""
        if self._watched > 0 and events.num_rows:
            self._watched -= events.num_rows
            events = events.filter(pa.array(self._new(_names(_columns(events)))))
        self._keep(_columns(events))
        return events

    def _new(self, names: pa.StringArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        known = [_names(columns) for columns in self._batches]
        new = np.zeros(len(names), dtype=bool)
        coded = names.dictionary_encode()
        # The first of those that are alike.
        new[np.unique(coded.indices.to_numpy(), return_index=True)[1]] = True
        if known:
            there = pc.is_in(names, value_set=pa.concat_arrays(known))
            new &= ~there.to_numpy(zero_copy_only=False)
        return new

    def _keep(self, columns: tuple[pa.StringArray, pa.StringArray]) -> None:
        if len(columns[0]):
            self._batches.append(columns)
            self._kept += len(columns[0])
        while self._batches and self._kept - len(self._batches[0][0]) >= self._most:
            self._kept -= len(self._batches.popleft()[0])


def _columns(events: pa.RecordBatch) -> tuple[pa.StringArray, pa.StringArray]:
    return events.column("channel_id"), events.column("id")


def _names(columns: tuple[pa.StringArray, pa.StringArray]) -> pa.StringArray:
    return pc.binary_join_element_wise(*columns, _BETWEEN)
