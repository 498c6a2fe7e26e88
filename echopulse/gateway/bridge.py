"""From JetStream to Kafka: in order, acknowledged there before it is acknowledged here."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from nats.errors import Error

from echopulse.gateway.dead_letters import letter_messages, now_ms
from echopulse.gateway.in_sequence import InSequence
from echopulse.gateway.nats_connection import NatsAwayError, connect, disconnect
from echopulse.gateway.nats_message import MESSAGE_ID, unpack
from echopulse.gateway.nats_stream import BRIDGE, MAX_ACK_PENDING
from echopulse.gateway.outgoing import Outgoing
from echopulse.gateway.recent_ids import RecentIds
from echopulse.gateway.reconnect import wait_before
from echopulse.gateway.source import Limits
from echopulse.telemetry import logger
from schemas.avro import DeadLetter
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from echopulse.gateway.bus import RecordSink, Refused
    from echopulse.gateway.nats_config import NatsConfig

_LOG = logger(__name__)
_FETCHED, _FETCH_TIMEOUT_S = 250, 1.0
_MOST_IN_HAND, _MOST_BYTES_IN_HAND = MAX_ACK_PENDING - _FETCHED, 64 * 1024 * 1024
#: At 2,000 events a second, a minute and a half more than the stream's own window, in about 30 MB.
_RECENT_IDS = 200_000
_ENDING_S = 10.0


class BridgeStoppedError(Exception):
    """The bridge is to end."""


@dataclass
class BridgeFigures:
    """What the bridge has done; `waiting` is what the stream still holds for it."""

    carried: int = 0
    duplicates: int = 0
    refused: int = 0
    redelivered: int = 0
    reconnects: int = 0
    waiting: int = 0
    trouble: str = ""
    state: str = field(default="connecting")


class _Carried(NamedTuple):
    """Messages that are acknowledged together, once Kafka has what came of them."""

    messages: Sequence[Msg]
    fresh: int
    bytes: int
    future: asyncio.Future[Refused]


class Bridge:
    """Carries a stream to Kafka until it is stopped.

    A channel's order holds: messages go on by their number in the stream, whatever is delivered again. One whose id is
    among the last 200,000 goes no further. What Kafka refuses becomes a dead letter (stage `produce`).
    """

    def __init__(self, config: NatsConfig, sink: RecordSink) -> None:
        """Keep where to read and where to write."""
        self._config, self._sink = config, sink
        self._limits = Limits(attempts=config.attempts, first_wait_s=0.1, longest_wait_s=5.0)
        self._recent = RecentIds(_RECENT_IDS)
        self._carried: deque[_Carried] = deque()
        self.figures = BridgeFigures()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry until `stop`; what is on its way to Kafka then is waited for, up to 10 s.

        Raises EchoPulseError where Kafka or the stream is lost for good.
        """
        stopping = asyncio.create_task(stop.wait())
        failures, connected = 0, False
        try:
            while not stop.is_set():
                try:
                    connection = await connect(self._config)
                except NatsAwayError as error:
                    failures += 1
                    if failures >= self._limits.attempts:
                        raise
                    self._tell("away", str(error))
                    await asyncio.wait({stopping}, timeout=wait_before(failures, self._limits))
                    continue
                self.figures.reconnects += connected
                failures, connected = 0, True
                try:
                    await self._carry(connection, stopping)
                except (Error, OSError, TimeoutError) as error:
                    self._tell("away", f"NATS at {self._config.address}: {error}")
                finally:
                    await disconnect(connection)
                await self._settle(stopping)
        except BridgeStoppedError:
            pass
        finally:
            stopping.cancel()
            self.figures.state = "stopped"

    async def _carry(self, connection: Client, stopping: asyncio.Task[bool]) -> None:
        stream = connection.jetstream(timeout=self._config.connect_timeout_s)
        subscription = await stream.pull_subscribe_bind(durable=BRIDGE, stream=self._config.stream)
        floor = (await stream.consumer_info(self._config.stream, BRIDGE)).ack_floor
        order: InSequence[Msg] = InSequence(floor.stream_seq if floor else 0)
        self._tell("carrying", "")
        while connection.is_connected and not stopping.done():
            fetched = await _fetched(subscription, stopping)
            in_hand = {message.metadata.sequence.stream for each in self._carried for message in each.messages}
            for message in fetched:
                number = message.metadata.sequence.stream
                self.figures.redelivered += message.metadata.num_delivered > 1
                # Kafka has it, and only the acknowledgement was lost; or it is on its way still.
                if not order.add(number, message) and number not in in_hand:
                    await message.ack()
            self._send(order.ready())
            await self._acknowledge_done()
            if len(order) or not fetched:
                await self._look(stream, order)
            await self._wait_for_room(len(order), stopping)
        if stopping.done():
            await self._finish()

    async def _look(self, stream: JetStreamContext, order: InSequence[Msg]) -> None:
        """See what the stream still holds; where all that it has delivered is held here, the gaps are deletions."""
        found = await stream.consumer_info(self._config.stream, BRIDGE)
        self.figures.waiting = (found.num_pending or 0) + (found.num_ack_pending or 0)
        if len(order) and not self._carried and (found.num_ack_pending or 0) <= len(order):
            self._send(order.all_held())

    def _send(self, messages: Sequence[Msg]) -> None:
        records: list[Outgoing] = []
        for message in messages:
            headers = message.headers or {}
            if not self._recent.add(headers.get(MESSAGE_ID) or f"#{message.metadata.sequence.stream}"):
                self.figures.duplicates += 1
                continue
            try:
                records.append(unpack(message.subject, message.data, headers))
            except ValueError as error:
                self.figures.refused += 1
                reason = f"no message of a gateway: {error}"
                origin = f"{self._config.stream}:{message.metadata.sequence.stream}"
                records += _letters(DeadLetter("parse", reason, origin, "", now_ms(), message.data))
        if messages:
            size = sum(len(message.data) for message in messages)
            self._carried.append(_Carried(messages, len(records), size, self._sink.send(records)))

    async def _acknowledge_done(self) -> None:
        while self._carried and self._carried[0].future.done():
            await self._acknowledge(self._carried.popleft())

    async def _acknowledge(self, carried: _Carried) -> None:
        refused = carried.future.result()
        self.figures.carried += carried.fresh - len(refused)
        if refused:
            self.figures.refused += len(refused)
            for record, reason in refused:
                _LOG.error("Kafka refused a record", topic=record.topic, reason=reason)
            letters = [letter for record, reason in refused for letter in _refusal(record, reason)]
            for record, reason in await self._sink.send(letters):
                _LOG.error("Kafka refused a dead letter", topic=record.topic, reason=reason)
        for message in carried.messages:
            await message.ack()

    async def _wait_for_room(self, held: int, stopping: asyncio.Task[bool]) -> None:
        while self._carried and not stopping.done():
            count = held + sum(len(each.messages) for each in self._carried)
            if count <= _MOST_IN_HAND and sum(each.bytes for each in self._carried) <= _MOST_BYTES_IN_HAND:
                return
            await _first(self._carried[0].future, stopping)
            await self._acknowledge_done()

    async def _settle(self, stopping: asyncio.Task[bool]) -> None:
        """After a lost connection: wait until Kafka has what was taken; it is delivered again, and known by its id."""
        while self._carried:
            await _first(self._carried[0].future, stopping)
            if stopping.done():
                raise BridgeStoppedError
            carried = self._carried.popleft()
            with suppress(Error, OSError):
                await self._acknowledge(carried)

    async def _finish(self) -> None:
        if self._carried:
            await asyncio.wait({each.future for each in self._carried}, timeout=_ENDING_S)
        await self._acknowledge_done()
        raise BridgeStoppedError

    def _tell(self, state: str, trouble: str) -> None:
        if trouble and trouble != self.figures.trouble:
            _LOG.warning("waiting for the bus", reason=trouble)
        self.figures.state, self.figures.trouble = state, trouble


async def _first(*waited: asyncio.Future[Any]) -> None:
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)


async def _fetched(subscription: JetStreamContext.PullSubscription, stopping: asyncio.Task[bool]) -> Sequence[Msg]:
    """Return the next messages, none where none come within a second, the bridge stops or the connection is lost."""
    fetching = asyncio.create_task(subscription.fetch(_FETCHED, timeout=_FETCH_TIMEOUT_S))
    try:
        await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        fetching.cancel()
    await asyncio.wait({fetching})
    # A connection that is lost cancels what waits for messages.
    if fetching.cancelled() or isinstance(fetching.exception(), TimeoutError):
        return []
    return fetching.result()


def _refusal(record: Outgoing, reason: str) -> Iterable[Outgoing]:
    """Return the dead letters of an event that Kafka refused; a dead letter that it refused has none."""
    if record.topic != EVENTS:
        return []
    name = SocialEvent.FromString(record.value).id
    return _letters(DeadLetter("produce", reason, EVENTS, name, now_ms(), record.value))


def _letters(letter: DeadLetter) -> list[Outgoing]:
    return [
        Outgoing(DLQ, letter.origin.encode(), datum, letter.ts, tuple(headers))
        for datum, headers in letter_messages(letter, None)
    ]
