"""What a check of consistency reads of the online store: rows of many entities, however damaged some values are."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import redis
from redis.exceptions import RedisClusterException

from features.machinery.connection import connect
from features.machinery.reader import read_latest
from features.machinery.view_spec import EVENT_TIMESTAMP, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from features.machinery.connection import Client, OnlineStoreSettings
    from features.machinery.encryption import Encryption
    from features.machinery.view_spec import Column, ViewSpec

_AWAY = (redis.RedisError, RedisClusterException)


@dataclass(frozen=True)
class OnlineRows:
    """A row an entity: keys, features, `event_timestamp` in ms, null where there is none; and what cannot be read."""

    frame: pd.DataFrame
    unreadable: pd.DataFrame

    def of(self, entities: Sequence[tuple[object, ...]]) -> OnlineRows:
        """Return the rows of the first entities."""
        return OnlineRows(self.frame.iloc[: len(entities)], self.unreadable.iloc[: len(entities)])


@contextmanager
def open_client(store: OnlineStoreSettings) -> Iterator[Client]:
    """Yield a client. Raises EchoPulseError where a cluster does not answer."""
    try:
        client = connect(store)
    except _AWAY as error:
        raise EchoPulseError(
            f"the online store does not answer: {error}", "online_store.connection in the settings names it"
        ) from error
    with client:
        yield client


def read_online(
    client: Client,
    project: str,
    view: ViewSpec,
    entities: Sequence[tuple[object, ...]],
    now_ms: int,
    cipher: Encryption | None,
) -> OnlineRows:
    """Read the rows of a view. Where some cannot be read, entity by entity, then value by value.

    Raises EchoPulseError where the store does not answer.
    """
    schema = ViewSchema(view.name, view.join_keys, view.features, view.ttl_s)
    names = [feature.name for feature in view.features]

    def read(wanted: ViewSchema, some: Sequence[tuple[object, ...]]) -> pd.DataFrame | None:
        try:
            return _frame(read_latest(client, project, wanted, some, now_ms, cipher))
        except EchoPulseError as error:
            if isinstance(error.__cause__, _AWAY):
                raise
            return None

    whole = read(schema, entities)
    if whole is not None:
        return OnlineRows(whole, pd.DataFrame(False, index=whole.index, columns=names))  # noqa: FBT003 a value
    frames, failed = [], []
    for entity in entities:
        frame = read(schema, [entity])
        missing: list[str] = []
        if frame is None:
            alone = {name: read(replace(schema, features=(one,)), [entity]) for name, one in _by_name(view)}
            missing = [name for name, found in alone.items() if found is None]
            frame = _frame(_no_row(schema, entity))
            for name, found in alone.items():
                if found is not None:
                    frame[name], frame[EVENT_TIMESTAMP] = found[name], found[EVENT_TIMESTAMP]
        frames.append(frame)
        failed.append([name in missing for name in names])
    table = pd.concat(frames, ignore_index=True)
    return OnlineRows(table, pd.DataFrame(failed, index=table.index, columns=names))


def _by_name(view: ViewSpec) -> Iterator[tuple[str, Column]]:
    return ((feature.name, feature) for feature in view.features)


def _frame(rows: pa.RecordBatch) -> pd.DataFrame:
    ends = rows.column(EVENT_TIMESTAMP).cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())
    table = pa.Table.from_batches([rows]).drop([EVENT_TIMESTAMP]).append_column(EVENT_TIMESTAMP, ends)
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def _no_row(schema: ViewSchema, entity: tuple[object, ...]) -> pa.RecordBatch:
    """Return the row of an entity that has none."""
    keys = [pa.array([value]) for value in entity]
    nulls = [pa.nulls(1, pa.type_for_alias(feature.type)) for feature in schema.features]
    return pa.RecordBatch.from_arrays([*keys, *nulls, pa.nulls(1, pa.timestamp("ns", "UTC"))], list(schema.columns))
