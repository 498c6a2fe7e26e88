"""Reading Feast views: what their declarations mean here, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from feast import Field
from feast.aggregation import Aggregation
from feast.stream_feature_view import StreamFeatureView
from feast.types import Array, Int64, String

from features.entities import CHANNEL
from features.machinery.from_feast import DERIVED_TAG, FILTER_TAG, from_feast
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
from features.sources import analysed_events
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from feast.types import ComplexFeastType, PrimitiveFeastType

pytestmark = pytest.mark.filterwarnings("ignore:Stream feature views are experimental:RuntimeWarning")


def declare(
    tags: dict[str, str] | None = None, dtype: PrimitiveFeastType | ComplexFeastType = Int64, name: str | None = None
) -> StreamFeatureView:
    """A view of one feature."""
    window = timedelta(minutes=1)
    return StreamFeatureView(
        name="talk",
        entities=[CHANNEL],
        ttl=timedelta(hours=2),
        schema=[Field(name="channel_id", dtype=String), Field(name="n", dtype=dtype)],
        source=analysed_events("talk"),
        aggregations=[Aggregation(column="event_id", function="count", time_window=window, name=name)],
        timestamp_field="ts",
        tags=tags or {},
    )


def test_a_view_is_read_with_its_tags() -> None:
    """Windows in ms, times to live in seconds; a step left out is the window."""
    tags = {FILTER_TAG: "kind == 'edit'", DERIVED_TAG: '{"n": "m * 2"}', "team": "chat"}
    assert from_feast(declare(tags, name="m")) == ViewSpec(
        name="talk",
        join_keys=(Column("channel_id", "string"),),
        features=(Column("n", "int64"),),
        aggregations=(AggregationSpec("m", "count", "event_id", 60_000, 60_000),),
        derived={"n": "m * 2"},
        filter="kind == 'edit'",
        ttl_s=7_200,
    )


def test_an_aggregation_without_a_name_has_feasts() -> None:
    """Function, column and window."""
    assert from_feast(declare()).aggregations[0].name == "count_event_id_60s"


@pytest.mark.parametrize(
    ("tags", "dtype", "message"),
    [
        ({}, Array(Int64), "view 'talk', field 'n': type INT64_LIST cannot be served"),
        ({"echopulse.fliter": "n > 1"}, Int64, r"unknown tag 'echopulse\.fliter' \(did you mean 'echopulse\.filter'"),
        ({DERIVED_TAG: "{"}, Int64, r"tag 'echopulse\.derived': not JSON"),
        ({DERIVED_TAG: "[]"}, Int64, "expected an object of feature: expression"),
        ({DERIVED_TAG: '{"n": 1}'}, Int64, "expected an object of feature: expression"),
    ],
)
def test_what_has_no_meaning_here_is_refused(
    tags: dict[str, str], dtype: PrimitiveFeastType | ComplexFeastType, message: str
) -> None:
    """The error names the view and the field or tag."""
    with pytest.raises(EchoPulseError, match=message):
        from_feast(declare(tags, dtype))
