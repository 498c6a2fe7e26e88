"""What a platform's server does wrong, over all connectors that connect to one: TLS, size, slowness."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme

from tests.echopulse.gateway.live import Broker, http_server, until
from tests.echopulse.gateway.platforms.discord_server import Discord
from tests.echopulse.gateway.platforms.plain_servers import Sse, WebSocket
from tests.echopulse.gateway.platforms.running import source_running
from tests.echopulse.gateway.platforms.slack_server import Slack
from tests.echopulse.gateway.platforms.twitch_server import Twitch
from tests.echopulse.gateway.platforms.x_server import X

if TYPE_CHECKING:
    from pathlib import Path

    from tests.echopulse.gateway.live import Request
    from tests.echopulse.gateway.platforms.platform import Platform

_PLATFORMS: list[type[Platform]] = [Slack, Discord, Twitch, X, WebSocket, Sse]
_FRAME_BYTES = 10_000_000


@pytest.fixture(params=_PLATFORMS, ids=lambda made: made.connector)
async def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """Make a platform, its secrets in the environment; it is not served yet."""
    made: Platform = request.param()
    for name, value in made.secrets.items():
        monkeypatch.setenv(name, value)
    return made


async def test_a_certificate_of_nobodys_is_told_at_once(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line that says why; no further attempt is made, and no secret goes there."""
    platform.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(platform.tls)
    async with platform.served():
        platform.patch(monkeypatch)
        async with source_running(platform, tmp_path, Broker()) as running:
            await until(lambda: running.state() == "lost")
            assert "is not trusted: " in running.figures.trouble
            assert "unable to get local issuer certificate" in running.figures.trouble
            assert running.figures.reconnects == 0
    assert platform.asked == 0


async def test_a_frame_of_ten_megabytes_does_not_stop_the_source(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a dead letter where it was read, else the connection is made again; the next event is taken."""
    broker = Broker()
    async with platform.served():
        platform.patch(monkeypatch)
        async with source_running(platform, tmp_path, broker) as running:
            await until(lambda: platform.connected)
            first = await platform.say(1)
            await until(lambda: broker.ids() == [first])
            with suppress(ConnectionError):
                await platform.huge(_FRAME_BYTES + 1_000)
            await until(lambda: bool(running.figures.letters or running.figures.reconnects))
            said: list[str] = []
            async with asyncio.timeout(20):
                # One that is told while nobody is connected is lost where the platform keeps nothing.
                while not set(said) & set(broker.ids()):
                    with suppress(ConnectionError):
                        said.append(await platform.say(2 + len(said)))
                    await asyncio.sleep(0.1)
            assert running.figures.letters <= 1
    assert [own for own in broker.ids() if own in {first, *said}] == [first, *(i for i in said if i in broker.ids())]
    assert all(len(record.value) < _FRAME_BYTES for record in broker.records)


async def test_a_server_that_never_ends_its_answer_is_left(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time for connecting, though a byte comes every few ms (slow loris), and tried again."""
    asked = 0

    async def drip(request: Request) -> None:
        nonlocal asked
        asked += 1
        await request.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            await request.send(b"x")
            await asyncio.sleep(0.02)

    async with http_server(drip) as url:
        platform.base = urlsplit(url).netloc
        platform.patch(monkeypatch)
        async with source_running(platform, tmp_path, Broker(), connect_timeout_s=0.3) as running:
            await until(lambda: running.state() == "waiting")
            assert running.figures.trouble
            await until(lambda: asked > 1)
