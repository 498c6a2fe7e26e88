"""Twitch beyond the suite: moves without a gap, keepalives that stop, revocations, scopes, unknown channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.echopulse.gateway.live import Broker, until
from tests.echopulse.gateway.platforms.running import source_running
from tests.echopulse.gateway.platforms.twitch_server import Twitch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def twitch(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Twitch]:
    """Serve Twitch."""
    made = Twitch()
    for name, value in made.secrets.items():
        monkeypatch.setenv(name, value)
    async with made.served():
        yield made


async def test_a_move_loses_nothing(twitch: Twitch, tmp_path: Path) -> None:
    """The new connection is there before the old one is left; nothing is subscribed anew, no reconnect is counted."""
    broker = Broker()
    async with source_running(twitch, tmp_path, broker) as running:
        await until(lambda: twitch.connected)
        old = twitch.sockets[0]
        first = await twitch.say(1)
        await twitch.move()
        await until(lambda: len(twitch.sockets) == 1 and twitch.sockets[0] is not old)
        last = await twitch.say(2)
        await until(lambda: broker.ids() == [first, last])
        assert running.figures.reconnects == 0


async def test_keepalives_that_stop_end_the_connection(twitch: Twitch, tmp_path: Path) -> None:
    """After twice the time that Twitch names."""
    twitch.keepalive_s = 1
    async with source_running(twitch, tmp_path, Broker()) as running:
        await until(lambda: running.state() != "" and running.figures.reconnects >= 1)


async def test_a_revocation_is_told(twitch: Twitch, tmp_path: Path) -> None:
    """With Twitch's reason."""
    async with source_running(twitch, tmp_path, Broker()) as running:
        await until(lambda: twitch.connected)
        await twitch.revoke()
        await until(lambda: running.state() == "lost")
        assert running.figures.trouble.startswith("Twitch revoked channel.cheer: authorization_revoked (make a new")


async def test_a_missing_scope_is_named(twitch: Twitch, tmp_path: Path) -> None:
    """And the event that needs it."""
    twitch.scopes = ["user:read:chat"]
    async with source_running(twitch, tmp_path, Broker()) as running:
        await until(lambda: running.state() == "lost")
        assert running.figures.trouble == (
            "the token lacks the scope bits:read "
            "(make a user token with it and name it by env:VARIABLE, or leave 'cheer' out of `events`)"
        )


async def test_a_malformed_notification_is_a_dead_letter(twitch: Twitch, tmp_path: Path) -> None:
    """And the next one is taken."""
    broker = Broker()
    async with source_running(twitch, tmp_path, broker) as running:
        await until(lambda: twitch.connected)
        await twitch.frame("notification", {"subscription": {"id": "x", "type": "channel.cheer"}})
        own = await twitch.say(1)
        await until(lambda: broker.ids() == [own])
        assert running.figures.letters == 1
