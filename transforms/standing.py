"""Which events still stand: without those that were deleted, and each edited one as it was edited last."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: What `standing` needs of each event.
COLUMNS = ("channel_id", "event_id", "kind", "target", "ts")


def standing(events: pa.Table) -> pa.Table:
    """Return the rows of a table of events (any columns beside COLUMNS) that are neither deleted nor superseded.

    Deletes themselves are not among them. An edit or a delete is about the event `target` of its channel; of several
    edits the newest by `ts`, then id, stands, and a delete takes all of them away, whichever came first. An event
    whose edit or delete is not in the table stands.
    """
    kinds = events.column("kind")
    deletes, edits = pc.equal(kinds, "delete"), pc.equal(kinds, "edit")
    about = pc.and_(pc.or_(deletes, edits), pc.not_equal(pc.fill_null(events.column("target"), ""), ""))
    roots = pc.if_else(about, events.column("target"), events.column("event_id"))
    keys = pc.binary_join_element_wise(events.column("channel_id"), roots, "\0")
    gone = pc.or_(deletes, pc.is_in(keys, keys.filter(deletes).combine_chunks()))
    edited = pc.is_in(keys, keys.filter(edits).combine_chunks())
    return events.filter(pc.and_not(pc.or_(pc.invert(edited), _newest(events, keys, edits)), gone))


def _newest(events: pa.Table, keys: pa.ChunkedArray, edits: pa.ChunkedArray) -> pa.BooleanArray:
    """Mark the newest edit of each event."""
    marked = np.zeros(events.num_rows, np.bool_)
    rows = pa.table(
        {
            "row": np.flatnonzero(edits.to_numpy()),
            "key": keys.filter(edits),
            "ts": events.column("ts").filter(edits),
            "id": events.column("event_id").filter(edits),
        }
    ).sort_by([("key", "ascending"), ("ts", "ascending"), ("id", "ascending")])
    if rows.num_rows:
        of = rows.column("key").combine_chunks()
        last = np.append(pc.not_equal(of[1:], of[:-1]).to_numpy(zero_copy_only=False), True)
        marked[rows.column("row").to_numpy()[last]] = True
    return pa.array(marked)
