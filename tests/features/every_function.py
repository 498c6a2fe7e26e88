"""Views of every aggregate function, and analysed events for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
from schemas.arrow import EXCHANGED

if TYPE_CHECKING:
    from features.machinery.view_spec import FeatureType

    Features = tuple[tuple[str, str, str, FeatureType, float | None], ...]

SECOND, MINUTE = 1_000, 60_000
START_MS = 1_760_000_400_000
CHANNEL, USER = Column("channel_id", "string"), Column("user_id", "string")

SIMPLE: Features = (
    ("messages", "count", "event_id", "int64", None),
    ("texts", "approx_count_distinct", "text_key", "int64", None),
    ("people", "approx_count_distinct", "user_key", "int64", None),
    ("toxic", "sum", "toxic", "int64", None),
    ("harm", "sum", "toxicity", "float64", None),
    ("calmest", "min", "toxicity", "float64", None),
    ("most_emoji", "max", "emoji_count", "int64", None),
    ("mood", "mean", "sentiment_score", "float64", None),
    ("mean_harm", "mean", "toxicity", "float64", None),
    ("spread", "std", "emoji_count", "float64", None),
    ("unrest", "std", "toxicity", "float64", None),
    ("opening", "first", "toxicity", "float64", None),
    ("last_emoji", "last", "emoji_count", "int64", None),
    ("first_kind", "first", "kind", "string", None),
    ("last_user", "last", "user_id", "string", None),
)
SPLIT: Features = (
    ("messages", "count", "event_id", "int64", None),
    ("talkers", "count_distinct", "user_id", "int64", None),
    ("moods", "count_distinct", "sentiment_score", "int64", None),
    ("p90", "approx_percentile", "toxicity", "float64", 0.9),
    ("median_emoji", "approx_percentile", "emoji_count", "float64", 0.5),
    ("mean_harm", "mean", "toxicity", "float64", None),
)
RANKED: Features = (
    ("top_users", "top_k", "user_id", "string", 2),
    ("most_users", "top_k", "user_id", "string", 20),
)
NUMBERS_RANKED: Features = (("top_moods", "top_k", "sentiment_score", "string", 2),)


def view_of(
    name: str,
    aggregations: Features,
    window_ms: int,
    slide_ms: int,
    *,
    keys: tuple[Column, ...] = (CHANNEL,),
    filter_: str = "",
    derived: dict[str, tuple[str, FeatureType]] | None = None,
) -> ViewSpec:
    """A view whose features are its aggregations, and those derived of them."""
    more = {feature: expression for feature, (expression, _) in (derived or {}).items()}
    types = [(feature, type_) for feature, _, _, type_, _ in aggregations]
    types += [(feature, type_) for feature, (_, type_) in (derived or {}).items()]
    specs = [
        AggregationSpec(feature, function, column, window_ms, slide_ms, parameter)
        for feature, function, column, _, parameter in aggregations
    ]
    return ViewSpec(name, keys, tuple(Column(*each) for each in types), tuple(specs), more, filter_)


#: Windows of one step, of some, of a number of steps that is no power of two, and of a day.
VIEWS = (
    view_of("all_30s", SIMPLE, 30 * SECOND, 10 * SECOND),
    view_of("all_1m", SIMPLE, MINUTE, MINUTE),
    view_of("all_7m", SIMPLE, 7 * MINUTE, MINUTE),
    view_of("all_24h", SIMPLE, 1_440 * MINUTE, 60 * MINUTE),
    view_of("split_2m", SPLIT, 2 * MINUTE, MINUTE),
    view_of("split_1h", SPLIT, 60 * MINUTE, 10 * MINUTE, filter_="kind not in ('join', 'delete') and toxicity < 0.9"),
    view_of("ranked_2m", RANKED, 2 * MINUTE, MINUTE),
    view_of("moods_2m", NUMBERS_RANKED, 2 * MINUTE, MINUTE, filter_="kind != 'join'"),
    view_of("texts_5m", SIMPLE[:4], 5 * MINUTE, MINUTE, keys=(Column("text_key", "int64"),)),
    view_of(
        "both_5m",
        SIMPLE[:4],
        5 * MINUTE,
        MINUTE,
        keys=(CHANNEL, USER),
        derived={
            "rate": ("messages / window_minutes", "float64"),
            "repeats": ("messages - texts", "int64"),
            "share": ("texts / toxic", "float64"),
            "doubled": ("-2 * messages", "float64"),
        },
    ),
)

EVENT = st.tuples(
    st.one_of(st.integers(0, 40).map(lambda edge: edge * 10 * SECOND), st.integers(0, 7_200_000)),
    st.sampled_from(["", "decode", "", ""]),
    st.sampled_from(["message", "message", "edit", "join", "delete", ""]),
    st.text("abé😀", max_size=2),
    st.sampled_from(["", "a", "b", "é"]),
    st.sampled_from(["", "u", "v", "w", '"u', "ü,😀"]),
    st.integers(0, 1),
    st.one_of(st.sampled_from([0.0, 0.1, 0.3, 1.0]), st.floats(0, 1)),
    st.integers(-1, 1),
    st.integers(0, 60),
    st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
    st.integers(0, 3),
)
NAMES = (
    "ts",
    "stage",
    "kind",
    "event_id",
    "channel_id",
    "user_id",
    "toxic",
    "toxicity",
    "sentiment_score",
    "emoji_count",
    "user_key",
    "text_key",
)
_TYPES = dict.fromkeys(("toxic", "sentiment_score", "emoji_count", "text_key"), "int32") | {"user_key": "Int32"}
_TEXTS = dict.fromkeys(("stage", "kind", "event_id", "channel_id", "user_id"), "object")


def frame(events: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Analysed events of generated ones; ids rise among those of a moment, so that their order is that of the ids."""
    rows = [
        (START_MS + ts, *event[:2], f"{number:04}{event[2]}", *event[3:]) for number, (ts, *event) in enumerate(events)
    ]
    return pd.DataFrame(rows, columns=NAMES).astype(_TYPES | _TEXTS | {"ts": "int64", "toxicity": "float64"})


