"""Which stored rows are still alive; what an answer holds is compared with Feast's in test_bulk_read."""

from __future__ import annotations

from datetime import timedelta

from feast import FeatureView, Field
from feast.infra.offline_stores.file_source import FileSource
from feast.types import Int64
from google.protobuf.timestamp_pb2 import Timestamp

from features.machinery.bulk_answer import alive

MOMENT_1960 = Timestamp(seconds=-315_619_200).SerializeToString()


def test_what_is_no_view_has_no_times() -> None:
    """A request may be for features that are computed from its own values alone."""
    assert alive([], 0) == []


def test_a_time_to_live_may_be_longer_than_ns_count() -> None:
    """A thousand years are for ever."""
    source = FileSource(path="none.parquet", timestamp_field="event_timestamp")
    table = FeatureView(
        name="brief", entities=[], ttl=timedelta(days=365_000), source=source, schema=[Field(name="m", dtype=Int64)]
    )
    [live] = alive([((MOMENT_1960, None), table)], 2 * 10**18)
    assert live.tolist() == [True, False]
