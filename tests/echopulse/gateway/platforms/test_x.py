"""X beyond the suite: the budget, rules, backfill, lines that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from tests.echopulse.gateway.live import Broker, until
from tests.echopulse.gateway.platforms.running import source_running
from tests.echopulse.gateway.platforms.x_server import X

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def x(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[X]:
    """Serve X."""
    made = X()
    made.spent = tmp_path / "spent.json"
    for name, value in made.secrets.items():
        monkeypatch.setenv(name, value)
    async with made.served():
        yield made


async def test_a_spent_budget_stops_the_reading(x: X, tmp_path: Path) -> None:
    """At the last post that it has; the connection is left, and none is made until the next month."""
    x.most = 3
    broker = Broker()
    async with source_running(x, tmp_path, broker) as running:
        await until(lambda: x.connected)
        for number in range(3):
            await x.say(number)
        await until(lambda: running.state() == "waiting" and not x.connected)
        assert running.figures.trouble.startswith("the budget of 3 posts is spent for 20")
        await until(lambda: len(broker.ids()) == 3)
    asked = x.asked
    async with source_running(x, tmp_path, broker) as running:
        await until(lambda: running.state() == "waiting")
        assert "the budget of 3 posts is spent" in running.figures.trouble
    assert x.asked == asked
    assert orjson.loads(x.spent.read_bytes())["reads"] == 3


async def test_the_count_goes_on_in_the_next_process(x: X, tmp_path: Path) -> None:
    """And the minutes that were missed are asked for."""
    broker = Broker()
    for turn in (1, 2):
        async with source_running(x, tmp_path, broker):
            await until(lambda: x.connected)
            own = await x.say(turn)
            await until(lambda own=own: own in broker.ids())  # type: ignore[misc]
        await until(lambda: not x.connected)
    assert x.backfills == ["1"]
    assert orjson.loads(x.spent.read_bytes())["reads"] == 3
    assert [rule["value"] for rule in x.rules] == ["cat has:images"]


async def test_a_notice_of_the_end_is_told(x: X, tmp_path: Path) -> None:
    """It is no post, and is not counted."""
    async with source_running(x, tmp_path, Broker()) as running:
        await until(lambda: x.connected)
        await x.send(b'{"errors": [{"title": "operational-disconnect"}]}')
        await until(lambda: running.state() == "waiting")
        assert running.figures.trouble == "X ends the stream: operational-disconnect"


async def test_a_malformed_line_is_a_dead_letter(x: X, tmp_path: Path) -> None:
    """And the next one is taken."""
    broker = Broker()
    async with source_running(x, tmp_path, broker) as running:
        await until(lambda: x.connected)
        await x.send(b"{ none")
        own = await x.say(1)
        await until(lambda: broker.ids() == [own])
        assert running.figures.letters == 1
