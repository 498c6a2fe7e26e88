"""Panes: what views over the same rows share. Each event is aggregated once, into one pane of its key and step of time.

A pane that is closed goes on as one row, so an event that comes after the end of its pane is in no window any more.
Panes cascade: those of a longer step are made of those of a shorter one, and a view reads the longest that make up
its slide. A view whose functions need the values themselves (see `Group`) has panes split by them.

A window without events must give a row too, the first time, or the last value before a silence would stay. So every
pane comes a second time, empty, at the end of the first window that does not hold it any more. That is half of all work
of windows and has a step of time, so empty panes are made when what is due at the end of a step has been written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, ROWS, finished
from features.machinery.resolve import quote, rows_of
from features.machinery.view_spec import Panes
from features.machinery.windows import ROWTIME, SECOND_MS, interval, short, window_function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.machinery.aggregates import Group, Part
    from features.machinery.expression import Term
    from features.machinery.resolve import ResolvedView

#: The row time of a pane, and the one of an empty pane, which is null for one that holds events.
PANE_TIME, SILENT = "pane_time", "silent"
#: Panes of a longer step are worth an operator where they are so many times longer.
_WORTH = 5
#: So long after the end of a step its empty panes are made; of a step shorter than twice that, after half of it.
_LATER_MS = 5_000


@dataclass(frozen=True)
class Family:
    """Views that share panes; the shortest step is the longest that all their windows are made of."""

    name: str
    source: str
    views: tuple[ResolvedView, ...]

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The lengths of panes in ms, each a multiple of the one before."""
        slides = sorted({view.slide_ms for view in self.views})
        steps = [gcd(*slides)]
        for slide in slides:
            if slide % steps[-1] == 0 and slide >= _WORTH * steps[-1]:
                steps.append(slide)
        return tuple(steps)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What panes keep, by name."""
        parts = {ROWS.name: ROWS}
        for view in self.views:
            for spec in view.view.aggregations:
                parts |= {p.name: p for p in FUNCTIONS[spec.function].parts(view.arguments[spec.name])}
        return tuple(parts[name] for name in sorted(parts))

    @property
    def _split(self) -> tuple[Group, ...]:
        return self.views[0].groups

    @property
    def _keys(self) -> list[str]:
        return [key.sql for key in self.views[0].keys]

    @cached_property
    def tables(self) -> tuple[Panes, ...]:
        """The tables of panes, in the order in which one is made of another."""
        first, *longer = self.steps
        keys = [*self._keys, *(quote(group.name) for group in self._split)]
        rows = rows_of(self.views, self.source)
        built = {quote(part.name): part.build for part in self.parts}
        tables = [_table(self.name, keys, built, window_function(rows, ROWTIME, first, first))]
        merged = {quote(part.name): part.merge for part in self.parts}
        for step in longer:
            below = f"TABLE {quote(tables[-1].name)}"
            name = f"{self.name}_{short(step)}"
            tables.append(_table(name, keys, merged, window_function(below, PANE_TIME, step, step)))
        return tuple(tables)

    @property
    def _names(self) -> list[str]:
        return [*(quote(group.name) for group in self._split), *(quote(part.name) for part in self.parts)]

    @property
    def _none(self) -> list[str]:
        """A pane's columns without events.

        Null in the type of its column, for which a bitmap has no cast; and it reads the column, or the planner would
        make panes twice: with all columns, and with keys and times alone.
        """
        rows = quote(ROWS.name)
        return [f"CASE WHEN {rows} < 0 THEN {name} {'ELSE 0 END' if name == rows else 'END'}" for name in self._names]

    def _empty(self, panes: str, step_ms: int, later_ms: int) -> Panes:
        """Return the table of the empty panes of `panes`, each in the step after its own."""
        merges = [*(f"MAX({quote(group.name)})" for group in self._split), *(part.merge for part in self.parts)]
        none = zip(self._names, self._none, merges, strict=True)
        columns = {name: merge.replace(name, empty) for name, empty, merge in none}
        windows = window_function(f"TABLE {quote(panes)}", PANE_TIME, step_ms, step_ms, later_ms)
        return _table(f"{panes}_empty", self._keys, columns, windows)

    def read(self, view: ResolvedView) -> tuple[tuple[Panes, ...], str]:
        """Return the tables that a view stands on, and its windows over them.

        Each pane is there a second time without events: moved, by the last window that holds it, to the end of the
        first window of the view's own that does not. Where a step has several panes, or is of a second, they are
        emptied at once, and a window of one slide more holds them.
        """
        tables = self.tables[: sum(view.slide_ms % step == 0 for step in self.steps)]
        panes, size_ms = tables[-1].name, view.window_ms
        later_ms = min(_LATER_MS, view.slide_ms // 2 // SECOND_MS * SECOND_MS)
        if later_ms and view.slide_ms == self.steps[len(tables) - 1]:
            tables = (*tables, self._empty(panes, view.slide_ms, later_ms))
            empty, columns = tables[-1].name, self._names
        else:
            empty, columns = panes, self._none
            size_ms += view.slide_ms
        keys = ", ".join(self._keys)
        moved = window_function(f"TABLE {quote(empty)}", PANE_TIME, size_ms, view.slide_ms)
        slide = interval(view.slide_ms)
        # Flink takes the branches of a union that stands in a window function itself for several inputs, and reads one.
        both = f"""(SELECT * FROM (
      SELECT {keys}, {", ".join(self._names)},
        CAST(NULL AS TIMESTAMP_LTZ(3)) AS {quote(SILENT)}, {quote(PANE_TIME)}
      FROM {quote(panes)}
      UNION ALL SELECT {keys}, {", ".join(columns)},
        CAST(`window_time` AS TIMESTAMP_LTZ(3)), `window_time`
      FROM TABLE({moved.replace(chr(10), chr(10) + "      ")})
      WHERE {quote(PANE_TIME)} < CAST(`window_start` + {slide} AS TIMESTAMP_LTZ(3))))"""
        return tables, f"TABLE({window_function(both, PANE_TIME, view.window_ms, view.slide_ms)})"

    def aggregated(self, view: ResolvedView) -> dict[str, Term]:
        """Return a view's aggregations over the panes of a window."""
        return {
            spec.name: finished(
                spec.function,
                view.arguments[spec.name],
                [part.merge for part in FUNCTIONS[spec.function].parts(view.arguments[spec.name])],
            )
            for spec in view.view.aggregations
        }


