"""Read what a Feast StreamFeatureView declares; by its attributes, so that this module does not import Feast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from features.machinery.aggregates import FUNCTIONS
from features.machinery.view_spec import AggregationSpec, Column, FeatureType, ViewSpec
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from datetime import timedelta

FILTER_TAG = "echopulse.filter"
DERIVED_TAG = "echopulse.derived"
#: Numbers that functions need and Feast's Aggregation has no slot for: an object of aggregation: number each.
PARAMETER_TAGS = {name: f"echopulse.{name}" for name, function in FUNCTIONS.items() if function.parameter}
_TAG_PREFIX = "echopulse."

#: Feast's value types that have a place in the online store.
_TYPES: dict[str, FeatureType] = {"INT64": "int64", "DOUBLE": "float64", "STRING": "string"}


def from_feast(view: Any) -> ViewSpec:  # noqa: ANN401 a feast.StreamFeatureView, which this module does not import
    """Return a view's declaration in ms and seconds. Raises EchoPulseError naming the view, the field or the tag."""
    _check_tags(view.name, view.tags)
    keys = {field.name for field in view.entity_columns}
    names = [aggregation.resolved_name(aggregation.time_window) for aggregation in view.aggregations]
    parameters = {
        function: _parameters(view.name, tag, view.tags.get(tag, "{}"), names)
        for function, tag in PARAMETER_TAGS.items()
    }
    return ViewSpec(
        name=view.name,
        join_keys=tuple(_column(view.name, field) for field in view.entity_columns),
        # From its registry Feast gives join keys as features too.
        features=tuple(_column(view.name, field) for field in view.features if field.name not in keys),
        aggregations=tuple(
            AggregationSpec(
                name,
                aggregation.function,
                aggregation.column,
                _ms(aggregation.time_window),
                _ms(aggregation.slide_interval),
                parameters.get(aggregation.function, {}).get(name),
            )
            for name, aggregation in zip(names, view.aggregations, strict=True)
        ),
        derived=_derived(view.name, view.tags.get(DERIVED_TAG, "{}")),
        filter=view.tags.get(FILTER_TAG, ""),
        ttl_s=round(view.ttl.total_seconds()) if view.ttl else 0,
    )


def _column(view: str, field: Any) -> Column:  # noqa: ANN401 a feast.Field
    declared = field.dtype.to_value_type().name
    if declared not in _TYPES:
        raise EchoPulseError(
            f"view '{view}', field '{field.name}': type {declared} cannot be served", "Int64, Float64 and String can"
        )
    return Column(field.name, _TYPES[declared])


def _ms(duration: timedelta | None) -> int:
    return 0 if duration is None else round(duration.total_seconds() * 1_000)


def _check_tags(view: str, tags: dict[str, str]) -> None:
    known = (FILTER_TAG, DERIVED_TAG, *PARAMETER_TAGS.values())
    for tag in tags:
        if tag.startswith(_TAG_PREFIX) and tag not in known:
            raise EchoPulseError(f"view '{view}': unknown tag '{tag}'", did_you_mean(tag, known))


def _derived(view: str, text: str) -> dict[str, str]:
    derived = _object(view, DERIVED_TAG, text)
    if not all(isinstance(value, str) for value in derived.values()):
        raise EchoPulseError(
            f"view '{view}', tag '{DERIVED_TAG}': expected an object of feature: expression, got {text}"
        )
    return derived


def _parameters(view: str, tag: str, text: str, names: list[str]) -> dict[str, float]:
    given = _object(view, tag, text)
    for name, value in given.items():
        if name not in names:
            raise EchoPulseError(f"view '{view}', tag '{tag}': no aggregation '{name}'", did_you_mean(name, names))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise EchoPulseError(f"view '{view}', tag '{tag}': expected a number for '{name}', got {value!r}")
    return given


def _object(view: str, tag: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise EchoPulseError(f"view '{view}', tag '{tag}': not JSON: {error}") from error
    if not isinstance(value, dict):
        what = "feature: expression" if tag == DERIVED_TAG else "aggregation: number"
        raise EchoPulseError(f"view '{view}', tag '{tag}': expected an object of {what}, got {text}")
    return value
