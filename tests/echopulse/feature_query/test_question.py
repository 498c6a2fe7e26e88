"""Names and keys of a request."""

from __future__ import annotations

import pytest

from echopulse.feature_query.question import MOST_ENTITIES, MOST_FEATURES, check_keys, entity_keys
from echopulse.feature_query.refusal import RefusedError, TooMuchError, UnknownError
from schemas.feature_query_pb2 import Entity, Features
from tests.echopulse.feature_query.conftest import CATALOGUE, SEATS, TALK


def _names(asked: Features) -> list[str]:
    return [f"{one.view.name}:{feature.name}" for one in CATALOGUE.wanted(asked) for feature in one.features]


def test_a_view_gives_all_its_features_or_those_that_are_named() -> None:
    """In the order in which they are named, each once."""
    assert _names(Features(view="talk_1m")) == ["talk_1m:n", "talk_1m:x", "talk_1m:word"]
    assert _names(Features(view="talk_1m", names=["word", "n", "word"])) == ["talk_1m:word", "talk_1m:n"]


def test_a_service_gives_the_features_of_its_views() -> None:
    """Named with their view."""
    assert _names(Features(service="live")) == ["talk_1m:n", "talk_1m:x", "seats:n"]
    assert _names(Features(service="live", names=["seats:n", "talk_1m:x"])) == ["seats:n", "talk_1m:x"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Features(view="talk_5m"), "no feature view 'talk_5m' (did you mean 'talk_1m'?)"),
        (Features(view="talk_1m", names=["wrd"]), "view 'talk_1m' has no feature 'wrd' (did you mean 'word'?)"),
        (Features(service="lives"), "no feature service 'lives' (did you mean 'live'?)"),
        (
            Features(service="live", names=["seat:n"]),
            "service 'live' has no feature 'seat:n' (did you mean 'seats:n'?)",
        ),
    ],
)
def test_what_is_not_there_is_told_with_the_near_miss(asked: Features, told: str) -> None:
    """As NOT_FOUND."""
    with pytest.raises(UnknownError) as raised:
        CATALOGUE.wanted(asked)
    assert str(raised.value) == told


def test_a_request_that_names_nothing_or_too_much_is_refused() -> None:
    """With what to set."""
    with pytest.raises(RefusedError) as raised:
        CATALOGUE.wanted(Features())
    assert str(raised.value) == "neither a view nor a service was asked for (set features.view or features.service)"
    with pytest.raises(TooMuchError, match="201 features were asked for, 200 are the most at once"):
        CATALOGUE.wanted(Features(view="talk_1m", names=["n"] * (MOST_FEATURES + 1)))


def test_keys_are_read_in_the_types_of_their_view() -> None:
    """Whole numbers in digits."""
    entities = [Entity(keys={"channel_id": "c:1", "seat": "-7"}), Entity(keys={"channel_id": "17", "seat": "0"})]
    assert entity_keys(SEATS, entities) == [("c:1", -7), ("17", 0)]
    assert entity_keys(TALK, entities) == [("c:1",), ("17",)]
    check_keys([TALK, SEATS], entities)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"channel_id": "c:1"}, "view 'seats' needs the key 'seat' of every entity"),
        ({"channel_id": "", "seat": "1"}, "view 'seats' needs the key 'channel_id' of every entity"),
        ({"channel_id": "c", "seat": "one"}, "the key 'seat' of view 'seats' is 'one', no whole number of 64 bits"),
        (
            {"channel_id": "c", "seat": "9223372036854775808"},
            "the key 'seat' of view 'seats' is '9223372036854775808', no whole number of 64 bits",
        ),
        ({"channel_id": "c" * 2_000, "seat": "1"}, "the key 'channel_id' has 2000 characters, 1024 are the most"),
    ],
)
def test_keys_that_do_not_fit_are_refused(keys: dict[str, str], told: str) -> None:
    """By their names."""
    with pytest.raises(RefusedError) as raised:
        entity_keys(SEATS, [Entity(keys=keys)])
    assert str(raised.value) == told


def test_none_and_too_many_entities_and_unknown_keys_are_refused() -> None:
    """Before anything is read."""
    with pytest.raises(RefusedError, match="no entity was asked for"):
        entity_keys(TALK, [])
    with pytest.raises(TooMuchError, match="1001 entities were asked for, 1000 are the most at once"):
        entity_keys(TALK, [Entity(keys={"channel_id": "c"})] * (MOST_ENTITIES + 1))
    with pytest.raises(RefusedError) as raised:
        check_keys([TALK], [Entity(keys={"channel": "c"})])
    assert str(raised.value) == "'talk_1m' has no key 'channel' (did you mean 'channel_id'?)"
