"""Feature rows from batches of analysed events, in Arrow and pandas: the views of an engine that runs no Flink SQL.

Events become panes, panes of the same keys merge in any order, and windows are merges of panes: what
`features.machinery.compiler` has Flink do. A window of many steps is made of ever longer ones,
each twice the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.aggregates import FUNCTIONS, ROWS
from features.machinery.arrow_aggregates import finished, parts_of, rows_part
from features.machinery.arrow_groups import columns_of, group, merge, reduced, whole, with_columns
from features.machinery.arrow_split import Split, split_column
from features.machinery.expression import evaluate, parse
from features.machinery.panes import families
from features.machinery.resolve import STAGE, resolve
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import WINDOW_NAMES
from schemas.arrow import EXCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from features.machinery.arrow_aggregates import ArrowPart
    from features.machinery.arrow_groups import Merging
    from features.machinery.panes import Family
    from features.machinery.resolve import ResolvedView
    from features.machinery.view_spec import ViewSpec

_SOURCE = "analysed"


@dataclass(frozen=True)
class ArrowFamily:
    """Views that share panes. The columns of a pane: keys, values that split it, `event_timestamp`, parts.

    `event_timestamp` is the end of a pane, or of a window, in ms since the epoch.
    """

    family: Family

    @property
    def views(self) -> tuple[ResolvedView, ...]:
        """The views."""
        return self.family.views

    @cached_property
    def keys(self) -> list[str]:
        """The names of the join keys."""
        return [key.name for key in self.views[0].view.join_keys]

    @cached_property
    def by(self) -> list[str]:
        """What panes differ in."""
        return [*self.keys, *(each.name for each in self.views[0].groups), EVENT_TIMESTAMP]

    @cached_property
    def merging(self) -> dict[str, Merging]:
        """How each part of panes merges."""
        return {name: part.how for name, part in self._parts.items()}

    @cached_property
    def _parts(self) -> dict[str, ArrowPart]:
        parts = {ROWS.name: rows_part()}
        for view in self.views:
            for spec in view.view.aggregations:
                parts |= parts_of(spec.function, view.arguments[spec.name])
        return {part.name: parts[part.name] for part in self.family.parts}

    def panes(self, rows: pa.Table) -> pa.Table:
        """Aggregate events: the columns of `schemas.arrow.EXCHANGED` that views use, and `ts` in ms since the epoch."""
        kept = rows.filter(self._condition(rows)).combine_chunks()
        ts, step = kept.column("ts").to_numpy(), self.family.step_ms
        typed = [(key.name, pa.type_for_alias(key.type)) for key in self.views[0].view.join_keys]
        built = kept.select(self.keys).cast(pa.schema(typed))
        for view in self.views:
            for spec in view.view.aggregations:
                split, argument = FUNCTIONS[spec.function].group, view.arguments[spec.name]
                if split is not None:
                    built = with_columns(built, {split(argument).name: split_column(spec.function, argument, kept)})
        built = with_columns(built, {EVENT_TIMESTAMP: pa.array(ts - ts % step + step)})
        built = with_columns(built, {name: part.build(kept) for name, part in self._parts.items()})
        return merge(built, self.by, self.merging)

    def _condition(self, rows: pa.Table) -> pa.Array:
        """Return which rows the views count; what SQL does not know of a row, with nulls in it, does not count."""
        view = self.views[0].view
        condition = pa.chunked_array([pa.array(np.ones(rows.num_rows, np.bool_))])
        if STAGE in rows.schema.names:
            condition = pc.equal(rows.column(STAGE), "")
        for key in view.join_keys:
            if key.type == "string":
                condition = pc.and_kleene(condition, pc.not_equal(rows.column(key.name), ""))
        if view.filter:
            frame = rows.to_pandas(types_mapper=pd.ArrowDtype)
            passed = evaluate(parse(view.filter), {str(name): frame[name] for name in frame})
            condition = pc.and_kleene(condition, pa.array(passed, pa.bool_(), from_pandas=True))
        return pc.fill_null(condition, fill_value=False)

    def merged(self, tables: Sequence[pa.Table]) -> pa.Table:
        """Merge tables of panes."""
        return merge(pa.concat_tables(tables), self.by, self.merging)

    def feature_rows(self, view: ResolvedView, panes: pa.Table, after_ms: int, until_ms: int) -> pa.Table:
        """Return the rows of a view whose windows end after the one and by the other: keys, features, end in ms."""
        ends = panes.column(EVENT_TIMESTAMP).to_numpy()
        slides = pa.array(-(-ends // view.slide_ms) * view.slide_ms)
        panes = merge(with_columns(panes, {EVENT_TIMESTAMP: slides}), self.by, self.merging)
        rows = self._with_silence(self._windows(panes, view), view.slide_ms)
        ends = rows.column(EVENT_TIMESTAMP).to_numpy()
        rows = rows.filter(pa.array((ends > after_ms) & (ends <= until_ms))).combine_chunks()
        windows = group(columns_of(rows, [*self.keys, EVENT_TIMESTAMP]))
        parts = reduced(rows, windows, self.merging)
        split = Split(windows, dict(zip(rows.column_names, columns_of(rows, rows.column_names), strict=True)))
        aggregated = {
            spec.name: finished(spec.function, view.arguments[spec.name], parts, split)
            for spec in view.view.aggregations
        }
        result = rows.select(self.keys).take(pa.array(windows.first))
        result = with_columns(result, features(view, aggregated, windows.count))
        return with_columns(result, {EVENT_TIMESTAMP: rows.column(EVENT_TIMESTAMP).take(pa.array(windows.first))})

    def _windows(self, panes: pa.Table, view: ResolvedView) -> pa.Table:
        """Merge panes of one step into windows: the number of steps is a sum of powers of two."""
        power, length, covered, steps = panes, view.slide_ms, 0, view.window_ms // view.slide_ms
        result: pa.Table | None = None
        while True:
            if steps & 1:
                moved = _later(power, covered)
                result = moved if result is None else self.merged([result, moved])
                covered += length
            steps >>= 1
            if not steps and result is not None:
                return result
            power = self.merged([power, _later(power, length)])
            length *= 2

    def _with_silence(self, windows: pa.Table, slide_ms: int) -> pa.Table:
        """Add the windows that follow some with events and have none: a row of each, without values and parts."""
        ends = [*self.keys, EVENT_TIMESTAMP]
        last = windows.select(ends).take(pa.array(group(columns_of(windows, ends)).first))
        silent = _later(last, slide_ms)
        none = {field.name: pa.nulls(silent.num_rows, field.type) for field in windows.schema if field.name not in ends}
        none[ROWS.name] = pa.array(np.zeros(silent.num_rows, np.int64))
        return self.merged([windows, with_columns(silent, none).select(windows.column_names)])


def arrow_families(views: Sequence[ViewSpec]) -> list[ArrowFamily]:
    """Return views by what they share. Raises ViewError as `features.machinery.compiler.compile_views` does."""
    resolved = [resolve(view, _SOURCE, EXCHANGED) for view in views]
    return [ArrowFamily(family) for family in families(resolved, _SOURCE)]


def features(view: ResolvedView, aggregated: Mapping[str, pa.Array], count: int) -> dict[str, pa.Array]:
    """Return the features of `count` windows in their types: aggregations, and what is derived from them."""
    columns: dict[str, Any] = {name: pd.Series(pd.arrays.ArrowExtensionArray(v)) for name, v in aggregated.items()}
    columns |= {name: pd.Series(np.full(count, view.window_ms / ms)) for name, ms in WINDOW_NAMES.items()}
    result = {}
    for feature in view.view.features:
        type_ = pa.type_for_alias(feature.type)
        if feature.name in view.view.derived:
            values = evaluate(parse(view.view.derived[feature.name]), columns)
            values = values if isinstance(values, pd.Series) else np.full(count, values)
            result[feature.name] = pa.array(values, from_pandas=True).cast(type_, safe=False)
        else:
            result[feature.name] = aggregated[feature.name].cast(type_, safe=False)
    return result


def _later(table: pa.Table, by_ms: int) -> pa.Table:
    """Return rows whose ends are so much later."""
    return with_columns(table, {EVENT_TIMESTAMP: pa.array(whole(table.column(EVENT_TIMESTAMP)).to_numpy() + by_ms)})
