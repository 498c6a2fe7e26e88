"""Slack beyond the suite: acknowledgements, scopes, Slack's own wishes, frames that are none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from echopulse.gateway.connectors.slack import SlackConnector, SlackOptions
from echopulse.gateway.platforms.slack_events import fields_of
from echopulse.gateway.source import Limits
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.live import Broker, until
from tests.echopulse.gateway.platforms.running import source_running
from tests.echopulse.gateway.platforms.slack_server import Slack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Slack]:
    """Serve Slack."""
    made = Slack()
    for name, value in made.secrets.items():
        monkeypatch.setenv(name, value)
    async with made.served():
        yield made


async def test_an_envelope_is_acknowledged_when_its_event_is_safe(slack: Slack, tmp_path: Path) -> None:
    """Not before Kafka has it; one of no interest at once."""
    broker = Broker(here=False)
    async with source_running(slack, tmp_path, broker):
        await until(lambda: slack.connected)
        await slack.say(1)
        await until(lambda: bool(broker.waiting))
        await slack.event({"type": "app_mention", "channel": "C1", "ts": "1.0"})
        await until(lambda: slack.acknowledged == ["env-2"])
        broker.back()
        await until(lambda: slack.acknowledged == ["env-2", "env-1"])


async def test_a_stop_acknowledges_what_became_safe(slack: Slack, tmp_path: Path) -> None:
    """What is put into the spool on the way out is acknowledged too."""
    broker = Broker()
    async with source_running(slack, tmp_path, broker):
        await until(lambda: slack.connected)
        for number in range(50):
            await slack.say(number)
        await until(lambda: len(broker.ids()) == 50)
    assert len(slack.acknowledged) == 50


async def test_a_missing_scope_is_named(slack: Slack, tmp_path: Path) -> None:
    """As Slack names it."""
    slack.refusal = "scope"
    async with source_running(slack, tmp_path, Broker()) as running:
        await until(lambda: running.state() == "lost")
        assert running.figures.trouble == (
            f"http://{slack.base}/api/ answered missing_scope "
            "(give the token the scope connections:write, and install the app again)"
        )


async def test_a_bot_that_may_read_nothing_is_refused(slack: Slack, tmp_path: Path) -> None:
    """Its scopes come with auth.test."""
    slack.scopes = "chat:write"
    async with source_running(slack, tmp_path, Broker()) as running:
        await until(lambda: running.state() == "lost")
        assert "no scope to read messages, only chat:write (add channels:history" in running.figures.trouble


async def test_slack_may_ask_for_another_connection(slack: Slack, tmp_path: Path) -> None:
    """It is made anew, by the gateway and not by the library."""
    async with source_running(slack, tmp_path, Broker()) as running:
        await until(lambda: slack.connected)
        await slack.send(b'{"type":"disconnect","reason":"refresh_requested"}')
        await until(lambda: running.figures.reconnects == 1)
        assert running.figures.trouble == "Slack asks for a new connection"
        await until(lambda: slack.asked == 2)


async def test_an_uninstalled_app_is_told(slack: Slack, tmp_path: Path) -> None:
    """By the event that says so."""
    async with source_running(slack, tmp_path, Broker()) as running:
        await until(lambda: slack.connected)
        await slack.event({"type": "app_uninstalled"})
        await until(lambda: running.state() == "lost")
        assert "sent app_uninstalled (make a new token" in running.figures.trouble


async def test_a_malformed_frame_is_a_dead_letter(slack: Slack, tmp_path: Path) -> None:
    """Acknowledged where it is an envelope: sent again it would be no better."""
    async with source_running(slack, tmp_path, Broker()) as running:
        await until(lambda: slack.connected)
        await slack.event({"type": "message", "text": "no channel"})
        await slack.send(b"{ no JSON")
        await until(lambda: running.figures.letters == 2 and slack.acknowledged == ["env-1"])


async def test_no_json_at_all_is_waited_for(slack: Slack, tmp_path: Path) -> None:
    """A proxy's page of error in place of an answer."""
    slack.refusal = "page"
    async with source_running(slack, tmp_path, Broker()) as running:
        await until(lambda: running.state() == "waiting")
        assert running.figures.trouble.endswith("/api/ answered 502")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it."""
    monkeypatch.setitem(sys.modules, "slack_sdk", None)
    with pytest.raises(EchoPulseError, match=r"needs the library slack_sdk.*uv sync --extra slack"):
        SlackConnector(SlackOptions.model_validate({"app_token": "x"}), Limits())


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "subtype": "channel_topic", "channel": "C1", "ts": "1.0"},
        {"type": "reaction_added", "user": "U1", "item": {"type": "file", "file": "F1"}, "event_ts": "1.0"},
        {"type": "reaction_removed", "user": "U1", "item": {"channel": "C1", "ts": "1.0"}, "event_ts": "2.0"},
    ],
)
def test_what_is_no_event(event: dict[str, Any]) -> None:
    """Is left out."""
    assert fields_of({"event": event, "event_id": "Ev1"}) is None
