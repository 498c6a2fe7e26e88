"""One suite over the connectors of platforms: the real client library, a server of our own on this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.echopulse.gateway.live import Broker, until
from tests.echopulse.gateway.platforms.discord_server import Discord
from tests.echopulse.gateway.platforms.plain_servers import Sse, WebSocket
from tests.echopulse.gateway.platforms.running import source_running
from tests.echopulse.gateway.platforms.slack_server import Slack
from tests.echopulse.gateway.platforms.twitch_server import Twitch
from tests.echopulse.gateway.platforms.x_server import X

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.echopulse.gateway.platforms.platform import Platform

_PLATFORMS: list[type[Platform]] = [Slack, Discord, Twitch, X, WebSocket, Sse]


@pytest.fixture(params=_PLATFORMS, ids=lambda made: made.connector)
async def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """Serve a platform, its secrets in the environment."""
    made: Platform = request.param()
    for name, value in made.secrets.items():
        monkeypatch.setenv(name, value)
    async with made.served():
        made.patch(monkeypatch)
        yield made


async def test_every_kind_arrives(platform: Platform, tmp_path: Path) -> None:
    """With id, channel, user, kind and what it is about; no dead letter."""
    broker = Broker()
    async with source_running(platform, tmp_path, broker) as running:
        await until(lambda: platform.connected)
        expected = await platform.every_kind()
        await until(lambda: len(broker.ids()) >= len(expected))
        assert running.figures.letters == 0
    found = broker.events()
    assert [(event.id, event.channel_id, event.user_id) for event in found] == [want[:3] for want in expected]
    for event, want in zip(found, expected, strict=True):
        assert {name: event.metadata.get(name) for name in want.meta} == want.meta
        assert event.source == platform.connector
        assert event.raw_payload.startswith(b"{")


async def test_a_cut_connection_is_made_again(platform: Platform, tmp_path: Path) -> None:
    """By EchoPulse, counted; what happened meanwhile comes where the platform keeps it, with the ids that it has."""
    broker = Broker()
    async with source_running(platform, tmp_path, broker) as running:
        await until(lambda: platform.connected)
        first = await platform.say(1)
        await until(lambda: first in broker.ids())
        await platform.drop()
        missed = await platform.say(2)
        await until(lambda: platform.connected)
        last = await platform.say(3)
        await until(lambda: last in broker.ids())
        assert running.figures.reconnects >= 1
        assert running.state() == "reading"
    assert list(dict.fromkeys(broker.ids())) == [first, missed, last] if platform.resumes else [first, last]


async def test_a_repeat_has_the_same_id(platform: Platform, tmp_path: Path) -> None:
    """What the platform sends again after a resume is told by its id; nothing is lost while Kafka is away."""
    broker = Broker(here=False)
    async with source_running(platform, tmp_path, broker):
        await until(lambda: platform.connected)
        own = await platform.say(1)
        await until(lambda: bool(broker.waiting))
        await platform.drop()
        await until(lambda: platform.connected)
        last = await platform.say(2)
        broker.back()
        await until(lambda: last in broker.ids())
    assert set(broker.ids()) == {own, last}


async def test_too_many_requests_are_waited_for(platform: Platform, tmp_path: Path) -> None:
    """The source says so and goes on when the platform lets it."""
    platform.refusal = "rate"
    broker = Broker()
    async with source_running(platform, tmp_path, broker) as running:
        await until(lambda: running.state() == "waiting")
        assert platform.limited in running.figures.trouble
        platform.refusal = ""
        await until(lambda: platform.connected)
        own = await platform.say(1)
        await until(lambda: broker.ids() == [own])


async def test_a_revoked_token_is_told_at_once(platform: Platform, tmp_path: Path) -> None:
    """Once, with what to do; no further attempt is made, and the token itself is not told."""
    platform.refusal = "revoked"
    async with source_running(platform, tmp_path, Broker()) as running:
        await until(lambda: running.state() == "lost")
        trouble = running.figures.trouble
        assert platform.refused == 1
    assert platform.revoked in trouble
    assert "env:VARIABLE" in trouble
    assert not [secret for secret in platform.secrets.values() if secret in trouble]


async def test_a_stop_leaves_nothing_behind(platform: Platform, tmp_path: Path) -> None:
    """What came is in Kafka, the connection is closed, no task goes on."""
    broker = Broker()
    before = asyncio.all_tasks()
    async with source_running(platform, tmp_path, broker):
        await until(lambda: platform.connected)
        sent = [await platform.say(number) for number in range(20)]
        await until(lambda: bool(broker.ids()))
    await until(lambda: not platform.connected)
    await until(lambda: not {task for task in asyncio.all_tasks() - before if not platform.owns(task)})
    assert broker.ids() == sent[: len(broker.ids())]
