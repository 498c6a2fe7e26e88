"""A view held against the columns there are: every name known, every type fitting, or refused with the near miss."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.machinery.aggregates import FUNCTIONS, Argument
from features.machinery.expression import ExpressionError, Term, parse, to_sql
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.machinery.windows import ROWTIME, WINDOW_NAMES, one_window
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from features.machinery.aggregates import Group, Parameter
    from features.machinery.expression import ExpressionType
    from features.machinery.view_spec import AggregationSpec, Column, ViewSpec

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY_TYPE = "int32"
#: A row that could not be analysed has the stage that failed here; a table without the column has whole rows alone.
STAGE = "stage"
#: Functions that take their column as what splits panes, and from nowhere else.
_BY_GROUP = {name for name, function in FUNCTIONS.items() if function.group is not None}
_TYPES: dict[str, ExpressionType] = {
    "int32": "int64",
    "int64": "int64",
    "double": "float64",
    "float": "float64",
    "string": "string",
}


class ViewError(EchoPulseError):
    """A view that cannot be compiled, named with the part that stands in the way."""


@dataclass(frozen=True)
class ResolvedView:
    """A view whose keys and aggregations are known columns; `condition` is the SQL of which rows count."""

    view: ViewSpec
    keys: tuple[Term, ...]
    arguments: Mapping[str, Argument]
    condition: str
    window_ms: int
    slide_ms: int

    @property
    def groups(self) -> tuple[Group, ...]:
        """The columns by which its functions need panes split, by name."""
        groups = {}
        for spec in self.view.aggregations:
            split = FUNCTIONS[spec.function].group
            if split is not None:
                group = split(self.arguments[spec.name])
                groups[group.name] = group
        return tuple(groups[name] for name in sorted(groups))


def resolve(view: ViewSpec, source: str, inputs: pa.Schema) -> ResolvedView:
    """Check a view that reads the table `source` with the columns `inputs`; `arguments` are its aggregations' columns.

    Raises ViewError (one line: view, aggregation or feature, near miss) for what is unknown or of the wrong type.
    """
    _check_names(view, source)
    columns = input_columns(inputs)
    window_ms, slide_ms = one_window(view)
    resolved = ResolvedView(
        view,
        tuple(_key(view, key, columns) for key in view.join_keys),
        {spec.name: _argument(view, spec, columns) for spec in view.aggregations},
        _condition(view, columns),
        window_ms,
        slide_ms,
    )
    _check_ranked(resolved)
    return resolved


def input_columns(inputs: pa.Schema) -> dict[str, Term]:
    """Return the columns an aggregation or filter can use; lists and maps are none of them."""
    return {
        f.name: Term(quote(f.name), _TYPES[str(f.type)], is_key=str(f.type) == _KEY_TYPE)
        for f in inputs
        if str(f.type) in _TYPES
    }


def rows_of(views: Sequence[ResolvedView], source: str) -> str:
    """Write the rows of the table `source` that views of the same keys and condition count, with all they aggregate."""
    first = views[0]
    keys = [key.name for key in first.view.join_keys]
    specs = [spec for each in views for spec in each.view.aggregations]
    used = {spec.column for spec in specs if spec.function not in {"count", *_BY_GROUP}}
    used |= {"event_id"} if any(spec.function in {"first", "last"} for spec in specs) else set()
    selected = [quote(name) for name in (*keys, *sorted(used - set(keys)), ROWTIME)]
    split = "".join(f",\n    {group.sql} AS {quote(group.name)}" for group in first.groups)
    return f"(SELECT {', '.join(selected)}{split}\n    FROM {quote(source)}\n    WHERE {first.condition})"


def quote(name: str) -> str:
    """Write a column's name as Flink SQL quotes it."""
    return f"`{name}`"


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


def _argument(view: ViewSpec, spec: AggregationSpec, columns: dict[str, Term]) -> Argument:
    part = f"aggregation '{spec.name}'"
    if spec.function not in FUNCTIONS:
        raise ViewError(
            f"view '{view.name}', {part}: no function '{spec.function}'", did_you_mean(spec.function, FUNCTIONS)
        )
    function, column = FUNCTIONS[spec.function], _known(view, part, spec.column, columns)
    what = f"view '{view.name}', {part}: {spec.function} of '{spec.column}', which is {column.type}"
    if function.keys_only and not column.is_key:
        fitting = ", ".join(sorted(name for name, term in columns.items() if term.is_key))
        raise ViewError(what, f"{spec.function} takes a column of 32-bit integers: {fitting}")
    if column.type not in function.takes:
        raise ViewError(what, f"{spec.function} takes {' or '.join(function.takes)}")
    return Argument(spec.column, column, _parameter(view, spec, function.parameter))


def _parameter(view: ViewSpec, spec: AggregationSpec, parameter: Parameter | None) -> float | None:
    part, value = f"view '{view.name}', aggregation '{spec.name}'", spec.parameter
    if parameter is None:
        if value is not None:
            raise ViewError(f"{part}: {spec.function} takes no number, got {value:g}", "take it out of the view's tags")
        return None
    kind = "an integer" if parameter.whole else "a number"
    wanted = f"{parameter.what}, {kind} from {parameter.least:g} to {parameter.greatest:g}"
    tag = f"in the view's tag 'echopulse.{spec.function}': {{\"{spec.name}\": ...}}"
    if value is None:
        raise ViewError(f"{part}: {spec.function} needs {wanted}", tag)
    if not parameter.least <= value <= parameter.greatest or (parameter.whole and value != int(value)):
        raise ViewError(f"{part}: {spec.function} of {value:g}; it needs {wanted}", tag)
    return value


def _check_ranked(resolved: ResolvedView) -> None:
    """Refuse what stands beside a ranking: it sees the values in front and no others."""
    view = resolved.view
    ranked = [spec for spec in view.aggregations if FUNCTIONS[spec.function].ranked]
    if not ranked:
        return
    for spec in view.aggregations:
        if (spec.function, spec.column) != (ranked[0].function, ranked[0].column):
            raise ViewError(
                f"view '{view.name}', aggregation '{spec.name}': {spec.function} of '{spec.column}' cannot stand "
                f"beside {ranked[0].function} of '{ranked[0].column}'",
                f"give {ranked[0].function} a view of its own",
            )


def feature_term(view: ViewSpec, feature: Column, aggregated: Mapping[str, Term], window_ms: int) -> Term:
    """Find what a feature is: an aggregation of its name, or the derived expression that its view's tag gives.

    Raises ViewError where it is neither, or not of the type declared.
    """
    part = f"view '{view.name}', feature '{feature.name}'"
    if feature.name in view.derived:
        names = dict(aggregated) | {
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
        *(f"{quote(name)} = ''" for name in [STAGE] if name in columns),
        *(f"{quote(k.name)} <> ''" for k in view.join_keys if columns[k.name].type == "string"),
    ]
    if view.filter:
        try:
            term = to_sql(parse(view.filter), columns)
        except ExpressionError as error:
            raise ViewError(f"view '{view.name}', filter: {error.message}", error.hint) from error
        if term.type != "bool":
            raise ViewError(f"view '{view.name}', filter: '{view.filter}' is {term.type}, expected a condition")
        conditions.append(term.sql)
    return " AND ".join(conditions or ["TRUE"])
