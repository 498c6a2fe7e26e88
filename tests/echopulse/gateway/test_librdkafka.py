"""The library's own functions: what they say of settings, errors and events."""

from __future__ import annotations

import pytest

from echopulse.gateway.librdkafka import QUEUE_FULL, TOO_LARGE, address_of, function, new_producer, reason_of
from schemas.errors import EchoPulseError


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"no.such": 1}, 'Kafka\'s client takes no no.such = 1: No such configuration property: "no.such"'),
        (
            {"batch.size": "large"},
            'Kafka\'s client takes no batch.size = large: Invalid value for configuration property "batch.size"',
        ),
        (
            {"enable.idempotence": True, "acks": 1},
            "Kafka's client cannot be made: `acks` must be set to `all` when `enable.idempotence` is true",
        ),
    ],
)
def test_a_setting_that_it_does_not_take(settings: dict[str, object], told: str) -> None:
    """By itself, or together with another."""
    with pytest.raises(EchoPulseError) as error:
        new_producer(settings)
    assert str(error.value) == told


def test_what_an_error_means() -> None:
    """In the library's words."""
    assert reason_of(TOO_LARGE) == "Broker: Message size too large"


def test_a_function_is_there_by_its_name() -> None:
    """As the library has it, with a result of its type."""
    assert function("err2str")(QUEUE_FULL) == b"Local: Queue full"


def test_bytes_are_where_they_are() -> None:
    """Also none of them."""
    assert address_of(b"some") != 0
    assert address_of(b"") != 0
