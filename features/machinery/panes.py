"""Panes: what views over the same rows share. Each event is aggregated once, into one pane of its key and step of time.

A pane that is closed goes on as one row, so an event that comes after the end of its pane is in no window any more.
Panes cascade: those of a longer step are made of those of a shorter one, and a view reads the longest that make up
its slide. Where windows overlap by much, what one holds before its last slide is merged while that lasts (see
`pane_steps`). A view whose functions need the values themselves (see `Group`) has panes split by them. The first window
without events gives a row too (see `silence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, ROWS, finished
from features.machinery.pane_steps import common_step, is_merged_early, pane_steps, step_below
from features.machinery.resolve import quote, rows_of
from features.machinery.silence import LATER_MS, last_panes
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
            below = f"TABLE {quote(panes[max(panes)].name)}"
            windows = window_function(below, PANE_TIME, step, step, self._later_ms(step))
            panes[step] = self._table(f"{self.name}_{short(step)}", self._merged, windows)
        return panes

    @property
    def _merged(self) -> dict[str, str]:
        return {quote(part.name): part.merge for part in self.parts}

    @property
    def _kept(self) -> list[str]:
        return [*(group.name for group in self._split), *(part.name for part in self.parts)]

    @property
    def _columns(self) -> str:
        return ", ".join([*self._keys, *map(quote, [*self._kept, PANE_TIME])])

    def _earlier(self, view: ResolvedView) -> Panes | None:
        """Write what a view's windows hold before their last slide, as rows whose time lies in that.

        A window that is moved by less than the length of a pane holds the same panes.
        """
        step = step_below(self.steps, view.slide_ms)
        if not is_merged_early(view, step):
            return None
        rest_ms = view.window_ms - view.slide_ms
        name = f"{self.name}_{short(rest_ms)}_before_{short(view.slide_ms)}"
        panes = f"TABLE {quote(self._panes[step].name)}"
        return self._table(name, self._merged, window_function(panes, PANE_TIME, rest_ms, view.slide_ms, LATER_MS))

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
        tables = [self._panes[step] for step in self.steps if view.slide_ms % step == 0]
        earlier = self._earlier(view)
        return tuple([*tables, earlier] if earlier else tables)

    def whole(self, view: ResolvedView) -> Panes | None:
        """Return the table of panes of which each is a window of the view's."""
        is_pane = view.window_ms == step_below(self.steps, view.slide_ms)
        return self._panes[view.window_ms] if is_pane and not self._split else None

    def later_ms(self, view: ResolvedView) -> int:
        """Return how long after their end a view's windows are computed, in ms: before the next pane ends.

        Of views over the same panes those that are due more often go first, where slides of both end together. Of
        those that are due as often the longest windows, whose rows are more and take longer, begin a little before.
        """
        if self.whole(view):
            return self._later_ms(view.window_ms)
        patience = patience_ms(view.slide_ms)
        if view.slide_ms == min(other.slide_ms for other in self.views):
            longest = max(other.window_ms for other in self.views if other.slide_ms == view.slide_ms)
            patience = patience // 2 if view.window_ms < longest else 0
        return patience if self._waits else 0

    def _later_ms(self, step_ms: int) -> int:
        """Return how long after their end panes of a step are made, in ms: longer ones just before what reads them.

        It is always before the next of the shortest panes ends, which would count.
        """
        first = self.steps[0]
        if step_ms == first or not self._waits:
            return 0
        just_before = LATER_MS - SECOND_MS
        early = all(is_merged_early(view, step_ms) for view in self.views if view.slide_ms % step_ms == 0)
        return just_before if early and just_before < first else patience_ms(step_ms) // 2

    @property
    def _waits(self) -> bool:
        """Whether no view would wait until the next pane ends."""
        return max(patience_ms(view.slide_ms) for view in self.views) < self.steps[0]

    def windows(self, view: ResolvedView) -> str:
        """Write a view's windows over the panes that it reads, and over what was merged of them early."""
        later_ms = self.later_ms(view)
        if (earlier := self._earlier(view)) is None:
            panes = f"TABLE {quote(self._panes[step_below(self.steps, view.slide_ms)].name)}"
            windows = window_function(panes, PANE_TIME, view.window_ms, view.slide_ms, later_ms)
        else:
            # A stream keeps the panes of a slide merged anyway: the shortest, which are told as they end.
            both = [
                f"SELECT {self._columns} FROM {quote(table.name)}" for table in (self._panes[self.steps[0]], earlier)
            ]
            rows = f"(SELECT * FROM (\n      {both[0]} UNION ALL\n      {both[1]}))"
            windows = window_function(rows, PANE_TIME, view.slide_ms, view.slide_ms, later_ms)
        return f"TABLE({windows})"

    def last_panes(self, view: ResolvedView) -> Panes:
        """Return the table of what was the last pane of each key at the end of each slide of the view's."""
        step = step_below(self.steps, view.slide_ms)
        windows_ms = [other.window_ms for other in self.views if other.slide_ms == view.slide_ms]
        panes, later_ms = self._panes[step].name, self._later_ms(step)
        return last_panes(panes, self._keys, self._kept, windows_ms, view.slide_ms, step, later_ms)

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
