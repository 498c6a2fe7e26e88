"""EchoPulse's online store for Feast: Feast's Redis store, writing newest-wins and reading no value past its time.

Named by class path in feature_store.yaml. Keys, fields and values stay Feast's own, so that the plain Redis store
reads what this one writes and the other way round.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from feast.infra.online_stores.helpers import compute_versioned_name
from feast.infra.online_stores.redis import RedisClient, RedisOnlineStore, RedisOnlineStoreConfig
from pydantic import model_validator

from features.machinery.bulk_answer import fill
from features.machinery.bulk_read import plan_read
from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.encrypted_rows import decrypt_cells, encryption
from features.machinery.feast_repo import ignore_alpha_warning
from features.machinery.feast_rows import encode_feast_rows
from features.machinery.hash_reads import read_hash_fields
from features.machinery.online_answer import OnlineAnswer
from features.machinery.online_writer import OnlineWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feast import FeatureView, RepoConfig
    from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse
    from feast.protos.feast.types.Value_pb2 import Value

    from features.machinery.connection import Client
    from features.machinery.encryption import Encryption
    from features.machinery.feast_rows import FeastRow

#: The settings that replace what a repository's configuration says, where their variable is set.
VARIABLES = {
    "connection_string": "ECHOPULSE_ONLINE_STORE__CONNECTION",
    "redis_type": "ECHOPULSE_ONLINE_STORE__REDIS_TYPE",
    "sentinel_master": "ECHOPULSE_ONLINE_STORE__SENTINEL_MASTER",
    "keys": "ECHOPULSE_ONLINE_STORE__KEYS",
}
Read = tuple[datetime | None, "dict[str, Value] | None"]

ignore_alpha_warning()


class EchoPulseOnlineStoreConfig(RedisOnlineStoreConfig):
    """Feast's Redis settings and `keys`; ECHOPULSE_ONLINE_STORE__* variables replace them where they are set."""

    type: Literal["features.machinery.online_store.EchoPulseOnlineStore"] = (
        "features.machinery.online_store.EchoPulseOnlineStore"  # type: ignore[assignment] # each store has its own
    )
    #: Where the keys are that values are encrypted under: file:PATH or env:VARIABLE; '' leaves values open.
    keys: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_environment(cls, values: Any) -> Any:  # noqa: ANN401 whatever the file holds
        found = {name: os.environ[variable] for name, variable in VARIABLES.items() if os.environ.get(variable)}
        return values | found if isinstance(values, dict) else values


