"""A websocket to Kafka through `echopulse ingest run`, held against a bare loop of the same Kafka client."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import yaml

from bench.embedded import own_settings, step, told
from bench.feed import MAPPING
from bench.frame_server import FrameServer
from bench.gateway_bare import bare_loop, values_of
from bench.gateway_lags import acknowledged, lags_ms
from bench.gateway_process import GatewayProcess
from bench.measure import Figure, Section, rates, ratio
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


NAME = "gateway"
_RUNS = 5
#: Half of the events of the whole bench a run, and no more than the loop's client holds in its queue.
_EVENTS_SHARE, _MOST_EVENTS = 2, 500_000
#: Seconds at half load, the first of which, to connect and warm up, are not counted.
_PACED_S, _WARM_S = 10, 6
_CHANNELS, _USERS = 8, 997
_SOURCE = "chat"
_QUANTILES = (0.5, 0.99)
#: What is before the time of a message.
_TIME = b'"t":'
_TEXT = b"the cat cam is back and everyone in this room is happy about it, see you at the raid tonight"


def measure(count: int, folder: Path) -> Section:
    """Measure half of `count` events a run, into a Kafka in `folder`."""
    settings = own_settings(folder / "gateway")
    stack, bootstrap = stack_settings(settings), settings.kafka.bootstrap
    each = max(1, min(count // _EVENTS_SHARE, _MOST_EVENTS))
    with Stack(stack, told, (Kafka(stack),), ()).bring_up():
        ensure_topics(bootstrap)
        port = settings.stack.metrics_port
        through, bare, lags, half = asyncio.run(_through(folder, bootstrap, port, each))
        step("the bare loop without reports")
        values = values_of(bootstrap, each)
        unsure = [bare_loop(bootstrap, values, told_of_each=False) for _ in range(_RUNS)]
    ours = Figure("websocket to Kafka, ingest run", rates(each, through), "events/s")
    theirs = Figure("the Kafka client alone, in a loop", rates(each, bare), "events/s")
    blind = Figure("the same loop, told of failures only", rates(each, unsure), "events/s")
    p50, p99 = (float(np.quantile(lags, share, method="higher")) for share in _QUANTILES)
    middle = Figure(f"socket to acknowledgement, p50 at {half:,.0f} events/s", (p50,), "ms")
    lag = Figure(f"socket to acknowledgement, p99 at {half:,.0f} events/s", (p99,), "ms")
    return Section(
        NAME,
        "A websocket to Kafka (`gateway`)",
        f"{each:,} messages of about 170 bytes on {_CHANNELS} channels, sent by one server as fast as they are taken, "
        "through one source of one `ingest run` (mapped, judged, encoded; idempotent, all replicas, lz4) until all "
        "are acknowledged. The loop produces the events that this gave, encoded and with their keys, by the same "
        "client with the same settings, and counts the report of each, so that it too knows that nothing was lost; it "
        "runs in turn with the gateway. A second loop is told of failures only, as a client is that does not need to "
        f"know when. The quantiles are of the lags of all {len(lags):,} events of {_PACED_S} s at half of the rate "
        "reached, each from the time that a message bears until its acknowledgement is counted, in whole ms. By the "
        "wall; server and broker on the same cores.",
        (replace(ours, against=f"{ratio(ours, theirs):.2f} x the loop"), theirs, blind, middle, lag),
    )


async def _through(
    folder: Path, bootstrap: str, port: int, each: int
) -> tuple[list[float], list[float], NDArray[np.int64], float]:
    """Return the seconds of each run, of each bare one, the lags at half load in ms, and that load."""
    seconds: list[float] = []
    bare: list[float] = []
    written = folder / "through"
    server, gateway = FrameServer(_texts), _gateway(folder, bootstrap, port, written)
    async with server.serve() as address, gateway:
        _configure(gateway, folder, address)
        await gateway.start()
        for run in range(_RUNS + 1):
            step(f"run {run} through the gateway" if run else "once to warm up")
            chunks = server.made(run * each, each)
            began_ms = time.time_ns() / 1e6
            await server.give(chunks)
            seconds.append((await acknowledged(written, (run + 1) * each) - began_ms) / 1_000)
            if not run:
                values = await asyncio.to_thread(values_of, bootstrap, each)
            bare.append(await asyncio.to_thread(bare_loop, bootstrap, values))
        await gateway.stop()
    half = each / sorted(seconds[1:])[_RUNS // 2] / 2
    step(f"{_PACED_S} s at {half:,.0f} events/s")
    return seconds[1:], bare[1:], await _paced(folder, bootstrap, port, half), half


async def _paced(folder: Path, bootstrap: str, port: int, rate: float) -> NDArray[np.int64]:
    """Return the lag of each event at such a rate, in ms."""
    written = folder / "paced"
    server, gateway = FrameServer(_texts), _gateway(folder, bootstrap, port, written)
    async with server.serve() as address, gateway:
        _configure(gateway, folder, address)
        await gateway.start()
        warm, paced = int(rate * _WARM_S), int(rate * _PACED_S)
        first, rest = server.timed(0, warm, _TIME), server.timed(warm, paced, _TIME)
        await server.pace(first, rate)
        await acknowledged(written, warm)
        since_ms = time.time_ns() // 1_000_000
        await server.pace(rest, rate)
        await acknowledged(written, warm + paced)
        await gateway.stop()
    return lags_ms(written, since_ms)


def _gateway(folder: Path, bootstrap: str, port: int, written: Path) -> GatewayProcess:
    """Return a process that writes down when each event was acknowledged."""
    return GatewayProcess(folder, bootstrap, port, ("bench.gateway_lags", str(written)))


def _configure(gateway: GatewayProcess, folder: Path, address: str) -> None:
    mapping = folder / "mapping.yaml"
    mapping.write_text(yaml.safe_dump(MAPPING), encoding="utf-8")
    gateway.configure({_SOURCE: {"connector": "websocket", "options": {"url": address, "mapping": str(mapping)}}})


def _texts(first: int, last: int) -> list[bytes]:
    now = time.time_ns() // 1_000_000
    return [
        b'{"id":"chat-%d","n":%d,"t":%d,"c":"chat-%d","u":"u%d","text":"%b"}'
        % (number, number, now, number % _CHANNELS, number % _USERS, _TEXT)
        for number in range(first, last)
    ]
