"""From a feature view to Flink SQL: one SELECT over window aggregates, the same text for stream and batch.

It reads a table with the columns of `schemas.arrow.EXCHANGED` and a row time `et` TIMESTAMP_LTZ(3), and takes the rows
that were analysed (`stage` is empty), that carry the view's keys, and that pass its filter. Windows are aligned to the
epoch and hold `window_end - size <= et < window_end`; a window without rows gives no row.

`window_end` is a TIMESTAMP(3) in the session's time zone, where the row time is TIMESTAMP_LTZ. The cast back reads it
in that zone: exact in UTC, which is what a session must be set to (`table.local-time-zone`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, aggregate
from features.machinery.expression import ExpressionError, Term, parse, to_sql
from features.machinery.view_spec import EVENT_TIMESTAMP, CompiledView, ViewSchema
from features.machinery.windows import WINDOW_NAMES, one_window, window_function
from schemas.arrow import EXCHANGED
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from features.machinery.expression import ExpressionType
    from features.machinery.view_spec import AggregationSpec, Column, ViewSpec

ROWTIME = "et"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES: dict[str, ExpressionType] = {
    "int32": "int64",
    "int64": "int64",
    "double": "float64",
    "float": "float64",
    "string": "string",
}


class ViewError(EchoPulseError):
    """A view that cannot be compiled, named with the part that stands in the way."""


def compile_view(view: ViewSpec, source: str = "analysed", inputs: pa.Schema = EXCHANGED) -> CompiledView:
    """Compile a view to a SELECT over the table `source`, whose columns are `inputs` and the row time `et`.

    Raises ViewError (one line: view, aggregation or feature, near miss) for anything that cannot be compiled exactly.
    """
    _check_names(view, source)
    columns = _input_columns(inputs)
    window_ms, slide_ms = one_window(view)
    aggregated = {spec.name: _aggregation(view, spec, columns) for spec in view.aggregations}
    features = [_feature(view, feature, aggregated, window_ms) for feature in view.features]
    keys = [_key(view, key, columns) for key in view.join_keys]
    where = _condition(view, columns)
    used = sorted(
        {spec.column for spec in view.aggregations if spec.function != "count"} - {k.name for k in view.join_keys}
    )
    selected = ", ".join(_quote(name) for name in (*(key.name for key in view.join_keys), *used, ROWTIME))
    lines = [
        *(f"  {key.sql}," for key in keys),
        *(f"  {term.sql} AS {_quote(feature.name)}," for feature, term in zip(view.features, features, strict=True)),
        f"  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS {_quote(EVENT_TIMESTAMP)}",
    ]
    rows = f"(SELECT {selected} FROM {_quote(source)}\n    WHERE {where})"
    grouped = ", ".join([*(key.sql for key in keys), "`window_start`", "`window_end`"])
    sql = "\n".join(
        [
            "SELECT",
            *lines,
            f"FROM TABLE({window_function(rows, ROWTIME, window_ms, slide_ms)})",
            f"GROUP BY {grouped}",
        ]
    )
    return CompiledView(ViewSchema(view.name, view.join_keys, view.features, view.ttl_s), sql, window_ms, slide_ms)


def compile_views(views: Iterable[ViewSpec], source: str = "analysed") -> list[CompiledView]:
    """Compile several views that share an online store. Raises ViewError, also where two of them bear one name."""
    compiled: dict[str, CompiledView] = {}
    for view in views:
        if view.name in compiled:
            raise ViewError(f"view '{view.name}' is declared twice", "two views cannot write under one name")
        compiled[view.name] = compile_view(view, source)
    return list(compiled.values())


def _input_columns(inputs: pa.Schema) -> dict[str, Term]:
    """Return the columns an aggregation or filter can use; lists and maps are none of them."""
    return {f.name: Term(_quote(f.name), _TYPES[str(f.type)]) for f in inputs if str(f.type) in _TYPES}


def _check_names(view: ViewSpec, source: str) -> None:
    named = [
        view.name,
        source,
        *(c.name for c in (*view.join_keys, *view.features)),
        *(a.name for a in view.aggregations),
    ]
    for name in named:
        if not _NAME.fullmatch(name):
            raise ViewError(f"view '{view.name}': '{name}' is not a name", "letters, digits and _, no digit first")
    if not view.join_keys or not view.features:
        raise ViewError(f"view '{view.name}' has no {'features' if view.join_keys else 'entity'}")
    seen: set[str] = set()
    for name in (*(c.name for c in (*view.join_keys, *view.features)), EVENT_TIMESTAMP):
        if name in seen:
            raise ViewError(f"view '{view.name}': two columns are named '{name}'")
        seen.add(name)
    if len({spec.name for spec in view.aggregations}) < len(view.aggregations):
        raise ViewError(f"view '{view.name}': two aggregations share a name", "give each a name= of its own")
    features = [feature.name for feature in view.features]
    for name in sorted(view.derived.keys() - set(features)):
        raise ViewError(
            f"view '{view.name}': '{name}' is derived but is no feature of it", did_you_mean(name, features)
        )


def _known(view: ViewSpec, part: str, column: str, columns: dict[str, Term]) -> Term:
    if column not in columns:
        raise ViewError(
            f"view '{view.name}', {part}: no column '{column}' to compute it from", did_you_mean(column, columns)
        )
    return columns[column]


def _key(view: ViewSpec, key: Column, columns: dict[str, Term]) -> Term:
    part = f"entity '{key.name}'"
    column = _known(view, part, key.name, columns)
    if column.type != key.type:
        raise ViewError(f"view '{view.name}', {part}: declared {key.type}, but the column is {column.type}")
    return column


def _aggregation(view: ViewSpec, spec: AggregationSpec, columns: dict[str, Term]) -> Term:
    part = f"aggregation '{spec.name}'"
    if spec.function not in FUNCTIONS:
        raise ViewError(
            f"view '{view.name}', {part}: no function '{spec.function}'", did_you_mean(spec.function, FUNCTIONS)
        )
    function, column = FUNCTIONS[spec.function], _known(view, part, spec.column, columns)
    if column.type not in function.takes:
        raise ViewError(
            f"view '{view.name}', {part}: {spec.function} of '{spec.column}', which is {column.type}",
            f"{spec.function} takes {' or '.join(function.takes)}",
        )
    return aggregate(spec.function, column)


def _feature(view: ViewSpec, feature: Column, aggregated: dict[str, Term], window_ms: int) -> Term:
    """Find what a feature is: an aggregation of its name, or the derived expression that its view's tag gives."""
    part = f"view '{view.name}', feature '{feature.name}'"
    if feature.name in view.derived:
        names = aggregated | {
            name: Term(f"CAST({window_ms / ms!r} AS DOUBLE)", "float64", nonzero=True)
            for name, ms in WINDOW_NAMES.items()
        }
        try:
            term = to_sql(parse(view.derived[feature.name]), names)
        except ExpressionError as error:
            raise ViewError(f"{part}: {error.message}", error.hint) from error
    elif feature.name in aggregated:
        term = aggregated[feature.name]
    else:
        raise ViewError(f"{part}: neither an aggregation nor derived", did_you_mean(feature.name, aggregated))
    if term.type == "int64" and feature.type == "float64":
        return Term(f"CAST({term.sql} AS DOUBLE)", "float64")
    if term.type != feature.type:
        raise ViewError(f"{part}: declared {feature.type}, but it is {term.type}", f"declare it as {term.type}")
    return term


def _condition(view: ViewSpec, columns: dict[str, Term]) -> str:
    conditions = [
        "`stage` = ''",
        *(f"{_quote(k.name)} <> ''" for k in view.join_keys if columns[k.name].type == "string"),
    ]
    if view.filter:
        try:
            term = to_sql(parse(view.filter), columns)
        except ExpressionError as error:
            raise ViewError(f"view '{view.name}', filter: {error.message}", error.hint) from error
        if term.type != "bool":
            raise ViewError(f"view '{view.name}', filter: '{view.filter}' is {term.type}, expected a condition")
        conditions.append(term.sql)
    return " AND ".join(conditions)


def _quote(name: str) -> str:
    return f"`{name}`"
