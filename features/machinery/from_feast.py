"""Read what a Feast StreamFeatureView declares; by its attributes, so that this module does not import Feast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from features.machinery.view_spec import AggregationSpec, Column, FeatureType, ViewSpec
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from datetime import timedelta

FILTER_TAG = "echopulse.filter"
DERIVED_TAG = "echopulse.derived"
_TAG_PREFIX = "echopulse."

#: Feast's value types that have a place in the online store.
_TYPES: dict[str, FeatureType] = {"INT64": "int64", "DOUBLE": "float64", "STRING": "string"}


def from_feast(view: Any) -> ViewSpec:  # noqa: ANN401 a feast.StreamFeatureView, which this module does not import
    """Return a view's declaration in ms and seconds. Raises EchoPulseError naming the view, the field or the tag."""
    _check_tags(view.name, view.tags)
    return ViewSpec(
        name=view.name,
        join_keys=tuple(_column(view.name, field) for field in view.entity_columns),
        features=tuple(_column(view.name, field) for field in view.features),
        aggregations=tuple(
            AggregationSpec(
                aggregation.resolved_name(aggregation.time_window),
                aggregation.function,
                aggregation.column,
                _ms(aggregation.time_window),
                _ms(aggregation.slide_interval),
            )
            for aggregation in view.aggregations
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
    known = (FILTER_TAG, DERIVED_TAG)
    for tag in tags:
        if tag.startswith(_TAG_PREFIX) and tag not in known:
            raise EchoPulseError(f"view '{view}': unknown tag '{tag}'", did_you_mean(tag, known))


def _derived(view: str, text: str) -> dict[str, str]:
    try:
        derived = json.loads(text)
    except json.JSONDecodeError as error:
        raise EchoPulseError(f"view '{view}', tag '{DERIVED_TAG}': not JSON: {error}") from error
    if not isinstance(derived, dict) or not all(isinstance(value, str) for value in derived.values()):
        raise EchoPulseError(
            f"view '{view}', tag '{DERIVED_TAG}': expected an object of feature: expression, got {text}"
        )
    return derived
