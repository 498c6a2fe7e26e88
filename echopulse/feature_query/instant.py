"""The values of one entity at an instant of the past, out of the lake."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from echopulse.feature_query.past import as_of
from echopulse.feature_query.rows import LakeRows
from features.machinery.catalog import compiled_views
from features.machinery.entity_keys import check_entity
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from echopulse.settings import Settings


def value_at(settings: Settings, repo: Path, view: str, entity: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """Return what a reader had of a view at an instant: {"found", "event_timestamp" (s), "features"}.

    Raises EchoPulseError for an unknown view, for join keys that are not its own, and where the lake does not answer.
    """
    schemas = {each.name: each.schema for each in compiled_views(repo, settings.home)}
    if view not in schemas:
        raise EchoPulseError(f"no feature view '{view}'", did_you_mean(view, schemas))
    schema, rows = schemas[view], LakeRows(settings.lake)
    check_entity(view, [column.name for column in schema.join_keys], entity)
    key = tuple(_typed(entity[column.name], column.type, column.name) for column in schema.join_keys)

    def read(keys: Sequence[tuple[object, ...]], span_ms: tuple[int, int]) -> pa.Table:
        return rows.between(schema, schema.features, keys, span_ms, lambda _: None)

    delay_ms = settings.job.watermark_delay_ms
    [row] = as_of(read, schema, schema.features, [key], round(at.timestamp() * 1_000), delay_ms).to_pylist()
    stamp = row[EVENT_TIMESTAMP]
    return {
        "found": stamp is not None,
        "event_timestamp": None if stamp is None else stamp.replace(tzinfo=UTC).timestamp(),
        "features": {column.name: row[column.name] for column in schema.features},
    }


def _typed(value: str, type_: str, name: str) -> object:
    try:
        return int(value) if type_ == "int64" else value
    except ValueError as error:
        raise EchoPulseError(f"--entity {name}='{value}' is no integer") from error
