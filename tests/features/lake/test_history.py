"""What a training set refuses, each in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.types import Int64, String
from feast.value_type import ValueType

from features.lake.history import history
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
project: echopulse
provider: local
registry: registry.db
online_store: {type: sqlite}
offline_store: {type: features.lake.offline_store.EchoPulseOfflineStore}
entity_key_serialization_version: 3
"""
ENTITIES = pd.DataFrame({"channel_id": ["a"], "seat": [1], "event_timestamp": ["2026-01-31T12:00:00Z"]})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """A view by two keys over a lake without rows."""
    repo = tmp_path_factory.mktemp("repo")
    (repo / "feature_store.yaml").write_text(CONFIG, encoding="utf-8")
    opened = FeatureStore(str(repo))
    keys = [Entity(name="channel", join_keys=["channel_id"], value_type=ValueType.STRING)]
    keys.append(Entity(name="seat", join_keys=["seat"], value_type=ValueType.INT64))
    fields = [Field(name="channel_id", dtype=String), Field(name="seat", dtype=Int64), Field(name="n", dtype=Int64)]
    view = FeatureView(name="seats", entities=keys, schema=fields, source=_source(repo))
    opened.apply([*keys, view, FeatureService(name="seating", features=[view])])
    return opened


def _source(lake: Path) -> FileSource:
    return FileSource(name="seats_rows", path=f"{lake}/features/seats/", timestamp_field="event_timestamp")


@pytest.mark.parametrize(
    ("service", "changes", "message"),
    [
        ("seatng", {}, "no feature service 'seatng' (did you mean 'seating'?)"),
        (
            "seating",
            {"channel_id": None, "chanel_id": "a"},
            "entities: no column 'channel_id' (did you mean 'chanel_id'?)",
        ),
        (
            "seating",
            {"channel_id": 7.0},
            "entities: column 'channel_id' holds numbers with a fraction, expected texts",
        ),
        ("seating", {"seat": "front"}, "entities: column 'seat' holds other things than integers"),
        ("seating", {"seat": float("nan")}, "entities, row 1: no seat"),
        (
            "seating",
            {"event_timestamp": "noon"},
            "entities, row 1: event_timestamp 'noon' is no time (ISO 8601, for example 2026-01-31T12:00:00Z)",
        ),
        (
            "seating",
            {"seats__n": 3},
            "entities: column 'seats__n' is a feature of service 'seating' (rename the column)",
        ),
    ],
)
def test_what_is_refused_is_told_in_one_line(
    store: FeatureStore, service: str, changes: dict[str, object], message: str
) -> None:
    """With the column or the row, and the near miss."""
    columns = ENTITIES.to_dict("records")[0] | changes
    entities = pd.DataFrame([{name: value for name, value in columns.items() if value is not None}])
    with pytest.raises(EchoPulseError) as raised:
        history(store, service, entities)
    assert str(raised.value) == message


def test_texts_of_a_csv_are_keys_and_instants(store: FeatureStore) -> None:
    """An integer key may come as text; where the lake has nothing, every feature is null."""
    found = history(store, "seating", ENTITIES.astype(str))
    assert found["seats__n"].isna().all()
    assert list(found.columns) == [*ENTITIES.columns, "seats__n"]


def test_no_entities_have_no_features(store: FeatureStore) -> None:
    """With the same columns."""
    assert list(history(store, "seating", ENTITIES.iloc[:0]).columns) == [*ENTITIES.columns, "seats__n"]
