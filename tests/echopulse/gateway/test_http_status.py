"""What a refusal means."""

from __future__ import annotations

import pytest

from echopulse.gateway.http_status import refused, seconds_of
from echopulse.gateway.source import ConnectionLostError


@pytest.mark.parametrize(
    ("header", "seconds"), [("", 0), ("7", 7), ("soon", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("-1", 0)]
)
def test_retry_after(header: str, seconds: float) -> None:
    """Seconds, a date that is past, and what is neither."""
    assert seconds_of(header) == seconds


def test_too_many_requests_waits_as_asked() -> None:
    """The wait travels with the error."""
    error = refused("https://x", 429, "30")
    assert isinstance(error, ConnectionLostError)
    assert error.wait_s == 30
    assert str(error) == "the server answered 429 Too Many Requests"


def test_a_wrong_token_is_for_a_person() -> None:
    """It names what to do."""
    assert str(refused("https://x", 401)).startswith("https://x answered 401 Unauthorized (")
