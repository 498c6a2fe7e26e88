"""Panes: what views over the same rows share. Each event is aggregated once, into one pane of its key and step of time.

A pane that is closed goes on as one row, so an event that comes after the end of its pane is in no window any more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from features.machinery.aggregates import finished, parts_of
from features.machinery.resolve import quote, rows_of
from features.machinery.view_spec import Panes
from features.machinery.windows import ROWTIME, window_function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.machinery.aggregates import Part
    from features.machinery.expression import Term
    from features.machinery.resolve import ResolvedView

#: The columns of a pane beside keys and parts: when it ends, and its row time.
PANE_END, PANE_TIME = "pane_end", "pane_time"


@dataclass(frozen=True)
class Family:
    """Views that share panes; the step is the longest that all their windows are made of."""

    name: str
    source: str
    views: tuple[ResolvedView, ...]

    @property
    def step_ms(self) -> int:
        """The length of a pane: windows are multiples of their slides, and slides of this."""
        return math.gcd(*(view.slide_ms for view in self.views))

    @cached_property
    def _parts(self) -> dict[str, tuple[Part, str]]:
        parts: dict[str, tuple[Part, str]] = {}
        for resolved in self.views:
            for spec in resolved.view.aggregations:
                parts |= parts_of(spec.function, spec.column, resolved.arguments[spec.name])
        return dict(sorted(parts.items()))

    @property
    def panes(self) -> Panes:
        """The table of panes."""
        keys = [key.sql for key in self.views[0].keys]
        rows = rows_of(self.views, self.source)
        lines = [
            "SELECT",
            *(f"  {key}," for key in keys),
            *(f"  {sql} AS {quote(name)}," for name, (_, sql) in self._parts.items()),
            f"  `window_end` AS {quote(PANE_END)}, `window_time` AS {quote(PANE_TIME)}",
            f"FROM TABLE({window_function(rows, ROWTIME, self.step_ms, self.step_ms)})",
            f"GROUP BY {', '.join([*keys, '`window_start`', '`window_end`', '`window_time`'])}",
        ]
        return Panes(self.name, "\n".join(lines))

    def aggregated(self, resolved: ResolvedView, *, merged: bool) -> dict[str, Term]:
        """Return a view's aggregations over one pane, or over several that are `merged`."""
        terms = {}
        for spec in resolved.view.aggregations:
            argument = resolved.arguments[spec.name]
            columns = {name: part for name, (part, _) in parts_of(spec.function, spec.column, argument).items()}
            parts = [part.merge(quote(name)) if merged else quote(name) for name, part in columns.items()]
            terms[spec.name] = finished(spec.function, argument, parts)
        return terms


def families(views: Iterable[ResolvedView], source: str) -> list[Family]:
    """Group views by their keys and the rows they count; the first family of a key is named by it alone."""
    groups: dict[tuple[tuple[str, ...], str], list[ResolvedView]] = {}
    for resolved in views:
        keys = tuple(key.name for key in resolved.view.join_keys)
        groups.setdefault((keys, resolved.condition), []).append(resolved)
    named: dict[str, int] = {}
    result = []
    for (keys, _), members in groups.items():
        stem = f"panes_{'_'.join(keys)}"
        named[stem] = named.get(stem, 0) + 1
        name = stem if named[stem] == 1 else f"{stem}_{named[stem]}"
        result.append(Family(name, source, tuple(members)))
    return result