class EchoPulseOnlineStore(RedisOnlineStore):
    """Feast's Redis store with an atomic write and the views' times to live enforced on read."""

    def __init__(self) -> None:
        super().__init__()
        self._ttl: dict[str, timedelta] = {}
        self._writer: OnlineWriter | None = None
        self._encryption: Encryption | None = None
        self._keys_read = False

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[FeastRow],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows; a stored row is replaced by one as new or newer, whoever else writes at the same time.

        Raises EchoPulseError where the store does not answer in time.
        """
        if self._writer is None:
            self._writer = OnlineWriter(_settings(config.online_store))
        name = self._name(config, table)
        ttl_s = math.ceil((table.ttl or timedelta(0)).total_seconds())
        for encoded in encode_feast_rows(name, config.project, data, config.entity_key_serialization_version, ttl_s):
            self._writer.send(name, encoded)
        if progress:
            progress(len(data))

    async def online_write_batch_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[FeastRow],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows as `online_write_batch` does, off the event loop."""
        await asyncio.to_thread(self.online_write_batch, config, table, data, progress)

    def online_read(self, config: RepoConfig, table: FeatureView, *args: Any, **kwargs: Any) -> list[Read]:  # noqa: ANN401 as Feast calls it
        """Read rows as Feast does; one that is missing or has outlived its view reads as (None, None)."""
        self._note_ttl(config, table)
        rows: list[Read] = super().online_read(config, table, *args, **kwargs)
        return rows

    async def online_read_async(self, config: RepoConfig, table: FeatureView, *args: Any, **kwargs: Any) -> list[Read]:  # noqa: ANN401 as Feast calls it
        """Read rows as `online_read` does, off the event loop."""
        return await asyncio.to_thread(self.online_read, config, table, *args, **kwargs)

    def _read_hash_fields(
        self, config: RepoConfig, commands: list[tuple[bytes, list[str | bytes]]]
    ) -> list[list[bytes | bytearray | memoryview | None]]:
        """Fetch a reply for each key, where all of Feast's reads pass, and decrypt what is encrypted."""
        if not self._keys_read:
            self._encryption, self._keys_read = encryption(config.online_store.keys), True
        store = config.online_store
        cells = (
            super()._read_hash_fields(config, commands)
            if store.client == RedisClient.glide
            else read_hash_fields(self._get_client(store), commands)
        )
        return decrypt_cells(self._encryption, commands, cells)

    def _get_client(self, online_store_config: RedisOnlineStoreConfig) -> Client:
        """Connect as the writer does, with time-outs."""
        if self._client is None:
            self._client = connect(_settings(online_store_config))
        return self._client

    def get_online_features(self, *args: Any, **kwargs: Any) -> OnlineAnswer:  # noqa: ANN401 as Feast calls it
        """Read features as Feast does, by `_read_features_per_fv` below."""
        response = super().get_online_features(*args, **kwargs)
        return OnlineAnswer(response.proto, response._feature_types)  # noqa: SLF001 the response has no other way

    async def get_online_features_async(self, *args: Any, **kwargs: Any) -> OnlineAnswer:  # noqa: ANN401 as Feast calls it
        """Read features as `get_online_features` does."""
        response = await super().get_online_features_async(*args, **kwargs)
        return OnlineAnswer(response.proto, response._feature_types)  # noqa: SLF001

    def _read_features_per_fv(
        self,
        config: RepoConfig,
        grouped_refs: list[tuple[FeatureView, list[str]]],
        join_key_values: dict[str, list[Value]],
        entity_name_to_join_key_map: dict[str, str],
        online_features_response: GetOnlineFeaturesResponse,
        full_feature_names: bool,  # noqa: FBT001 as Feast calls it
        include_feature_view_version_metadata: bool,  # noqa: FBT001
    ) -> None:
        """Read several views in one round trip, behind `get_online_features`."""
        groups = plan_read(
            config, grouped_refs, join_key_values, entity_name_to_join_key_map, partial(self._name, config)
        )
        cells = iter(self._read_hash_fields(config, [command for group in groups for command in group.commands()]))
        fill(
            online_features_response,
            [table for table, _ in grouped_refs],
            groups,
            [list(islice(cells, len(group.keys))) for group in groups],
            full_names=full_feature_names,
            with_versions=include_feature_view_version_metadata,
            now_ns=time.time_ns(),
        )

    async def _read_features_per_fv_async(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 as Feast calls it
        """Read several views in one round trip, off the event loop, behind `get_online_features_async`."""
        await asyncio.to_thread(self._read_features_per_fv, *args, **kwargs)

    def _convert_redis_values_to_protobuf(
        self,
        redis_values: Sequence[Sequence[bytes | bytearray | memoryview | None]],
        feature_view: str,
        requested_features: list[str],
    ) -> list[Read]:
        """Decode rows, where all of Feast's reads pass, and blank those that are missing or past their time."""
        rows = super()._convert_redis_values_to_protobuf(redis_values, feature_view, requested_features)
        ttl = self._ttl.get(feature_view, timedelta(0))
        oldest = datetime.now(UTC) - ttl if ttl else datetime.min.replace(tzinfo=UTC)
        stamp = requested_features.index(f"_ts:{feature_view}")
        return [
            (None, None) if values[stamp] is None or moment is None or moment < oldest else (moment, features)
            for values, (moment, features) in zip(redis_values, rows, strict=True)
        ]

    async def close(self) -> None:
        """Close all connections; Feast's own store leaves them open."""
        for connected in (self._client, self._writer):
            if connected is not None:
                connected.close()
        self._client, self._writer = None, None

    def _note_ttl(self, config: RepoConfig, table: FeatureView) -> None:
        self._ttl[self._name(config, table)] = table.ttl or timedelta(0)

    @staticmethod
    def _name(config: RepoConfig, table: FeatureView) -> str:
        """Return the view's name in the store, which bears its version where the registry keeps versions."""
        return str(compute_versioned_name(table, config.registry.enable_online_feature_view_versioning))


def _settings(store: RedisOnlineStoreConfig) -> OnlineStoreSettings:
    return OnlineStoreSettings(
        connection=store.connection_string,
        key_ttl_s=store.key_ttl_seconds or 0,
        redis_type=store.redis_type.value,
        sentinel_master=store.sentinel_master,
        keys=getattr(store, "keys", ""),
    )
