"""NATS JetStream as a Bus: each channel's next event is sent when the one before it is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from nats.errors import Error

from echopulse.gateway.nats_connection import NatsAwayError, connect, disconnect
from echopulse.gateway.nats_message import NatsMessage, pack
from echopulse.gateway.reconnect import wait_before
from echopulse.gateway.source import Limits
from echopulse.telemetry import logger
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from echopulse.gateway.bus import Refused
    from echopulse.gateway.nats_config import NatsConfig
    from echopulse.gateway.outgoing import Outgoing

_LOG = logger(__name__)
#: The stream takes no message of that size, with such headers; it is the message of another stream.
_TOO_LARGE, _HEADER_TOO_LARGE, _OTHER_STREAM = 10_054, 10_097, 10_060
_MOST_BYTES = 8 * 1024 * 1024
_LOOK_EVERY_S, _RETRY_AFTER_S = 0.2, 0.5


@dataclass(eq=False)
class _Batch:
    """A batch of which so many are still on their way."""

    left: int
    refused: Refused
    future: asyncio.Future[Refused]

    def one(self, record: Outgoing, reason: str = "") -> None:
        if reason:
            self.refused.append((record, reason))
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(self.refused)


@dataclass(eq=False)
class _Sending:
    """The first of its channel, until it is acknowledged or refused."""

    record: Outgoing
    batch: _Batch
    message: NatsMessage | None = None
    began: float = 0.0


class JetStreamProducer:
    """Publishes with at most `in_flight` messages unacknowledged, one of each topic and key.

    So a channel's order holds whatever fails: a message that is lost with its connection, not answered in time or
    turned away for the moment (no leader, a full stream) is sent again before anything behind it. Sent twice, it is
    stored once, by its id, within the stream's duplicate window.
    """

    def __init__(self, config: NatsConfig) -> None:
        """Connect by and by."""
        self._config = config
        self._limits = Limits(attempts=config.attempts, first_wait_s=0.1, longest_wait_s=5.0)
        self._channels: dict[tuple[str, bytes], deque[_Sending]] = {}
        self._ready: deque[_Sending] = deque()
        self._later: list[_Sending] = []
        self._wire: dict[str, _Sending] = {}
        self._wire_bytes = self._sent = 0
        self._retry_at = 0.0
        self._told = ""
        self._batches: set[asyncio.Future[Refused]] = set()
        self._lost: EchoPulseError | None = None
        self._wake = asyncio.Event()
        #: Connections made again; messages sent again.
        self.reconnects = self.resent = 0
        self._working = asyncio.create_task(self._work())

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Send records; see RecordSink."""
        if self._lost is not None:
            raise self._lost
        future: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()
        if not records:
            future.set_result([])
            return future
        batch = _Batch(len(records), [], future)
        self._batches.add(future)
        future.add_done_callback(self._batches.discard)
        for record in records:
            sending = _Sending(record, batch)
            channel = self._channels.setdefault((record.topic, record.key), deque())
            channel.append(sending)
            if len(channel) == 1:
                self._ready.append(sending)
        self._wake.set()
        return future

    async def close(self, within_s: float = 0.0) -> None:
        """Wait at most so long for what was sent; see Bus."""
        if self._batches and within_s and self._lost is None:
            await asyncio.wait(self._batches, timeout=within_s)
        if self._lost is None:
            self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        try:
            failures, connected = 0, False
            while True:
                try:
                    connection = await connect(self._config, self._hear)
                except NatsAwayError as error:
                    failures += 1
                    if failures >= self._config.attempts:
                        raise
                    self._tell(str(error))
                    await asyncio.sleep(wait_before(failures, self._limits))
                    continue
                self.reconnects += connected
                failures, connected = 0, True
                try:
                    await self._publish_while_connected(connection)
                finally:
                    await disconnect(connection)
                    self.resent += len(self._wire)
                    self._ready.extendleft(self._wire.values())
                    self._wire.clear()
                    self._wire_bytes = 0
        except EchoPulseError as error:
            self._lose(error)

    async def _publish_while_connected(self, connection: Client) -> None:
        with suppress(Error, OSError):
            inbox = connection.new_inbox()
            await connection.subscribe(f"{inbox}.*", cb=self._answered)
            while connection.is_connected and self._lost is None:
                while self._ready and self._has_room():
                    await self._put(connection, inbox, self._ready.popleft())
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await self._wake.wait()
                now = time.monotonic()
                if self._later and now >= self._retry_at:
                    self._ready.extend(self._later)
                    self._later.clear()
                # The oldest is the first: a dictionary keeps the order of insertion.
                oldest = next(iter(self._wire.values()), None)
                if oldest is not None and now - oldest.began > self._config.ack_timeout_s:
                    self._tell(f"NATS at {self._config.address} acknowledges nothing")
                    break
        if self._lost is not None:
            raise self._lost

    def _has_room(self) -> bool:
        return not self._wire or (len(self._wire) < self._config.in_flight and self._wire_bytes < _MOST_BYTES)

    async def _put(self, connection: Client, inbox: str, sending: _Sending) -> None:
        message = sending.message = sending.message or pack(sending.record, self._config.stream)
        if message.size > connection.max_payload:
            limit = f"the {connection.max_payload} bytes that the server takes (max_payload)"
            self._done(sending, f"a message of {message.size} bytes is above {limit}")
            return
        self._sent += 1
        token = str(self._sent)
        # First here, then out: where the connection fails meanwhile, it is found and sent again.
        self._wire[token] = sending
        self._wire_bytes += message.size
        sending.began = time.monotonic()
        await connection.publish(message.subject, message.payload, f"{inbox}.{token}", message.headers)

    async def _answered(self, answer: Msg) -> None:
        sending = self._wire.pop(answer.subject.rpartition(".")[2], None)
        if sending is None or sending.message is None:
            return
        self._wire_bytes -= sending.message.size
        self._wake.set()
        # No responders: no stream has the subject, or its leader is away. An empty answer says so in its headers.
        error = orjson.loads(answer.data).get("error") if answer.data else {"description": "no stream answers"}
        if error is None:
            self._done(sending)
        elif error.get("err_code") in {_TOO_LARGE, _HEADER_TOO_LARGE}:
            self._done(sending, f"a message of {sending.message.size} bytes: {error['description']}")
        elif error.get("err_code") == _OTHER_STREAM:
            self._lose(EchoPulseError(f"NATS at {self._config.address}: {sending.message.subject} is another stream's"))
        else:
            self._tell(f"NATS at {self._config.address} takes no message for now: {error['description']}")
            self.resent += 1
            self._later.append(sending)
            self._retry_at = time.monotonic() + _RETRY_AFTER_S

    def _done(self, sending: _Sending, reason: str = "") -> None:
        name = (sending.record.topic, sending.record.key)
        channel = self._channels[name]
        channel.popleft()
        if channel:
            self._ready.append(channel[0])
        else:
            del self._channels[name]
        if not reason:
            self._told = ""
        sending.batch.one(sending.record, reason)

    async def _hear(self, error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            self._lose(EchoPulseError(f"NATS at {self._config.address}: {error}", "grant the gateway's user these"))
        else:
            self._tell(f"NATS at {self._config.address}: {error}")

    def _tell(self, reason: str) -> None:
        """Log a trouble once, until something was acknowledged."""
        if reason != self._told:
            self._told = reason
            _LOG.warning("waiting for the bus", reason=reason)

    def _lose(self, error: EchoPulseError) -> None:
        self._lost = error
        self._wake.set()
        for future in list(self._batches):
            if not future.done():
                future.set_exception(error)
