"""From feature views to Flink SQL: each a SELECT over window aggregates, for a stream and for a batch alike.

They read a table with the columns of `schemas.arrow.EXCHANGED` and a row time `et` TIMESTAMP_LTZ(3), and take the rows
that were analysed (`stage` is empty), that carry the view's keys, and that pass its filter. Windows are aligned to the
epoch and hold `window_end - size <= et < window_end`; a window without rows gives no row.

Views over the same rows with the same keys share panes: each event is aggregated once, into the pane of its key and
step, and windows merge panes. A view with a function that has no parts reads the events by itself.

`window_end` is a TIMESTAMP(3) in the session's time zone, where the row time is TIMESTAMP_LTZ. The cast back reads it
in that zone: exact in UTC, which is what a session must be set to (`table.local-time-zone`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, aggregate
from features.machinery.panes import PANE_END, PANE_TIME, Family, families
from features.machinery.resolve import ResolvedView, ViewError, feature_term, quote, resolve, rows_of
from features.machinery.view_spec import EVENT_TIMESTAMP, CompiledView, ViewSchema
from features.machinery.windows import ROWTIME, window_function
from schemas.arrow import EXCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from features.machinery.expression import Term
    from features.machinery.view_spec import Panes, ViewSpec


def compile_views(
    views: Iterable[ViewSpec], source: str = "analysed", inputs: pa.Schema = EXCHANGED
) -> list[CompiledView]:
    """Compile views that share an online store, over the table `source` whose columns are `inputs` and the row time.

    Raises ViewError (one line: view, aggregation or feature, near miss) for anything that cannot be compiled exactly,
    also where two of them bear one name.
    """
    resolved: dict[str, ResolvedView] = {}
    for view in views:
        if view.name in resolved:
            raise ViewError(f"view '{view.name}' is declared twice", "two views cannot write under one name")
        resolved[view.name] = resolve(view, source, inputs)
    shared = {
        view.view.name: family
        for family in families([each for each in resolved.values() if _in_parts(each)], source)
        for view in family.views
    }
    return [
        _over_panes(view, shared[name]) if name in shared else _over_rows(view, source)
        for name, view in resolved.items()
    ]


def compile_view(view: ViewSpec, source: str = "analysed", inputs: pa.Schema = EXCHANGED) -> CompiledView:
    """Compile a view by itself. Raises ViewError."""
    return compile_views([view], source, inputs)[0]


def _in_parts(resolved: ResolvedView) -> bool:
    return all(FUNCTIONS[spec.function].parts for spec in resolved.view.aggregations)


def _over_rows(resolved: ResolvedView, source: str) -> CompiledView:
    view = resolved.view
    aggregated = {spec.name: aggregate(spec.function, resolved.arguments[spec.name]) for spec in view.aggregations}
    window = window_function(rows_of([resolved], source), ROWTIME, resolved.window_ms, resolved.slide_ms)
    return _compiled(resolved, aggregated, "`window_end`", f"TABLE({window})", None)


def _over_panes(resolved: ResolvedView, family: Family) -> CompiledView:
    single = resolved.window_ms == family.step_ms
    aggregated = family.aggregated(resolved, merged=not single)
    if single:
        return _compiled(resolved, aggregated, quote(PANE_END), quote(family.name), family.panes, grouped=False)
    window = window_function(f"TABLE {quote(family.name)}", PANE_TIME, resolved.window_ms, resolved.slide_ms)
    return _compiled(resolved, aggregated, "`window_end`", f"TABLE({window})", family.panes)


def _compiled(
    resolved: ResolvedView,
    aggregated: Mapping[str, Term],
    end: str,
    table: str,
    panes: Panes | None,
    *,
    grouped: bool = True,
) -> CompiledView:
    view = resolved.view
    terms = [feature_term(view, feature, aggregated, resolved.window_ms) for feature in view.features]
    lines = [
        "SELECT",
        *(f"  {key.sql}," for key in resolved.keys),
        *(f"  {term.sql} AS {quote(feature.name)}," for feature, term in zip(view.features, terms, strict=True)),
        f"  CAST({end} AS TIMESTAMP_LTZ(3)) AS {quote(EVENT_TIMESTAMP)}",
        f"FROM {table}",
    ]
    if grouped:
        lines.append(f"GROUP BY {', '.join([*(key.sql for key in resolved.keys), '`window_start`', '`window_end`'])}")
    schema = ViewSchema(view.name, view.join_keys, view.features, view.ttl_s)
    return CompiledView(schema, "\n".join(lines), resolved.window_ms, resolved.slide_ms, panes)
