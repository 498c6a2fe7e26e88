"""Any stream of server-sent events whose data is JSON; resumed by Last-Event-ID."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from echopulse.gateway.connector import Arrival, Connector, Options
from echopulse.gateway.source import ConnectionLostError
from echopulse.gateway.sse import SseSource
from transforms.digest import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.source import Limits


class SseOptions(Options):
    """`headers` bear secrets and are given as such."""

    url: str
    mapping: str
    headers: dict[str, SecretStr] = Field(default_factory=dict)


class SseConnector(Connector[SseOptions]):
    """Its server waits while the response is not read, and goes on behind the last id: pausable and resumable."""

    name, kinds, pausable, resumable, options = "sse", frozenset(KINDS), True, True, SseOptions

    def __init__(self, chosen: SseOptions, limits: Limits) -> None:
        """Set the source up."""
        super().__init__(chosen, limits)
        headers = {name: value.get_secret_value() for name, value in chosen.headers.items()}
        self._source = SseSource(chosen.url, limits=limits, headers=headers)

    @property
    def address(self) -> str:
        """Scheme, host and path."""
        return self._source.address

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Yield the data of each event with its id."""
        self._source.last_id = resume
        try:
            async with aclosing(self._source.messages()) as messages:
                async for data, fault in messages:
                    yield Arrival(data, self._source.last_id, fault)
        except ConnectionLostError as error:
            raise ConnectionLostError(str(error), max(error.wait_s, self._source.server_wait_s)) from error
        raise ConnectionLostError("the server ended the stream", self._source.server_wait_s)
