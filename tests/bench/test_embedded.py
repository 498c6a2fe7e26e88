from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bench.embedded import free_block, own_settings
from schemas.errors import EchoPulseError


def test_a_taken_port_moves_the_whole_block() -> None:
    """The block begins at the first candidate without a port in use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EchoPulseError, match="free ports in a row"):
            free_block([port, port - 1])


def test_every_address_is_on_the_stack_of_its_own() -> None:
    """Nothing points at the default ports of a stack that a person may run beside."""
    settings = own_settings(Path("home"))
    assert settings.home == Path("home")
    assert settings.kafka.bootstrap == f"127.0.0.1:{settings.stack.kafka_port}"
    assert settings.stack.kafka_port > 24_000


def test_a_variable_that_names_another_stack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would win, and the bench would write into a stack that is somebody's."""
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", "kafka:9092")
    with pytest.raises(EchoPulseError, match="ECHOPULSE_KAFKA__BOOTSTRAP points at another stack"):
        own_settings(Path("home"))
