"""The stream feature views: what is counted, over which window, how often.

A view's tags carry what Feast's Aggregation has no slot for (JSON and expressions, see machinery/expression.py):
`echopulse.filter` says which analysed events count, `echopulse.derived` gives features that are computed from
aggregations. Someone joining is no message, and a deletion takes one away: both are left out. A longer window moves
on in longer steps, so that the cost of an event stays flat.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from feast import Field
from feast.aggregation import Aggregation
from feast.stream_feature_view import StreamFeatureView
from feast.types import Float64, Int64, String

from features.entities import CHANNEL, USER
from features.machinery.feast_repo import ignore_alpha_warning
from features.sources import analysed_events

if TYPE_CHECKING:
    from feast import Entity

ignore_alpha_warning()

TTL = timedelta(days=1)
UNSPOKEN = ("join", "delete")
SPOKEN = f"kind not in {UNSPOKEN}"

_CHANNEL_AGGREGATIONS = (
    ("message_count", "count", "event_id"),
    ("distinct_users", "approx_count_distinct", "user_key"),
    ("toxic_share", "mean", "toxic"),
    ("mean_toxicity", "mean", "toxicity"),
    ("sentiment_balance", "mean", "sentiment_score"),
    ("emoji_rate", "mean", "emoji_count"),
)
_USER_AGGREGATIONS = (
    ("message_count", "count", "event_id"),
    ("distinct_texts", "approx_count_distinct", "text_key"),
    ("mean_toxicity", "mean", "toxicity"),
)
_USER_DERIVED = {
    "message_rate": "message_count / window_minutes",
    "repeats": "message_count - distinct_texts",
}


def _view(
    name: str,
    entity: Entity,
    features: list[Field],
    aggregations: tuple[tuple[str, str, str], ...],
    *,
    window: timedelta,
    slide: timedelta,
    derived: dict[str, str] | None = None,
) -> StreamFeatureView:
    tags = {"echopulse.filter": SPOKEN}
    if derived:
        tags["echopulse.derived"] = json.dumps(derived)
    return StreamFeatureView(
        name=name,
        entities=[entity],
        ttl=TTL,
        schema=[Field(name=entity.join_key, dtype=String), *features],
        source=analysed_events(name),
        aggregations=[
            Aggregation(name=output, function=function, column=column, time_window=window, slide_interval=slide)
            for output, function, column in aggregations
        ],
        timestamp_field="ts",
        tags=tags,
    )


def _channel_view(name: str, window: timedelta, slide: timedelta) -> StreamFeatureView:
    features = [
        Field(name="message_count", dtype=Int64, description="Messages"),
        Field(name="distinct_users", dtype=Int64, description="Users who wrote"),
        Field(name="toxic_share", dtype=Float64, description="Share of toxic messages, 0 to 1"),
        Field(name="mean_toxicity", dtype=Float64, description="Mean toxicity, 0 to 1"),
        Field(name="sentiment_balance", dtype=Float64, description="Positive less negative messages, by all, -1 to 1"),
        Field(name="emoji_rate", dtype=Float64, description="Emoji a message"),
    ]
    return _view(name, CHANNEL, features, _CHANNEL_AGGREGATIONS, window=window, slide=slide)


def _user_view(name: str, window: timedelta, slide: timedelta) -> StreamFeatureView:
    features = [
        Field(name="message_rate", dtype=Float64, description="Messages a minute"),
        Field(name="mean_toxicity", dtype=Float64, description="Mean toxicity, 0 to 1"),
        Field(name="repeats", dtype=Int64, description="Messages whose text the user wrote before in the window"),
    ]
    return _view(name, USER, features, _USER_AGGREGATIONS, window=window, slide=slide, derived=_USER_DERIVED)


CHANNEL_1M = _channel_view("channel_1m", timedelta(minutes=1), timedelta(seconds=10))
CHANNEL_5M = _channel_view("channel_5m", timedelta(minutes=5), timedelta(minutes=1))
CHANNEL_1H = _channel_view("channel_1h", timedelta(hours=1), timedelta(minutes=5))
USER_1M = _user_view("user_1m", timedelta(minutes=1), timedelta(minutes=1))
USER_5M = _user_view("user_5m", timedelta(minutes=5), timedelta(minutes=1))
USER_1H = _user_view("user_1h", timedelta(hours=1), timedelta(minutes=5))
