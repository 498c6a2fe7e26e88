"""Discord beyond the suite: sessions over processes, sessions that are gone, refusals at the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.connectors.discord import DiscordConnector, DiscordOptions
from echopulse.gateway.source import Limits
from schemas.errors import UsageError
from tests.echopulse.gateway.live import Broker, until
from tests.echopulse.gateway.platforms.discord_server import Discord
from tests.echopulse.gateway.platforms.running import source_running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Discord]:
    """Serve Discord."""
    made = Discord()
    for name, value in made.secrets.items():
        monkeypatch.setenv(name, value)
    async with made.served():
        made.patch(monkeypatch)
        yield made


async def test_the_next_process_resumes_the_session(discord: Discord, tmp_path: Path) -> None:
    """Behind the last dispatch that Kafka has."""
    broker = Broker()
    async with source_running(discord, tmp_path, broker):
        await until(lambda: discord.connected)
        first = await discord.say(1)
        await until(lambda: broker.ids() == [first])
    missed = await discord.say(2)
    async with source_running(discord, tmp_path, broker):
        await until(lambda: broker.ids() == [first, missed])
    assert discord.opened == ["identify", "resume"]


async def test_a_session_that_is_gone_is_begun_anew(discord: Discord, tmp_path: Path) -> None:
    """Discord says that it does not know it; once is enough."""
    broker = Broker()
    async with source_running(discord, tmp_path, broker) as running:
        await until(lambda: discord.connected)
        first = await discord.say(1)
        await until(lambda: broker.ids() == [first])
        discord.keeps = False
        await discord.drop()
        await until(lambda: discord.connected)
        last = await discord.say(2)
        await until(lambda: broker.ids() == [first, last])
        assert running.figures.gaps == 1
    assert discord.opened == ["identify", "resume", "identify"]


async def test_a_gap_is_counted_once(discord: Discord, tmp_path: Path) -> None:
    """A session that is resumed has none; one that is gone has one, and so has a number that is missing in one."""
    broker = Broker()
    async with source_running(discord, tmp_path, broker) as running:
        await until(lambda: discord.connected)
        said = [await discord.say(1)]
        await until(lambda: broker.ids() == said)
        await discord.drop()
        said.append(await discord.say(2))
        await until(lambda: broker.ids() == said)
        assert (discord.opened, running.figures.gaps) == (["identify", "resume"], 0)
        discord.log.append(b"{}")  # a dispatch that is never sent
        said.append(await discord.say(3))
        await until(lambda: broker.ids() == said)
        assert running.figures.gaps == 1
        said.append(await discord.say(4))
        await until(lambda: broker.ids() == said)
        assert running.figures.gaps == 1
        discord.keeps = False
        await discord.drop()
        await until(lambda: discord.connected)
        said.append(await discord.say(5))
        await until(lambda: broker.ids() == said)
        assert running.figures.gaps == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (4004, "Discord refused the token (close code 4004) (make a new token"),
        (4014, "Discord does not allow the intents (close code 4014) (switch the privileged intents on"),
    ],
)
async def test_what_the_gateway_refuses(discord: Discord, tmp_path: Path, code: int, told: str) -> None:
    """Is told with what to do."""
    discord.close_code = code
    async with source_running(discord, tmp_path, Broker()) as running:
        await until(lambda: running.state() == "lost")
        assert running.figures.trouble.startswith(told)


async def test_a_malformed_dispatch_is_a_dead_letter(discord: Discord, tmp_path: Path) -> None:
    """And the next one is taken."""
    broker = Broker()
    async with source_running(discord, tmp_path, broker) as running:
        await until(lambda: discord.connected)
        await discord.dispatch("MESSAGE_CREATE", {"channel_id": "1"})
        own = await discord.say(1)
        await until(lambda: broker.ids() == [own])
        assert running.figures.letters == 1


def test_an_unknown_intent_is_refused() -> None:
    """With the near miss."""
    options = DiscordOptions.model_validate({"token": "x", "intents": ["guild_mesages"]})
    with pytest.raises(UsageError, match=r"no intent 'guild_mesages'.*guild_messages"):
        DiscordConnector(options, Limits())
