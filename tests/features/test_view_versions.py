"""What may change in place, and which older versions stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
from features.machinery.view_versions import incompatible, next_version, standing, version_of

COUNT = AggregationSpec("n", "count", "event_id", 300_000, 60_000)
VIEW = ViewSpec(
    "talk_5m", (Column("channel_id", "string"),), (Column("n", "int64"), Column("rate", "float64")), (COUNT,),
    {"rate": "n / window_minutes"}, "kind != 'join'", 60,
)  # fmt: skip
WAS = "its aggregation 'n' was count of 'event_id' over 300 s every 60 s and is"


@pytest.mark.parametrize(
    ("name", "version"), [("talk", ("talk", 1)), ("talk_v2", ("talk", 2)), ("talk_v0", ("talk_v0", 1))]
)
def test_a_name_states_its_version(name: str, version: tuple[str, int]) -> None:
    """None is the first."""
    assert version_of(name) == version


def test_the_next_version_follows() -> None:
    """Whatever the present one."""
    assert [next_version(name) for name in ("talk", "talk_v2", "talk_v9")] == ["talk_v2", "talk_v3", "talk_v10"]


def test_older_versions_of_declared_views_stand() -> None:
    """Those of views that are gone do not, nor newer ones that were taken back."""
    registered = ["talk", "talk_v2", "talk_v3", "walk", "seats_v2"]
    assert standing(registered, ["talk_v3", "seats"]) == ["talk", "talk_v2"]
    assert standing(registered, registered) == []


@pytest.mark.parametrize(
    "new",
    [
        VIEW,
        replace(VIEW, ttl_s=0),
        replace(VIEW, features=tuple(reversed(VIEW.features))),
        replace(VIEW, features=(*VIEW.features, Column("m", "int64")), aggregations=(COUNT, replace(COUNT, name="m"))),
    ],
)
def test_what_is_added_changes_no_meaning(new: ViewSpec) -> None:
    """Nor does the order of features or the time to live."""
    assert not incompatible(VIEW, new)


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (
            replace(VIEW, join_keys=(Column("user_id", "string"),)),
            "its keys were channel_id string and are user_id string",
        ),
        (replace(VIEW, filter=""), 'its filter was "kind != \'join\'" and is ""'),
        (replace(VIEW, features=VIEW.features[:1]), "its feature 'rate' is gone"),
        (
            replace(VIEW, features=(Column("n", "float64"), VIEW.features[1])),
            "its feature 'n' was int64 and is float64",
        ),
        (replace(VIEW, derived={"rate": "n"}), 'its feature \'rate\' was "n / window_minutes" and is "n"'),
        (
            replace(VIEW, aggregations=(replace(COUNT, window_ms=600_000),)),
            f"{WAS} count of 'event_id' over 600 s every 60 s",
        ),
        (
            replace(VIEW, aggregations=(replace(COUNT, function="top_k", column="user_id", parameter=3),)),
            f"{WAS} top_k (3) of 'user_id' over 300 s every 60 s",
        ),
    ],
)
def test_what_changes_the_meaning_is_named(new: ViewSpec, change: str) -> None:
    """The first change, with what was and what is."""
    assert incompatible(VIEW, new) == change
