"""EchoPulse's offline store for Feast: joins by the time at which a value could be read, over the lake as it is.

A value is of the window that ends at its event timestamp, but nobody could read it before the watermark had passed
that end. A training set that joins by the window's end shows a model some seconds of its future; this store joins by
the end plus the watermark's delay. The join itself is that of Feast's DuckDB store.
"""

from __future__ import annotations

import os
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast.infra.offline_stores.duckdb import (
    DuckDBOfflineStore,
    DuckDBOfflineStoreConfig,
    _write_data_source,
)
from feast.infra.offline_stores.ibis import (
    get_historical_features_ibis,
    pull_all_from_table_or_query_ibis,
    pull_latest_from_table_or_query_ibis,
)
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.type_map import feast_value_type_to_pa
from pydantic import model_validator

from features.lake.view_rows import all_rows, rows_between
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feast import FeatureView, RepoConfig
    from feast.data_source import DataSource
    from feast.infra.offline_stores.offline_store import RetrievalJob
    from feast.infra.registry.base_registry import BaseRegistry
    from ibis.expr.types import Table

_TYPE = "features.lake.offline_store.EchoPulseOfflineStore"
#: The setting that replaces what a repository's configuration says, where its variable is set.
_DELAY_VARIABLE = "ECHOPULSE_JOB__WATERMARK_DELAY_MS"


class EchoPulseOfflineStoreConfig(DuckDBOfflineStoreConfig):
    """Feast's DuckDB settings, and how long after its window's end a value can be read."""

    type: Literal["features.lake.offline_store.EchoPulseOfflineStore"] = _TYPE  # type: ignore[assignment] # each has its own
    #: ms; that of the job, job.watermark_delay_ms.
    available_after_ms: int = 5_000

    @model_validator(mode="before")
    @classmethod
    def _from_environment(cls, values: Any) -> Any:  # noqa: ANN401 whatever the file holds
        delay = os.environ.get(_DELAY_VARIABLE)
        return values | {"available_after_ms": delay} if delay and isinstance(values, dict) else values


class EchoPulseOfflineStore(DuckDBOfflineStore):
    """Feast's DuckDB store on the lake: compacted meanwhile, columns added later, a window written twice."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,  # noqa: FBT001, FBT002 as Feast calls it
        filter_by_created_timestamp: bool = False,  # noqa: FBT001, FBT002 as above
    ) -> RetrievalJob:
        """Join each entity row with the newest value that could be read by then and had not outlived its view.

        Raises EchoPulseError where the lake does not answer, and for entities that are no frame.
        """
        if not isinstance(entity_df, pd.DataFrame):
            raise EchoPulseError(f"entities are a pandas DataFrame, got {type(entity_df).__name__}")
        delay = timedelta(milliseconds=config.offline_store.available_after_ms)
        times = pd.to_datetime(entity_df[infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))], utc=True)
        views = {view.batch_source.name: view for view in feature_views if view.batch_source is not None}

        def read(source: DataSource, _: str) -> Table:
            view = views[source.name]
            begin = times.min() - view.ttl - delay if view.ttl else None
            rows = rows_between(
                source, _types(view), [column.name for column in view.entity_columns], begin, times.max()
            )
            place = rows.schema.get_field_index(EVENT_TIMESTAMP)
            return ibis.memtable(rows.set_column(place, EVENT_TIMESTAMP, pc.add(rows.column(place), pa.scalar(delay))))

        return get_historical_features_ibis(
            config=config,
            feature_views=[_expiring(view, delay) for view in feature_views],
            feature_refs=feature_refs,
            entity_df=entity_df,
            registry=registry,
            project=project,
            full_feature_names=full_feature_names,
            data_source_reader=read,
            data_source_writer=_write_data_source,
            filter_by_created_timestamp=filter_by_created_timestamp,
        )

    @staticmethod
    def offline_write_batch(
        config: RepoConfig,  # noqa: ARG004 as Feast calls it, and the two below
        feature_view: FeatureView,
        table: pa.Table,  # noqa: ARG004
        progress: Callable[[int], Any] | None,  # noqa: ARG004
    ) -> None:
        """Raise EchoPulseError: a row that the job did not compute would be no feature's value."""
        raise EchoPulseError(
            f"view '{feature_view.name}': rows of the lake are written by the job and by backfills",
            "`echopulse pipeline backfill` computes them anew",
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Read the newest row of each key whose window ends in a span, as `feast materialize` does."""
        return pull_latest_from_table_or_query_ibis(
            config=config,
            data_source=data_source,
            join_key_columns=join_key_columns,
            feature_name_columns=feature_name_columns,
            timestamp_field=timestamp_field,
            created_timestamp_column=created_timestamp_column,
            start_date=start_date,
            end_date=end_date,
            data_source_reader=partial(_whole, keys=join_key_columns),
            data_source_writer=_write_data_source,
        )

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """Read every row whose window ends in a span."""
        return pull_all_from_table_or_query_ibis(
            config=config,
            data_source=data_source,
            join_key_columns=join_key_columns,
            feature_name_columns=feature_name_columns,
            timestamp_field=timestamp_field,
            created_timestamp_column=created_timestamp_column,
            start_date=start_date,
            end_date=end_date,
            data_source_reader=partial(_whole, keys=join_key_columns),
            data_source_writer=_write_data_source,
        )


def _types(view: FeatureView) -> dict[str, pa.DataType]:
    """Return the Arrow types of a view's keys and features."""
    fields = (*view.entity_columns, *view.features)
    return {field.name: feast_value_type_to_pa(field.dtype.to_value_type()) for field in fields}


def _whole(source: DataSource, _: str, *, keys: Sequence[str]) -> Table:
    return ibis.memtable(all_rows(source, keys))


def _expiring(view: FeatureView, delay: timedelta) -> FeatureView:
    """Return a view whose time to live counts from when a value could be read, and ends when it ended before."""
    if not view.ttl:
        return view
    counted = copy(view)
    counted.ttl = view.ttl - delay or timedelta.resolution  # none at all would stand for ever
    return counted
