"""Signals: the first asks, the second insists."""

from __future__ import annotations

import os
import signal

import pytest

from echopulse.cli.stop_signal import stopped_by_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_and_the_second_interrupts(number: signal.Signals) -> None:
    """After the first, signals have their own effect again."""
    asked: list[bool] = []

    with stopped_by_signal(lambda: asked.append(True)):
        os.kill(os.getpid(), number)
        assert asked == [True]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_given_back() -> None:
    """What was set before is set after."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with stopped_by_signal(lambda: None):
        assert signal.getsignal(signal.SIGTERM) != before[1]

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
