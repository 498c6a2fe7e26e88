"""Panes: what views over the same rows share. Each event is aggregated once, into one pane of its key and step of time.

A pane that is closed goes on as one row, so an event that comes after the end of its pane is in no window any more.
Panes cascade: those of a longer step are made of those of a shorter one, and a view reads the longest that make up
its slide. A view whose functions need the values themselves (see `Group`) has panes split by them. The first window
without events gives a row too (see `silence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, ROWS, finished
from features.machinery.pane_steps import common_step, pane_steps, step_below, windows_that_are_panes
from features.machinery.resolve import quote, rows_of
from features.machinery.silence import last_panes
from features.machinery.view_spec import Panes
from features.machinery.windows import PANE_TIME, ROWTIME, SECOND_MS, patience_ms, short, window_function

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from features.machinery.aggregates import Group, Part
    from features.machinery.expression import Term
    from features.machinery.resolve import ResolvedView


@dataclass(frozen=True)
class Family:
    """Views that share panes."""

    name: str
    source: str
    views: tuple[ResolvedView, ...]

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The lengths of panes in ms, each a multiple of the one before."""
        return pane_steps(self.views)

    @property
    def step_ms(self) -> int:
        """The longest step that all windows are made of, in ms: panes where no stream waits for their end."""
        return common_step(self.views)

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
    def _panes(self) -> dict[int, Panes]:
        """The tables of panes by step, in the order in which one is made of another."""
        first, *longer = self.steps
        built = {quote(part.name): part.build for part in self.parts}
        rows = rows_of(self.views, self.source)
        panes = {first: self._table(self.name, built, window_function(rows, ROWTIME, first, first))}
        for step in longer:
            name = f"{self.name}_{short(step)}"
            if (view := windows_that_are_panes(self.views, step)) is None:
                below = f"TABLE {quote(panes[max(panes)].name)}"
                panes[step] = self._table(name, self._merged, window_function(below, PANE_TIME, step, step))
            else:
                panes[step] = self._every_step(name, self._windows_table(view, panes), step)
        return panes

    @property
    def _merged(self) -> dict[str, str]:
        return {quote(part.name): part.merge for part in self.parts}

    def _windows_table(self, view: ResolvedView, panes: Mapping[int, Panes]) -> Panes:
        """Write a view's windows with all that panes keep."""
        below = panes[step_below(panes, view.slide_ms)]
        name = f"{self.name}_{short(view.window_ms)}_every_{short(view.slide_ms)}"
        windows = window_function(f"TABLE {quote(below.name)}", PANE_TIME, view.window_ms, view.slide_ms)
        return self._table(name, self._merged, windows)

    def _every_step(self, name: str, windows: Panes, step_ms: int) -> Panes:
        """Write those of overlapping windows, each as long as a step, that end at one. `PANE_TIME` is a ms before."""
        columns = [*self._keys, *(quote(part.name) for part in self.parts), quote(PANE_TIME)]
        ended = f"MOD(EXTRACT(EPOCH FROM {quote(PANE_TIME)}) + 1, {step_ms // SECOND_MS}) = 0"
        return Panes(name, f"SELECT {', '.join(columns)}\nFROM {quote(windows.name)}\nWHERE {ended}")

    def _table(self, name: str, columns: Mapping[str, str], windows: str) -> Panes:
        """Write a table of panes: its keys, its columns by the SQL of each, and the end of the window."""
        keys = [*self._keys, *(quote(group.name) for group in self._split)]
        lines = [
            "SELECT",
            *(f"  {key}," for key in keys),
            *(f"  {sql} AS {column}," for column, sql in columns.items()),
            f"  `window_time` AS {quote(PANE_TIME)}",
            f"FROM TABLE({windows})",
            f"GROUP BY {', '.join([*keys, '`window_start`', '`window_end`', '`window_time`'])}",
        ]
        return Panes(name, "\n".join(lines))

    def below(self, view: ResolvedView) -> tuple[Panes, ...]:
        """Return the tables that a view stands on, each made of those before."""
        tables = [self._panes[self.steps[0]]]
        for step in self.steps[1:]:
            if view.slide_ms % step == 0:
                made_of = windows_that_are_panes(self.views, step)
                tables += [self._windows_table(made_of, self._panes)] if made_of else []
                tables.append(self._panes[step])
        whole = self.whole(view)
        return tuple(dict.fromkeys([*tables, whole] if whole else tables))

    def whole(self, view: ResolvedView) -> Panes | None:
        """Return the table whose rows are each a window of the view's: panes, or windows that are panes of others."""
        if view.window_ms == step_below(self.steps, view.slide_ms):
            return None if self._split else self._panes[view.window_ms]
        shared = windows_that_are_panes(self.views, view.window_ms) if view.window_ms in self.steps else None
        same = shared is not None and shared.slide_ms == view.slide_ms
        return self._windows_table(view, self._panes) if same else None

    def later_ms(self, view: ResolvedView) -> int:
        """Return how long after their end a view's windows are computed, in ms: before the next pane ends.

        Of views over the same panes those that are due more often go first, where slides of both end together. Of
        those that are due as often the longest windows, whose rows are more and take longer, begin a little before.
        """
        patience = patience_ms(view.slide_ms)
        if view.slide_ms == min(other.slide_ms for other in self.views):
            longest = max(other.window_ms for other in self.views if other.slide_ms == view.slide_ms)
            patience = patience // 2 if view.window_ms < longest else 0
        return 0 if patience >= self.steps[0] or self.whole(view) else patience

    def windows(self, view: ResolvedView) -> str:
        """Write a view's windows over the panes that it reads."""
        panes = f"TABLE {quote(self._panes[step_below(self.steps, view.slide_ms)].name)}"
        return f"TABLE({window_function(panes, PANE_TIME, view.window_ms, view.slide_ms, self.later_ms(view))})"

    def last_panes(self, view: ResolvedView) -> Panes:
        """Return the table of what was the last pane of each key at the end of each slide of the view's."""
        step = step_below(self.steps, view.slide_ms)
        columns = [*(group.name for group in self._split), *(part.name for part in self.parts)]
        windows_ms = [other.window_ms for other in self.views if other.slide_ms == view.slide_ms]
        return last_panes(self._panes[step].name, self._keys, columns, windows_ms, view.slide_ms, step)

    def aggregated(self, view: ResolvedView) -> dict[str, Term]:
        """Return a view's aggregations over the panes of a window, or over the one pane that a window is."""
        whole = self.whole(view) is not None
        result = {}
        for spec in view.view.aggregations:
            argument = view.arguments[spec.name]
            parts = FUNCTIONS[spec.function].parts(argument)
            merged = [quote(part.name) if whole else part.merge for part in parts]
            result[spec.name] = finished(spec.function, argument, merged)
        return result


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
