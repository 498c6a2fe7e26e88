"""What the job must come to, computed apart from it, and what the lake and the online store hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pandas.testing import assert_frame_equal

from echopulse.job.configuration import online_store
from echopulse.job.lake import lake_table
from features.machinery.connection import connect
from features.machinery.oracle import windows
from features.machinery.reader import read_latest
from features.machinery.view_spec import EVENT_TIMESTAMP, ViewSchema
from schemas.codec import encode_events
from transforms.analysis import Analyser

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from echopulse.settings import Settings
    from features.machinery.view_spec import ViewSpec

#: A mean of doubles depends on the order of its sum in the last digits.
_TOLERANCE = 1e-9


def scored(events: pa.RecordBatch) -> pd.DataFrame:
    """Return the first event of each id in its channel as the analysis sees it, with `ts` in ms since the epoch."""
    analyser = Analyser({})
    analyser.open()
    times = events.column("ts").cast(pa.int64())
    frame: pd.DataFrame = analyser.analyse(encode_events(events), times).to_pandas().assign(ts=times.to_numpy())
    return frame.drop_duplicates(["channel_id", "event_id"], ignore_index=True)


def feature_rows(spec: ViewSpec, analysed: pd.DataFrame, end_ms: int) -> pd.DataFrame:
    """Return the rows of a view whose windows end by `end_ms`, by the pandas oracle."""
    rows = windows(spec, analysed)
    return rows[rows[EVENT_TIMESTAMP] <= end_ms].reset_index(drop=True)


def newest(spec: ViewSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """Return each entity's newest row."""
    keys = [column.name for column in spec.join_keys]
    return rows.sort_values([*keys, EVENT_TIMESTAMP]).drop_duplicates(keys, keep="last", ignore_index=True)


def lake_rows(settings: Settings, spec: ViewSpec, prefix: str, end_ms: int) -> pd.DataFrame:
    """Return the rows that the job wrote for keys with this prefix, `event_timestamp` in ms since the epoch."""
    columns = [column.name for column in (*spec.join_keys, *spec.features)]
    keys = columns[: len(spec.join_keys)]
    table = lake_table(settings.lake, f"features/{spec.name}")
    assert table is not None, f"nothing of {spec.name} in the lake"
    rows = table.to_table(columns=[*columns, EVENT_TIMESTAMP], filter=pc.starts_with(pc.field(keys[0]), prefix))
    ends = rows.column(EVENT_TIMESTAMP).cast(pa.timestamp("ms")).cast(pa.int64())
    frame: pd.DataFrame = rows.select(columns).append_column(EVENT_TIMESTAMP, ends).to_pandas()
    frame = frame[frame[EVENT_TIMESTAMP] <= end_ms]
    return frame.sort_values([*keys, EVENT_TIMESTAMP], ignore_index=True)


def others_rows(settings: Settings, spec: ViewSpec, prefix: str, since_ms: int) -> int:
    """Count the rows of a view written since a wall time for keys without this prefix."""
    table = lake_table(settings.lake, f"features/{spec.name}")
    assert table is not None, f"nothing of {spec.name} in the lake"
    others = pc.invert(pc.starts_with(pc.field(spec.join_keys[0].name), prefix))
    return int(table.count_rows(filter=others & (pc.field("written_ms") >= since_ms)))


def online_rows(settings: Settings, spec: ViewSpec, entities: Sequence[str]) -> pd.DataFrame:
    """Return what the online store holds of a view for these entities, `event_timestamp` in ms since the epoch."""
    schema = ViewSchema(spec.name, spec.join_keys, spec.features, spec.ttl_s)
    store = online_store(settings)
    with connect(store) as client:
        rows = read_latest(client, store.project, schema, [(entity,) for entity in entities])
    ends = pc.divide(rows.column(EVENT_TIMESTAMP).cast(pa.int64()), 1_000_000)
    frame: pd.DataFrame = pa.Table.from_batches([rows]).drop([EVENT_TIMESTAMP]).to_pandas()
    return frame.assign(**{EVENT_TIMESTAMP: ends.to_numpy(zero_copy_only=False)})


def check_features(
    settings: Settings, specs: Sequence[ViewSpec], analysed: pd.DataFrame, prefix: str, end_ms: int
) -> None:
    """Hold all views in lake and online store against the oracle: no row missing, doubled or too many, values equal."""
    for spec in specs:
        wanted = feature_rows(spec, analysed, end_ms)
        assert len(wanted) > 0
        same(lake_rows(settings, spec, prefix, end_ms), wanted, f"{spec.name} in the lake")
        latest = newest(spec, wanted)
        online = online_rows(settings, spec, latest[spec.join_keys[0].name].tolist())
        same(online, latest, f"{spec.name} online")


def same(found: pd.DataFrame, wanted: pd.DataFrame, what: str) -> None:
    """Assert that two frames hold the same rows in the same order."""
    assert_frame_equal(found[list(wanted)].astype(wanted.dtypes.to_dict()), wanted, rtol=_TOLERANCE, obj=what)


def check_lake_events(settings: Settings, analysed: pd.DataFrame, prefix: str) -> None:
    """Assert that the lake holds each analysed event once, and no other."""
    table = lake_table(settings.lake, "events")
    assert table is not None
    key = ["channel_id", "event_id"]
    rows = table.to_table(columns=key, filter=pc.starts_with(pc.field("channel_id"), prefix)).to_pandas()
    same(rows.sort_values(key, ignore_index=True), analysed[key].sort_values(key, ignore_index=True), "lake of events")
