"""A gateway for minutes at 2,000 events/s, its broker killed twice and itself once: what Kafka has, and the memory."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from bench.embedded import own_settings, step, told
from bench.feed import CURSOR, MAPPING, Feed
from bench.gateway_books import Books, balance, ids_of
from bench.gateway_process import GatewayProcess
from bench.measure import Figure, Section
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.gateway_process import Samples

NAME = "soak"
_RATE, _CHANNELS, _SOURCE = 2_000, 8, "soak"
#: When what is killed, as shares of the whole; the broker is away for the share beside it, the gateway not longer than
#: it takes to start.
_BROKER_KILLED, _AWAY, _GATEWAY_KILLED = (0.2, 0.65), 0.1, 0.45
_RSS_SAMPLES = 40
_DRAIN_S = 300.0
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class _Outcome:
    books: Books
    sent: int
    #: Seconds since the start, and MiB.
    memory: list[tuple[float, float]]


def measure(minutes: float, folder: Path) -> Section:
    """Soak for so many minutes. Raises EchoPulseError where an event is missing or a channel's order is broken."""
    settings = own_settings(folder / "soak")
    stack = stack_settings(settings)
    with Stack(stack, told, (Kafka(stack),), ()).bring_up() as running:
        ensure_topics(settings.kafka.bootstrap)
        gateway = GatewayProcess(folder, settings.kafka.bootstrap, settings.stack.metrics_port)
        outcome = asyncio.run(_soak(running, gateway, folder, minutes * 60))
    if not outcome.books.balanced:
        raise EchoPulseError(f"of {outcome.sent:,} events sent, what Kafka has is not whole: {outcome.books}")
    figures = (
        Figure("events sent", (float(outcome.sent),), "events"),
        Figure("missing in Kafka", (float(outcome.books.missing),), "events"),
        Figure("behind a later one of their channel", (float(outcome.books.disordered),), "events"),
        Figure("there twice, dropped by id in the job", (float(outcome.books.repeated),), "events"),
        Figure("memory of the gateway (RSS)", tuple(size for _, size in outcome.memory), "MiB"),
    )
    by_time = ", ".join(f"{int(at) // 60}:{int(at) % 60:02} {size:.0f}" for at, size in outcome.memory)
    return Section(
        NAME,
        "A gateway for minutes (`soak`)",
        f"{minutes:g} minutes of {_RATE:,} events/s over a websocket on {_CHANNELS} channels, through one source with "
        "a spool and a cursor. The broker is killed at a fifth and at 65 % of the time and is away for a tenth of it "
        "each time; the gateway is killed at 45 % and started again at once.",
        figures,
        (f"RSS in MiB by minute and second: {by_time}.",),
    )


async def _soak(stack: Stack, gateway: GatewayProcess, folder: Path, seconds: float) -> _Outcome:
    feed, bootstrap = Feed(_SOURCE, _CHANNELS), stack.addresses["kafka"]
    mapping = folder / "mapping.yaml"
    mapping.write_text(yaml.safe_dump(MAPPING), encoding="utf-8")
    memory: list[tuple[float, float]] = []
    async with feed.websocket() as address, gateway:
        options = {"url": address, "mapping": str(mapping), "cursor": CURSOR}
        gateway.configure({_SOURCE: {"connector": "websocket", "options": options, "spool": {"enabled": True}}})
        await gateway.start()
        watching = asyncio.create_task(_watch(gateway, seconds / _RSS_SAMPLES, memory))
        try:
            await asyncio.gather(feed.grow(int(seconds * _RATE), _RATE), _disturb(stack, gateway, seconds))
            step("draining")
            await gateway.until(_idle, "all in Kafka", _DRAIN_S)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await gateway.stop()
    found = await asyncio.to_thread(lambda: balance(ids_of(bootstrap), _SOURCE, range(len(feed)), _CHANNELS))
    return _Outcome(found, len(feed), memory)


async def _disturb(stack: Stack, gateway: GatewayProcess, seconds: float) -> None:
    began = time.monotonic()

    async def until(share: float) -> None:
        await asyncio.sleep(max(0.0, began + share * seconds - time.monotonic()))

    for number, killed in enumerate(_BROKER_KILLED):
        await until(killed)
        step("killing the broker")
        await asyncio.to_thread(stack.service("kafka").kill)
        await until(killed + _AWAY)
        await asyncio.to_thread(stack.restart, "kafka")
        if not number:
            await until(_GATEWAY_KILLED)
            step("killing the gateway")
            await gateway.kill()
            await gateway.start()


async def _watch(gateway: GatewayProcess, every_s: float, memory: list[tuple[float, float]]) -> None:
    began = time.monotonic()
    while True:
        size = gateway.rss()
        if size:
            memory.append((time.monotonic() - began, size / _MEBIBYTE))
            step(f"{memory[-1][0]:.0f} s: {memory[-1][1]:.0f} MiB")
        await asyncio.sleep(every_s)


def _idle(samples: Samples) -> bool:
    return not any(samples[name, _SOURCE] for name in ("gateway_spool_bytes", "gateway_queue_events"))