def random_events(rows: int, seed: int = 7) -> pd.DataFrame:
    """Two hours of three channels, with window edges, failed rows, joins and missing ids among them."""
    random = np.random.default_rng(seed)
    spread = START_MS + random.integers(0, 7_200_000, rows)
    edges = START_MS + random.integers(0, 720, rows) * 10_000
    columns = {
        "ts": np.where(random.random(rows) < 0.2, edges, spread),
        "stage": random.choice(["", "", "", "", "decode"], rows),
        "kind": random.choice(["message", "edit", "join", "delete", ""], rows),
        "event_id": [f"e{number}" for number in range(rows)],
        "channel_id": random.choice(["", "twitch:a", "slack:b", "discord:ü"], rows),
        "user_id": random.choice(["", *(f"u{number}" for number in range(12))], rows),
        "toxic": random.integers(0, 2, rows),
        "toxicity": random.random(rows),
        "sentiment_score": random.integers(-1, 2, rows),
        "emoji_count": random.integers(0, 5, rows),
        "user_key": pd.Series(random.integers(-5, 5, rows), dtype="Int32").where(random.random(rows) < 0.9),
        "text_key": random.integers(0, 6, rows),
    }
    return pd.DataFrame(columns).astype(_TYPES | _TEXTS)


def table(events: pd.DataFrame) -> pa.Table:
    """The same events in Arrow."""
    schema = pa.schema([EXCHANGED.field(name) if name in EXCHANGED.names else (name, pa.int64()) for name in NAMES])
    return pa.Table.from_pandas(events, schema, preserve_index=False)


def same(found: pd.DataFrame, view: ViewSpec, wanted: pd.DataFrame) -> None:
    """Hold a view's rows against the oracle's: doubles within the last digits, but those of a difference of squares."""
    keys = [*(key.name for key in view.join_keys), "event_timestamp"]
    rows = found[list(wanted)].sort_values(keys, ignore_index=True).astype(wanted.dtypes.to_dict())
    missing = dict.fromkeys(wanted.select_dtypes("object"), "missing")
    assert_frame_equal(rows.fillna(missing), wanted.fillna(missing), rtol=1e-12, atol=3e-8, obj=view.name)
