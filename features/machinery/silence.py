"""Silence: of a key's windows without events the first gives a row, or the last value before a silence would stay.

It is the window that ends a whole window after the key's last pane. What was the last pane of each key is told at the
end of each slide, once for all views that slide so over the same panes. That is as much work as a view and has time,
so it is done when what is due at the end of a slide has been written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.aggregates import ROWS, SQL_TYPES
from features.machinery.expression import Term
from features.machinery.resolve import quote
from features.machinery.view_spec import EVENT_TIMESTAMP, Panes
from features.machinery.windows import PANE_TIME, SECOND_MS, interval, short, window_function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.machinery.aggregates import AggregateFunction, Argument

#: So long after the end of a slide its silences are told; where panes are shorter than twice that, after half of one.
LATER_MS = 5_000
_LAST = "last_pane"


def last_panes(
    panes: str,
    keys: Sequence[str],
    parts: Sequence[str],
    windows_ms: Sequence[int],
    slide_ms: int,
    step_ms: int,
    moved_ms: int = 0,
) -> Panes:
    """Return the table of keys whose last pane is at least the shortest of `windows_ms` before the end of a slide.

    `parts` are the columns of panes beside keys and time, `step_ms` is their length, `moved_ms` how much later their
    time is than their end. It is told before the next pane ends, which would count.
    """
    later_ms = min(LATER_MS, step_ms // 2 // SECOND_MS * SECOND_MS)
    size_ms = max(windows_ms) + slide_ms
    time = quote(PANE_TIME)
    # Read in whole, or the planner would make panes twice: with all columns, and with keys and times alone.
    rows = quote(ROWS.name)
    read = [f"CASE WHEN {rows} < 0 THEN {quote(part)} END IS NOT NULL" for part in parts if part != ROWS.name]
    source = f"""(SELECT * FROM (
      SELECT {", ".join([*keys, time])} FROM {quote(panes)}
      WHERE {" OR ".join([f"{rows} > 0", *read])}))"""
    ended = f"CAST(`window_end`{f' - {interval(later_ms)}' if later_ms else ''} AS TIMESTAMP_LTZ(3))"
    last = f"MAX({time}){f' - {interval(moved_ms)}' if moved_ms else ''}"
    sql = "\n".join(
        [
            "SELECT",
            *(f"  {key}," for key in keys),
            f"  {last} AS {quote(_LAST)},",
            f"  {ended} AS {quote(EVENT_TIMESTAMP)}",
            f"FROM TABLE({window_function(source, PANE_TIME, size_ms, slide_ms, later_ms)})",
            f"GROUP BY {', '.join(keys)}, `window_start`, `window_end`",
            f"HAVING {last} < {ended} - {interval(min(windows_ms))}",
        ]
    )
    return Panes(f"{panes}_last_{short(slide_ms)}", sql)


def of_nothing(function: AggregateFunction, argument: Argument) -> Term:
    """Write what a function gives of a window without rows.

    It is no literal: a vectorised Python function of Flink's gets the value of one alone, and no column.
    """
    kind = function.result or argument.term.type
    last, ended = quote(_LAST), quote(EVENT_TIMESTAMP)
    if function.empty is None:
        return Term(f"CASE WHEN {last} >= {ended} THEN CAST('0' AS {SQL_TYPES[kind]}) END", kind)
    return Term(f"CASE WHEN {last} < {ended} THEN CAST({function.empty} AS {SQL_TYPES[kind]}) END", kind)


def falls_silent(window_ms: int, slide_ms: int) -> str:
    """Write which rows of `last_panes` end the first window of a view's without events."""
    last, ended = quote(_LAST), quote(EVENT_TIMESTAMP)
    first = f"{last} >= {ended} - {interval(window_ms + slide_ms)}"
    return f"{first} AND {last} < {ended} - {interval(window_ms)}"
