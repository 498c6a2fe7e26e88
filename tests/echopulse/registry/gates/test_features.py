"""Consistency of features as a gate, over a small lake and a real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.job.check import Request
from echopulse.registry.gates.features import FeatureConsistency
from echopulse.registry.gates.gate import Case
from features.machinery import catalog
from schemas.errors import EchoPulseError
from tests.echopulse.job.test_check import CHANNEL, VIEWS, client, hash_key, stand, valkey
from transforms.artifact import SHIPPED
from transforms.loading import load_model

if TYPE_CHECKING:
    import redis

    from tests.echopulse.job.test_check import Stand

__all__ = ["client", "stand", "valkey"]


@pytest.fixture
def case(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A model, where the views of the stand are those that are declared."""
    monkeypatch.setattr(catalog, "declared_views", lambda repo, cache: VIEWS if repo.is_dir() and cache else [])
    folder = SHIPPED / "default"
    return Case("sentiment", load_model(folder), folder, None, stand.folder, stand.settings)


def test_values_that_are_right_pass(case: Case) -> None:
    """All views that are named, each value of the sample counted."""
    found = FeatureConsistency(views=("channel_1m", "user_1m")).check(case)
    assert (found.passed, found.told) == (True, "0 of 18 values are wrong; the ceiling of their share is 0")
    assert found.numbers == {"share": 0.0, "values": 18.0}


def test_a_share_that_is_wrong_is_held_against_the_ceiling(case: Case, stand: Stand, client: redis.Redis) -> None:
    """Two of the eight values of a view are missing."""
    client.delete(hash_key(CHANNEL, "c0"))
    assert stand.check(views=[CHANNEL], sample=Request().sample).wrong == 2
    found = FeatureConsistency(views=("channel_1m",)).check(case)
    assert (found.passed, found.told) == (False, "2 of 8 values are wrong; the ceiling of their share is 0")
    assert found.numbers["share"] == 0.25
    assert FeatureConsistency(views=("channel_1m",), ceiling=0.25).check(case).passed
    assert not FeatureConsistency(views=("channel_1m",), ceiling=0.24).check(case).passed


def test_what_cannot_be_checked_raises(case: Case, client: redis.Redis) -> None:
    """A view that nobody declares; a store without any value: the gate then counts as failed."""
    with pytest.raises(EchoPulseError) as error:
        FeatureConsistency(views=("channel_1m", "user_1n")).check(case)
    assert str(error.value) == "no feature view 'user_1n' (did you mean 'user_1m'?)"
    client.flushall()
    found = FeatureConsistency(views=("channel_1m",)).check(case)
    assert not found.passed
