"""From feature views to Flink SQL: each a SELECT over window aggregates, one text for a stream and for a batch.

They read a table with the columns of `schemas.arrow.EXCHANGED`, or others, and a row time `et` TIMESTAMP_LTZ(3). The
rows count that were analysed (`stage`, where there is such a column, is empty), that carry the view's keys, and that
pass its filter. Windows are aligned to the epoch and hold `window_end - size <= et < window_end`; of a key's windows
without rows the first in a row gives one.

Views over the same rows with the same keys share panes: each event is aggregated once, into the pane of its key and
step, and windows merge panes.

`window_end` is a TIMESTAMP(3) in the session's time zone, where the row time is TIMESTAMP_LTZ. The cast back reads it
in that zone: exact in UTC, which is what a session must be set to (`table.local-time-zone`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, ROWS
from features.machinery.expression import Term
from features.machinery.panes import families
from features.machinery.resolve import ResolvedView, ViewError, feature_term, quote, resolve
from features.machinery.silence import falls_silent, of_nothing
from features.machinery.view_spec import EVENT_TIMESTAMP, CompiledView, ViewSchema
from features.machinery.windows import PANE_TIME, interval
from schemas.arrow import EXCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from features.machinery.panes import Family
    from features.machinery.view_spec import ViewSpec

_WINDOW = "`window_start`, `window_end`"


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
    compiled = {
        view.view.name: _compiled(view, family)
        for family in families(resolved.values(), source)
        for view in family.views
    }
    return [compiled[name] for name in resolved]


def compile_view(view: ViewSpec, source: str = "analysed", inputs: pa.Schema = EXCHANGED) -> CompiledView:
    """Compile a view by itself. Raises ViewError."""
    return compile_views([view], source, inputs)[0]


def _compiled(resolved: ResolvedView, family: Family) -> CompiledView:
    view = resolved.view
    last = family.last_panes(resolved)
    silence = {
        spec.name: of_nothing(FUNCTIONS[spec.function], resolved.arguments[spec.name]) for spec in view.aggregations
    }
    return CompiledView(
        ViewSchema(view.name, view.join_keys, view.features, view.ttl_s),
        _spoken(resolved, family),
        resolved.window_ms,
        resolved.slide_ms,
        (*family.below(resolved), last),
        f"""{_select(resolved, silence, quote(EVENT_TIMESTAMP))}
FROM {quote(last.name)}
WHERE {falls_silent(resolved.window_ms, resolved.slide_ms)}""",
    )


def _spoken(resolved: ResolvedView, family: Family) -> str:
    """Write the rows of windows with events."""
    ranked = any(FUNCTIONS[spec.function].ranked for spec in resolved.view.aggregations)
    aggregated = _ranked_values(resolved) if ranked else family.aggregated(resolved)
    keys = ", ".join(key.sql for key in resolved.keys)
    later_ms = family.later_ms(resolved)
    moved = f" - {interval(later_ms)}" if later_ms else ""
    if whole := family.whole(resolved):
        ended = f"CAST({quote(PANE_TIME)} + INTERVAL '0.001' SECOND{moved} AS TIMESTAMP_LTZ(3))"
        return f"{_select(resolved, aggregated, ended)}\nFROM {quote(whole.name)}"
    windows = family.windows(resolved)
    ended = f"CAST(`window_end`{moved} AS TIMESTAMP_LTZ(3))"
    return f"""{_select(resolved, aggregated, ended)}
FROM {_ranked(resolved, keys, windows) if ranked else windows}
GROUP BY {keys}, {_WINDOW}"""


def _select(resolved: ResolvedView, aggregated: Mapping[str, Term], ended: str) -> str:
    """Write what a view's rows have: keys, features of aggregations, and the end of their window."""
    view = resolved.view
    terms = [feature_term(view, feature, aggregated, resolved.window_ms) for feature in view.features]
    return "\n".join(
        [
            "SELECT",
            *(f"  {key.sql}," for key in resolved.keys),
            *(f"  {term.sql} AS {quote(feature.name)}," for feature, term in zip(view.features, terms, strict=True)),
            f"  {ended} AS {quote(EVENT_TIMESTAMP)}",
        ]
    )


def _places(resolved: ResolvedView) -> dict[str, int]:
    """Return how many values each aggregation of a view that ranks wants."""
    return {name: int(argument.parameter or 0) for name, argument in resolved.arguments.items()}


def _ranked(resolved: ResolvedView, keys: str, windows: str) -> str:
    """Write the values of each window with their place: the most frequent first, of equals the least."""
    value = quote(resolved.groups[0].name)
    return f"""(
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY {keys}, {_WINDOW} ORDER BY `weight` DESC, {value}) AS `place`
  FROM (
    SELECT {keys}, {value}, {_WINDOW},
      CASE WHEN {value} IS NULL THEN CAST(0 AS BIGINT) ELSE {ROWS.merge} END AS `weight`
    FROM {windows}
    GROUP BY {keys}, {value}, {_WINDOW})
) WHERE `place` <= {max(_places(resolved).values())}"""


def _ranked_values(resolved: ResolvedView) -> dict[str, Term]:
    """Write each aggregation's values as a JSON array, the most frequent first; a missing value is none."""
    value = quote(resolved.groups[0].name)
    return {
        name: Term(
            "JSON_ARRAY("
            + ", ".join(f"MAX(CASE WHEN `place` = {place} THEN {value} END)" for place in range(1, places + 1))
            + ")",
            "string",
        )
        for name, places in _places(resolved).items()
    }
