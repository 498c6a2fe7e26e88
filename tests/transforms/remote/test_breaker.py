"""The circuit breaker, by a clock of the test's own."""

from __future__ import annotations

import pytest

from transforms.remote.breaker import Breaker


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    """A clock that stands until it is moved."""
    return _Clock()


def _opened(clock: _Clock) -> Breaker:
    breaker = Breaker(failures=3, open_s=10.0, clock=clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_opens_after_failures_in_a_row(clock: _Clock) -> None:
    """A success between starts the count anew."""
    breaker = Breaker(failures=3, open_s=10.0, clock=clock)
    for outcome in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        outcome()
        assert breaker.state == "closed"
    breaker.failed()
    assert (breaker.state, breaker.admits()) == ("open", False)


def test_one_call_tries_and_closes_it(clock: _Clock) -> None:
    """Half-open lets a single call out; its success closes the breaker."""
    breaker = _opened(clock)
    clock.now += 9.9
    assert not breaker.admits()
    clock.now += 0.1
    assert (breaker.admits(), breaker.state, breaker.admits()) == (True, "half-open", False)
    breaker.succeeded()
    assert (breaker.state, breaker.admits()) == ("closed", True)


def test_the_trial_fails(clock: _Clock) -> None:
    """It stays open as long again."""
    breaker = _opened(clock)
    clock.now += 10
    assert breaker.admits()
    breaker.failed()
    assert (breaker.state, breaker.admits()) == ("open", False)
    clock.now += 10
    assert breaker.admits()


def test_an_abandoned_trial_does_not_hold_the_breaker(clock: _Clock) -> None:
    """A call that was cut short says nothing: the next one tries."""
    breaker = _opened(clock)
    clock.now += 10
    assert breaker.admits()
    breaker.abandoned()
    assert breaker.admits()


def test_an_old_answer_does_not_close_it(clock: _Clock) -> None:
    """Calls that went out before it opened come back later."""
    breaker = _opened(clock)
    breaker.succeeded()
    assert breaker.state == "open"
