"""A websocket to Kafka through `echopulse ingest run`, held against a bare loop of the same Kafka client."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import yaml

from bench.embedded import own_settings, step, told
from bench.feed import MAPPING
from bench.frame_server import FrameServer
from bench.gateway_process import GatewayProcess
from bench.lag_quantile import quantile
from bench.measure import Figure, Section, rates, ratio
from echopulse.gateway.acknowledged_producer import SETTINGS
from echopulse.gateway.kafka_client import DELIVERY_TIMEOUT_S, BoundedProducer
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.job.topic_reader import Position, end_position, read_batches
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    from confluent_kafka import KafkaError, Message

    from bench.gateway_process import Samples

NAME = "gateway"
_RUNS = 5
_EVENTS_SHARE = 10
#: Seconds at half load, the first of which, to connect and warm up, are not counted.
_PACED_S, _WARM_S = 10, 2
_CHANNELS, _USERS = 8, 997
_SOURCE = "chat"
_COUNT, _BUCKET = "event_ingest_lag_seconds_count", "event_ingest_lag_seconds_bucket"
_QUANTILE = 0.99
_TEXT = b"the cat cam is back and everyone in this room is happy about it, see you at the raid tonight"


def measure(count: int, folder: Path) -> Section:
    """Measure a tenth of `count` events a run, into a Kafka in `folder`."""
    settings = own_settings(folder / "gateway")
    stack, bootstrap = stack_settings(settings), settings.kafka.bootstrap
    each = max(1, count // _EVENTS_SHARE)
    with Stack(stack, told, (Kafka(stack),), ()).bring_up():
        ensure_topics(bootstrap)
        gateway = GatewayProcess(folder, bootstrap, settings.stack.metrics_port)
        through, bare, lag_s, half = asyncio.run(_through(gateway, folder, bootstrap, each))
        step("the bare loop without reports")
        values = _values(bootstrap, each)
        unsure = [_bare(bootstrap, values, told_of_each=False) for _ in range(_RUNS)]
    ours = Figure("websocket to Kafka, ingest run", rates(each, through), "events/s")
    theirs = Figure("the Kafka client alone, in a loop", rates(each, bare), "events/s")
    blind = Figure("the same loop, told of failures only", rates(each, unsure), "events/s")
    lag = Figure(f"socket to acknowledgement, p99 at {half:,.0f} events/s", (lag_s * 1_000,), "ms")
    return Section(
        NAME,
        "A websocket to Kafka (`gateway`)",
        f"{each:,} messages of about 170 bytes on {_CHANNELS} channels, sent by one server as fast as they are taken, "
        "through one source of one `ingest run` (mapped, judged, encoded; idempotent, all replicas, lz4) until all "
        "are acknowledged. The loop produces the events that this gave, encoded and with their keys, by the same "
        "client with the same settings, and counts the report of each, so that it too knows that nothing was lost; it "
        "runs in turn with the gateway. A second loop is told of failures only, as a client is that does not need to "
        "know when. The p99 is at half of the rate reached, from the time that a message bears, interpolated in the "
        "histogram of /metrics. By the wall; server and broker on the same cores.",
        (replace(ours, against=f"{ratio(ours, theirs):.2f} x the loop"), theirs, blind, lag),
    )


async def _through(
    gateway: GatewayProcess, folder: Path, bootstrap: str, each: int
) -> tuple[list[float], list[float], float, float]:
    """Return the seconds of each run, of each bare one, the lag at half load in seconds, and that load."""
    server = FrameServer(_texts)
    seconds: list[float] = []
    bare: list[float] = []
    async with server.serve() as address, gateway:
        mapping = folder / "mapping.yaml"
        mapping.write_text(yaml.safe_dump(MAPPING), encoding="utf-8")
        gateway.configure({_SOURCE: {"connector": "websocket", "options": {"url": address, "mapping": str(mapping)}}})
        await gateway.start()
        sent = 0
        for run in range(_RUNS + 1):
            step(f"run {run} through the gateway" if run else "once to warm up")
            chunks = server.made(sent, each)
            began = time.perf_counter()
            await server.give(chunks)
            sent += each
            await gateway.until(partial(_has, sent), f"{sent:,} events in Kafka")
            seconds.append(time.perf_counter() - began)
            if not run:
                values = await asyncio.to_thread(_values, bootstrap, each)
            bare.append(await asyncio.to_thread(_bare, bootstrap, values))
        half = each / sorted(seconds[1:])[_RUNS // 2] / 2
        step(f"{_PACED_S} s at {half:,.0f} events/s")
        warm = int(half * _WARM_S)
        await server.pace(sent, warm, half)
        before = await gateway.until(partial(_has, sent + warm), "the warm-up at half load")
        await server.pace(sent + warm, paced := int(half * _PACED_S), half)
        after = await gateway.until(partial(_has, sent + warm + paced), "the events at half load")
        await gateway.stop()
    return seconds[1:], bare[1:], quantile(_QUANTILE, _buckets(before), _buckets(after)), half


def _has(events: int, samples: Samples) -> bool:
    return samples.get((_COUNT, _SOURCE), 0) >= events


def _buckets(samples: Samples) -> dict[float, float]:
    prefix = f"{_SOURCE}<="
    return {float(label.removeprefix(prefix)): count for (name, label), count in samples.items() if name == _BUCKET}


def _texts(first: int, last: int) -> list[bytes]:
    now = time.time_ns() // 1_000_000
    return [
        b'{"id":"chat-%d","n":%d,"t":%d,"c":"chat-%d","u":"u%d","text":"%b"}'
        % (number, number, now, number % _CHANNELS, number % _USERS, _TEXT)
        for number in range(first, last)
    ]


def _values(bootstrap: str, wanted: int) -> list[tuple[bytes, bytes, int]]:
    """Return value, key and time of so many events in Kafka, in the order in which they are read."""
    found: list[tuple[bytes, bytes, int]] = []
    for messages in read_batches(bootstrap, Position(EVENTS, {}), end_position(bootstrap, EVENTS)):
        found += [(message.value() or b"", message.key() or b"", message.timestamp()[1]) for message in messages]
        if len(found) >= wanted:
            return found[:wanted]
    raise EchoPulseError(f"{len(found):,} of {wanted:,} events are in Kafka")


def _bare(bootstrap: str, values: list[tuple[bytes, bytes, int]], *, told_of_each: bool = True) -> float:
    """Produce them all and wait for the acknowledgements; return the seconds. Raises EchoPulseError where one fails."""
    acknowledged = 0

    def report(error: KafkaError | None, _message: Message) -> None:
        nonlocal acknowledged
        if error is not None:
            raise EchoPulseError(f"Kafka refused an event: {error.str()}")
        acknowledged += 1

    producer = BoundedProducer(bootstrap, report, SETTINGS | {"delivery.report.only.error": not told_of_each})
    producer.partitions(EVENTS)
    # An idempotent producer asks for its number when it first sends; that may take half a second.
    producer.produce_now(EVENTS, values[0][0], values[0][1], timestamp=values[0][2])
    producer.flush(DELIVERY_TIMEOUT_S)
    acknowledged = 0
    began = time.perf_counter()
    for value, key, time_ms in values:
        producer.produce_now(EVENTS, value, key, timestamp=time_ms)
    producer.flush(DELIVERY_TIMEOUT_S)
    took = time.perf_counter() - began
    producer.close()
    if told_of_each and acknowledged != len(values):
        raise EchoPulseError(f"{acknowledged:,} of {len(values):,} events were acknowledged")
    return took
