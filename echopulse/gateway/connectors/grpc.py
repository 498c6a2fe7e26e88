"""Events from anyone's own client, by gRPC: the service Ingest of schemas/ingest.proto, answered when they are safe."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import grpc
import grpc.aio
from pydantic import Field, SecretStr

from echopulse.gateway.connector import Arrival, Connector, Fields, Options
from echopulse.gateway.platforms.inbox import Inbox
from echopulse.gateway.receipt import Receipt, Settlement, Verdict
from schemas.errors import EchoPulseError, UsageError
from schemas.ingest_pb2 import Outcome, SendReply, SendRequest
from schemas.ingest_pb2_grpc import add_IngestServicer_to_server
from transforms.digest import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.source import Limits
    from schemas.social_event_pb2 import SocialEvent

_AHEAD = 1_024
_EVENTS_A_CALL = 1_000
_LEAVING_S = 5.0


class GrpcOptions(Options):
    """`token` is what clients show; `waiting` calls may be unanswered, each for `answer_s` seconds at most."""

    token: SecretStr
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 18_098
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None
    call_bytes: Annotated[int, Field(ge=1)] = 4_194_304
    waiting: Annotated[int, Field(ge=1)] = 100
    answer_s: Annotated[float, Field(gt=0)] = 10.0
    retry_after_s: Annotated[int, Field(ge=1)] = 5


class GrpcConnector(Connector[GrpcOptions]):
    """The client waits for the answer: pausable. What is not answered as safe it has to send again."""

    name, kinds, pausable, options = "grpc", frozenset({*KINDS, "join"}), True, GrpcOptions

    def __init__(self, chosen: GrpcOptions, limits: Limits) -> None:
        """Keep the options. Raises UsageError for a certificate without its key, or the other way round."""
        super().__init__(chosen, limits)
        if (chosen.certificate is None) != (chosen.key is None) or (chosen.client_authority and not chosen.certificate):
            raise UsageError("`certificate` and `key` go together, and `client_authority` with both")
        self._calls = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.chosen.host}:{self.chosen.port}"

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Listen and yield events."""
        del resume
        self._inbox = Inbox(_AHEAD)
        options = [("grpc.max_receive_message_length", self.chosen.call_bytes), ("grpc.so_reuseport", 0)]
        server = grpc.aio.server(options=options)
        add_IngestServicer_to_server(self, server)
        try:
            self._listen(server)
            await server.start()
            async with aclosing(self._inbox.taken()) as taken:
                async for arrival in taken:
                    yield arrival
        finally:
            await server.stop(_LEAVING_S)

    async def Send(self, request: SendRequest, context: Any) -> SendReply:  # noqa: ANN401, N802 gRPC's own
        """Answer the service's one call."""
        shown = dict(context.invocation_metadata()).get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {self.chosen.token.get_secret_value()}".encode()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "`authorization` is not `Bearer` and the token")
        if len(request.events) > _EVENTS_A_CALL:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"a call has at most {_EVENTS_A_CALL} events")
        if self._calls >= self.chosen.waiting:
            later = (("grpc-retry-pushback-ms", str(self.chosen.retry_after_s * 1_000)),)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls wait for their answer", later)
        self._calls += 1
        try:
            return SendReply(outcomes=await self._outcomes(request.events))
        finally:
            self._calls -= 1

    async def _outcomes(self, events: Any) -> list[Outcome]:  # noqa: ANN401 protobuf's list
        receipts = [Receipt() for _ in events]
        settled = [Settlement(Verdict.AGAIN, "not known to be safe yet")] * len(receipts)
        try:
            async with asyncio.timeout(self.chosen.answer_s):
                for event, receipt in zip(events, receipts, strict=True):
                    await self._inbox.put(_arrival(event, receipt))
                for place, receipt in enumerate(receipts):
                    settled[place] = await receipt.told(self.chosen.answer_s)
        except TimeoutError:
            pass  # the settlements say so
        told = zip(events, settled, strict=True)
        return [Outcome(id=event.id, safe=one.safe, reason=one.reason) for event, one in told]

    def _listen(self, server: grpc.aio.Server) -> None:
        chosen = self.chosen
        try:
            if chosen.certificate and chosen.key:
                from echopulse.rpc_server import Tls  # noqa: PLC0415 where it is wanted

                tls = Tls(chosen.certificate, chosen.key, chosen.client_authority)
                server.add_secure_port(self.address, tls.credentials())
            else:
                server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise EchoPulseError(f"{self.address} cannot be listened at: is the port taken?") from error


def _arrival(event: SocialEvent, receipt: Receipt) -> Arrival:
    fields = Fields(
        id=event.id,
        ts_ms=event.ts.ToMilliseconds(),
        channel=event.channel_id,
        user=event.user_id,
        meta=dict(event.metadata),
        source=event.source,
    )
    return Arrival(event.raw_payload, fields=fields, receipt=receipt)
