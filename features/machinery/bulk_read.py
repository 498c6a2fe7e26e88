"""Feast's online read of many entities at once: what is asked of the store, a command an entity for all views.

The views of an entity lie in one hash, so that one HMGET reads them all. Feast asks for each view by itself. Its own
functions, of the locked version, prepare the request; see feast.infra.online_stores.redis and feast.utils.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feast import utils
from feast.infra.key_encoding_utils import _serialize_val, serialize_entity_key_prefix

from features.machinery.redis_format import field_name, timestamp_field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feast import FeatureView, RepoConfig
    from feast.protos.feast.types.Value_pb2 import Value

    from features.machinery.hash_reads import Command

_KEY_VALUE = struct.Struct("<II")


@dataclass(frozen=True)
class ViewRead:
    """A view of a request: its name in the store, the features asked for, and where its cells lie in a reply."""

    table: FeatureView
    name: str
    features: list[str]
    first: int

    @property
    def last(self) -> int:
        """Where the event timestamp's cell lies in a reply."""
        return self.first + len(self.features)

    @property
    def fields(self) -> list[bytes]:
        """The hash fields, the event timestamp's last."""
        return [*(field_name(self.name, feature) for feature in self.features), timestamp_field(self.name)]


@dataclass(frozen=True)
class GroupRead:
    """Views that share their entities: the distinct keys, each row's place among them, and the views."""

    keys: list[bytes]
    places: list[int]
    views: list[ViewRead]

    def commands(self) -> list[Command]:
        """Return a key and its fields for each command."""
        fields: list[str | bytes] = [field for view in self.views for field in view.fields]
        return [(key, fields) for key in self.keys]


def plan_read(
    config: RepoConfig,
    grouped_refs: Sequence[tuple[FeatureView, list[str]]],
    values: dict[str, list[Value]],
    join_keys: dict[str, str],
    stored_name: Callable[[FeatureView], str],
) -> list[GroupRead]:
    """Return what to read. `values` are the request's columns, `join_keys` the join key of each entity's name.

    Raises KeyError where a join key's values are missing, as Feast does.
    """
    groups: dict[tuple[object, ...], GroupRead] = {}
    for table, features in grouped_refs:
        renamed = tuple(sorted(table.projection.join_key_map.items()))
        same = (*(join_keys[entity] for entity in table.entities), None, *renamed)
        if same not in groups:
            keys, places = _entities(config, table, values, join_keys)
            groups[same] = GroupRead(keys, places, [])
        views = groups[same].views
        first = views[-1].last + 1 if views else 0
        views.append(ViewRead(table, stored_name(table), list(features), first))
    return list(groups.values())


def _entities(
    config: RepoConfig, table: FeatureView, values: dict[str, list[Value]], join_keys: dict[str, str]
) -> tuple[list[bytes], list[int]]:
    """Return the distinct keys and each row's place among them."""
    given = utils._get_table_entity_values(table, join_keys, values)  # noqa: SLF001 as the store of Feast's
    if not given or not all(given.values()):
        utils._get_unique_entities(table, values, join_keys)  # noqa: SLF001 says which join key is missing
        return [], []
    ordered = sorted(given)
    head = serialize_entity_key_prefix(
        ordered, entity_key_serialization_version=config.entity_key_serialization_version
    )
    project = config.project.encode()
    rows = zip(*([_key_value(value) for value in given[name]] for name in ordered), strict=True)
    place: dict[bytes, int] = {}
    places = [place.setdefault(head + b"".join(row) + project, len(place)) for row in rows]
    return list(place), places


def _key_value(value: Value) -> bytes:
    """Return a join key's value as it stands in a key: type, length, bytes."""
    content, kind = _serialize_val(value.WhichOneof("val"), value)
    return _KEY_VALUE.pack(kind, len(content)) + content
