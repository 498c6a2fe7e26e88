"""Panes: what views over the same rows share. Each event is aggregated once, into one pane of its key and step of time.

A pane that is closed goes on as one row, so an event that comes after the end of its pane is in no window any more.
Panes cascade: those of a longer step are made of those of a shorter one, and a view reads the longest that make up
its slide. A view whose functions need the values themselves (see `Group`) has panes split by them. The first window
without events gives a row too (see `silence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, ROWS, finished
from features.machinery.resolve import quote, rows_of
from features.machinery.silence import last_panes
from features.machinery.view_spec import Panes
from features.machinery.windows import PANE_TIME, ROWTIME, short, window_function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.machinery.aggregates import Group, Part
    from features.machinery.expression import Term
    from features.machinery.resolve import ResolvedView

#: Panes of a longer step are worth an operator where they are so many times longer: it stands between the end of a
#: slide and the rows that are due then, and a stream keeps the panes of a slide merged anyway. A batch copies each pane
#: into every window that holds it.
_WORTH = 12


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

    def below(self, view: ResolvedView) -> tuple[Panes, ...]:
        """Return the tables of panes that a view stands on; it reads the last."""
        return self.tables[: sum(view.slide_ms % step == 0 for step in self.steps)]

    def is_pane(self, view: ResolvedView) -> bool:
        """Say whether a pane is a window of the view's already, and holds all of its key's rows."""
        return view.window_ms == self.steps[len(self.below(view)) - 1] and not self._split

    def windows(self, view: ResolvedView) -> str:
        """Write a view's windows over the panes that it reads."""
        panes = f"TABLE {quote(self.below(view)[-1].name)}"
        return f"TABLE({window_function(panes, PANE_TIME, view.window_ms, view.slide_ms)})"

    def last_panes(self, view: ResolvedView) -> Panes:
        """Return the table of what was the last pane of each key at the end of each slide of the view's."""
        below = self.below(view)
        columns = [*(group.name for group in self._split), *(part.name for part in self.parts)]
        windows_ms = [other.window_ms for other in self.views if other.slide_ms == view.slide_ms]
        step_ms = self.steps[len(below) - 1]
        return last_panes(below[-1].name, self._keys, columns, windows_ms, view.slide_ms, step_ms)

    def aggregated(self, view: ResolvedView) -> dict[str, Term]:
        """Return a view's aggregations over the panes of a window, or over the one pane that a window is."""
        whole = self.is_pane(view)
        result = {}
        for spec in view.view.aggregations:
            argument = view.arguments[spec.name]
            parts = FUNCTIONS[spec.function].parts(argument)
            merged = [quote(part.name) if whole else part.merge for part in parts]
            result[spec.name] = finished(spec.function, argument, merged)
        return result


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
