"""Feast's answer to an online read of many entities, put together as bytes.

Feast makes Python objects of every cell twice over: a message each, then a place in a list. Here a feature's stored
messages are joined to one serialised `FeatureVector`, which protobuf parses in C. Names, order, values and duplicates
are Feast's own; see feast.utils of the locked version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from feast.metrics import track_feature_statuses
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus, GetOnlineFeaturesResponse

from features.machinery.protobuf_columns import timestamp_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feast import FeatureView

    from features.machinery.bulk_read import GroupRead, ViewRead
    from features.machinery.hash_reads import Cell

#: Field numbers of GetOnlineFeaturesResponse.results and of FeatureVector.values, statuses, event_timestamps; a
#: length-delimited field's tag is its number times 8, plus 2.
_RESULTS, _VALUES, _STATUSES, _TIMES = (
    bytes([number << 3 | 2])
    for number in (
        GetOnlineFeaturesResponse.RESULTS_FIELD_NUMBER,
        GetOnlineFeaturesResponse.FeatureVector.VALUES_FIELD_NUMBER,
        GetOnlineFeaturesResponse.FeatureVector.STATUSES_FIELD_NUMBER,
        GetOnlineFeaturesResponse.FeatureVector.EVENT_TIMESTAMPS_FIELD_NUMBER,
    )
)
_ONE_BYTE = 0x80
_EVER = np.iinfo(np.int64).min


def fill(
    response: GetOnlineFeaturesResponse,
    order: Sequence[FeatureView],
    groups: list[GroupRead],
    replies: list[list[list[Cell]]],
    *,
    full_names: bool,
    with_versions: bool,
    now_ns: int,
) -> None:
    """Append to the answer the features of the views in `order`, of which `replies` holds the cells by group and key.

    A row that is missing, or older than its view's time to live at `now_ns`, is null, without a time and not found.
    """
    found = {id(view.table): (group, view) for group in groups for view in group.views}
    columns = {id(group): _columns(group, reply) for group, reply in zip(groups, replies, strict=True)}
    asked = [found[id(table)] for table in order]
    live = alive([(columns[id(group)][view.last], view.table) for group, view in asked], now_ns)
    parts: list[bytes] = []
    for (group, view), of_view in zip(asked, live, strict=True):
        parts += _vectors(view, columns[id(group)], group.places, of_view)
        _name(response, view, full_names=full_names, with_versions=with_versions)
    response.MergeFromString(b"".join(parts))


def _columns(group: GroupRead, reply: list[list[Cell]]) -> list[Sequence[Cell]]:
    """Return the cells of each field of a group's commands."""
    return list(zip(*reply, strict=True)) if reply else [()] * (group.views[-1].last + 1)


def _vectors(
    view: ViewRead, columns: list[Sequence[Cell]], places: list[int], live: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> list[bytes]:
    """Return a serialised `results` entry for each feature of a view, whose keys' rows are `live`."""
    last = view.last
    stamps = columns[last]
    straight = places == list(range(len(stamps)))
    everywhere = bool(live.all())
    if not straight or not everywhere:
        flags = live.tolist()

        def spread(column: Sequence[Cell]) -> list[Cell]:
            kept = column if everywhere else [c if flag else None for c, flag in zip(column, flags, strict=True)]
            return [kept[place] for place in places]

        chosen: list[Sequence[Cell]] = [spread(column) for column in columns[view.first : last]]
        stamps, live = spread(stamps), live[places]
    else:
        chosen = columns[view.first : last]
    states = np.where(live, np.uint8(FieldStatus.PRESENT), np.uint8(FieldStatus.NOT_FOUND)).tobytes()
    present = int(live.sum()) * len(view.features)
    track_feature_statuses(view.table.name, present, len(states) * len(view.features) - present)
    tail = _field(_STATUSES, states) + _repeated(_TIMES, stamps)
    return [_field(_RESULTS, _repeated(_VALUES, cells) + tail) for cells in chosen]


def alive(
    views: Sequence[tuple[Sequence[Cell], FeatureView]], now_ns: int
) -> list[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return for each view which of its rows exist and have not outlived it; a time to live of 0 is for ever.

    A view comes with the event timestamps of its rows as they are stored; those of all views are decoded at once.
    """
    stamps = [pa.array(cells, pa.binary()) for cells, _ in views]
    if not stamps:
        return []
    times = timestamp_column(pa.concat_arrays(stamps))
    exists = times.is_valid().to_numpy(zero_copy_only=False)
    nanos = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    oldest = [_oldest(table, now_ns) for _, table in views]
    sizes = [len(part) for part in stamps]
    live = exists & (nanos >= np.repeat(np.array(oldest, np.int64), sizes))
    return np.split(live, np.cumsum(sizes)[:-1])


def _oldest(table: FeatureView, now_ns: int) -> int:
    """Return the first ns since 1970 that a row of a view is served with; ns go back to 1677 only."""
    if not table.ttl:
        return _EVER
    return max(_EVER, now_ns - round(table.ttl.total_seconds() * 1_000_000) * 1_000)


def _name(response: GetOnlineFeaturesResponse, view: ViewRead, *, full_names: bool, with_versions: bool) -> None:
    """Append the names of a view's features and, where asked for, its version."""
    projection = view.table.projection
    prefix = f"{projection.name_to_use()}__" if full_names else ""  # type: ignore[no-untyped-call] # Feast's
    response.metadata.feature_names.val.extend(prefix + feature for feature in view.features)
    name = projection.name_alias or projection.name
    if with_versions and all(known.name != name for known in response.metadata.feature_view_metadata):
        added = response.metadata.feature_view_metadata.add()
        added.name, added.version = name, getattr(view.table, "current_version_number", 0) or 0


def _head(tag: bytes, size: int) -> bytes:
    """Return a length-delimited field's tag and length."""
    digits = bytearray()
    while size >= _ONE_BYTE:
        digits.append(size & 0x7F | _ONE_BYTE)
        size >>= 7
    digits.append(size)
    return tag + bytes(digits)


def _field(tag: bytes, message: bytes) -> bytes:
    return _head(tag, len(message)) + message


_SHORT: dict[bytes, list[bytes]] = {tag: [_head(tag, size) for size in range(512)] for tag in (_VALUES, _TIMES)}


def _repeated(tag: bytes, messages: Sequence[Any]) -> bytes:
    """Return a repeated field; a missing message is an empty one. The steps over cells are C's, 0.1 us each."""
    whole = messages if None not in messages else [message or b"" for message in messages]
    short = _SHORT[tag]
    sizes = list(map(len, whole))
    heads = (
        map(short.__getitem__, sizes) if max(sizes, default=0) < len(short) else (_head(tag, size) for size in sizes)
    )
    return b"".join([part for pair in zip(heads, whole, strict=True) for part in pair])
