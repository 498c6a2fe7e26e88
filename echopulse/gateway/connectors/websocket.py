"""Any websocket whose frames are JSON."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from echopulse.gateway.connector import Arrival, Connector, Options
from echopulse.gateway.websocket import WebSocketSource
from transforms.digest import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.source import Limits


class WebSocketOptions(Options):
    """`subscribe` are texts to send after each connect; `headers` bear secrets and are given as such."""

    url: str
    mapping: str
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    subscribe: list[str] = Field(default_factory=list)


class WebSocketConnector(Connector[WebSocketOptions]):
    """Its server waits while the socket is not read: pausable."""

    name, kinds, pausable, options = "websocket", frozenset(KINDS), True, WebSocketOptions

    def __init__(self, chosen: WebSocketOptions, limits: Limits) -> None:
        """Set the source up."""
        super().__init__(chosen, limits)
        headers = {name: value.get_secret_value() for name, value in chosen.headers.items()}
        self._source = WebSocketSource(chosen.url, limits=limits, headers=headers, subscribe=chosen.subscribe)

    @property
    def address(self) -> str:
        """Scheme, host and path."""
        return self._source.address

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Yield each frame."""
        del resume  # a plain websocket has no place to go on from
        async with aclosing(self._source.messages()) as messages:
            async for data, fault in messages:
                yield Arrival(data, fault=fault)