def _table(name: str, keys: list[str], columns: dict[str, str], windows: str) -> Panes:
    """Write a table of panes: its keys, its columns by the SQL of each, and the end of the window."""
    lines = [
        "SELECT",
        *(f"  {key}," for key in keys),
        *(f"  {sql} AS {column}," for column, sql in columns.items()),
        f"  `window_time` AS {quote(PANE_TIME)}",
        f"FROM TABLE({windows})",
        f"GROUP BY {', '.join([*keys, '`window_start`', '`window_end`', '`window_time`'])}",
    ]
    return Panes(name, "\n".join(lines))


def kept(view: ResolvedView) -> str:
    """Write which windows give a row: those with events, and the first without."""
    slide = interval(view.slide_ms)
    return f"{ROWS.merge} > 0 OR MAX({quote(SILENT)}) >= CAST(`window_end` - {slide} AS TIMESTAMP_LTZ(3))"


def families(views: Iterable[ResolvedView], source: str) -> list[Family]:
    """Group views by their keys, the rows they count and the values that split their panes.

    The first family of a key is named by it alone.
    """
    groups: dict[tuple[tuple[str, ...], str, tuple[Group, ...]], list[ResolvedView]] = {}
    for resolved in views:
        keys = tuple(key.name for key in resolved.view.join_keys)
        groups.setdefault((keys, resolved.condition, resolved.groups), []).append(resolved)
    named: dict[str, int] = {}
    result = []
    for (keys, _, _), members in groups.items():
        stem = f"panes_{'_'.join(keys)}"
        named[stem] = named.get(stem, 0) + 1
        name = stem if named[stem] == 1 else f"{stem}_{named[stem]}"
        result.append(Family(name, source, tuple(members)))
    return result
