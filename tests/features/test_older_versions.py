"""A view that means something else stands beside its older version, in a real registry, until that is retired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from features.machinery.catalog import compiled_views
from features.machinery.store import apply, open_store, retire
from schemas.errors import EchoPulseError
from tests.features.test_store import repository

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = """
from datetime import timedelta
from feast import FeatureService, Field
from feast.aggregation import Aggregation
from feast.stream_feature_view import StreamFeatureView
from feast.types import Int64, String
from features.entities import CHANNEL
from features.sources import analysed_events

def view(name, function, column):
    minute = timedelta(minutes=1)
    return StreamFeatureView(
        name=name, entities=[CHANNEL], source=analysed_events(name), timestamp_field="ts",
        schema=[Field(name="channel_id", dtype=String), Field(name="n", dtype=Int64)],
        aggregations=[
            Aggregation(name="n", function=function, column=column, time_window=minute, slide_interval=minute)
        ],
    )

"""
FIRST = VIEWS + 'talk = view("talk", "count", "event_id")\nservice = FeatureService(name="live", features=[talk])\n'
CHANGED = FIRST.replace('"count", "event_id"', '"sum", "toxic"')
SECOND = CHANGED.replace('"talk"', '"talk_v2"')


def test_both_versions_are_computed_until_the_older_is_retired(tmp_path: Path, valkey: str) -> None:
    """In place it is refused; under the next name both are there, for Feast and for the job; then one."""
    repo, cache = tmp_path / "repo", tmp_path / "cache"
    apply(repository(repo, valkey, "first_talk", FIRST), cache)

    (repo / "first_talk.py").unlink()
    repository(repo, valkey, "changed_talk", CHANGED)
    with pytest.raises(EchoPulseError) as raised:
        apply(repo, cache)
    assert str(raised.value) == (
        "view 'talk': its aggregation 'n' was count of 'event_id' over 60 s every 60 s and is sum of 'toxic' over 60 s "
        "every 60 s (declare it as 'talk_v2': the applied one is fed beside it until `echopulse feature retire talk`; "
        "or `echopulse feature apply --replace talk` if nobody reads it)"
    )

    (repo / "changed_talk.py").unlink()
    repository(repo, valkey, "second_talk", SECOND)
    applied = apply(repo, cache)
    assert applied.standing == ["talk"]
    assert applied.removed == []
    assert applied.views[0].panes == applied.views[1].panes
    both = {view.name: view.sql for view in applied.views}
    assert "`sum_toxic`" in both["talk_v2"]
    assert "`sum_toxic`" not in both["talk"]
    assert compiled_views(repo, cache) == applied.views
    # A process that has no compiled views yet finds the same.
    assert {view.name: view.sql for view in compiled_views(repo, tmp_path / "elsewhere")} == both
    assert apply(repo, cache).standing == ["talk"]

    with pytest.raises(EchoPulseError, match=r"no older version 'tolk' stands \(did you mean 'talk'\?\)"):
        retire(repo, cache, "tolk")
    with pytest.raises(EchoPulseError, match="view 'talk_v2' is declared"):
        retire(repo, cache, "talk_v2")
    retired = retire(repo, cache, "talk")
    assert (retired.removed, retired.standing) == (["talk"], [])
    assert [view.name for view in compiled_views(repo, cache)] == ["talk_v2"]
    assert [view.name for view in open_store(repo).list_stream_feature_views()] == ["talk_v2"]


def test_a_view_that_nobody_reads_is_replaced_in_place(tmp_path: Path, valkey: str) -> None:
    """When that is said."""
    repo, cache = tmp_path / "repo", tmp_path / "cache"
    apply(repository(repo, valkey, "first_talk_again", FIRST), cache)
    (repo / "first_talk_again.py").unlink()
    repository(repo, valkey, "changed_talk_again", CHANGED)
    [view] = apply(repo, cache, replace=["talk"]).views
    assert "`sum_toxic`" in view.sql
