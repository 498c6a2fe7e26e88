"""Training sets: entities at instants, each joined with the values that could be read by then, through Feast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from feast.errors import FeastError, FeatureServiceNotFoundException

from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView, StreamFeatureView

#: Where a row of the entities stands; Feast gives its answer in any order.
_PLACE = "_place"


def history(store: FeatureStore, service: str, entities: pd.DataFrame) -> pd.DataFrame:
    """Return the entities in their order with the features of a service, as VIEW__FEATURE; null where none was there.

    `entities` has the join keys of the service's views, `event_timestamp` (UTC where it has no zone) and whatever else
    the answer is to keep, such as labels. Raises EchoPulseError for an unknown service, a column that is missing, of
    another type or named like a feature, an instant that is none, and where the lake does not answer.
    """
    try:
        found = store.get_feature_service(service)
    except FeatureServiceNotFoundException as error:
        known = [each.name for each in store.list_feature_services()]
        raise EchoPulseError(
            f"no feature service '{service}'", did_you_mean(service, known) or "run `echopulse feature apply`"
        ) from error
    declared: dict[str, FeatureView | StreamFeatureView] = {
        view.name: view for view in store.list_stream_feature_views() + store.list_feature_views()
    }
    views = [declared[projection.name] for projection in found.feature_view_projections]
    asked = _checked(entities, {field.name: field.dtype for view in views for field in view.entity_columns})
    wanted = [(view.name, name) for view in views for name in _features(view)]
    names = [f"{view}__{name}" for view, name in wanted]
    if taken := set(names) & set(asked.columns):
        raise EchoPulseError(
            f"entities: column '{min(taken)}' is a feature of service '{service}'", "rename the column"
        )
    if asked.empty:
        return asked.assign(**dict.fromkeys(names, pd.Series(dtype="object")))
    asked[_PLACE] = np.arange(len(asked))
    try:
        answer = store.get_historical_features(
            entity_df=asked, features=[f"{view}:{name}" for view, name in wanted], full_feature_names=True
        ).to_df()
    except (FeastError, ValueError) as error:
        raise EchoPulseError(f"service '{service}': {error}") from error
    return answer.sort_values(_PLACE, ignore_index=True)[[*entities.columns, *names]]


def _features(view: FeatureView | StreamFeatureView) -> list[str]:
    """Return a view's features; from its registry Feast gives them in any order, and join keys among them."""
    return sorted({feature.name for feature in view.features} - {field.name for field in view.entity_columns})


def _checked(entities: pd.DataFrame, keys: dict[str, Any]) -> pd.DataFrame:
    for name in (*keys, EVENT_TIMESTAMP):
        if name not in entities.columns:
            near = did_you_mean(name, [str(column) for column in entities.columns])
            raise EchoPulseError(
                f"entities: no column '{name}'", near or f"it needs {', '.join((*keys, EVENT_TIMESTAMP))}"
            )
    checked = entities.copy()
    times = pd.to_datetime(checked[EVENT_TIMESTAMP], utc=True, errors="coerce", format="ISO8601")
    if times.isna().any():
        row = int(np.argmax(times.isna()))
        raise EchoPulseError(
            f"entities, row {row + 1}: event_timestamp {entities[EVENT_TIMESTAMP].iloc[row]!r} is no time",
            "ISO 8601, for example 2026-01-31T12:00:00Z",
        )
    checked[EVENT_TIMESTAMP] = times
    for name, type_ in keys.items():
        if checked[name].isna().any():
            raise EchoPulseError(f"entities, row {int(np.argmax(checked[name].isna())) + 1}: no {name}")
        if type_.to_value_type().name == "STRING":
            if pd.api.types.is_float_dtype(checked[name]):
                raise EchoPulseError(f"entities: column '{name}' holds numbers with a fraction, expected texts")
            checked[name] = checked[name].astype(str)
        else:
            numbers = pd.to_numeric(checked[name], errors="coerce")
            if not pd.api.types.is_integer_dtype(numbers):
                raise EchoPulseError(f"entities: column '{name}' holds other things than integers")
            checked[name] = numbers
    return checked
