"""Any websocket whose frames are JSON; resumed where its server takes a place to go on from in the address."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from echopulse.gateway.burst import Burst
from echopulse.gateway.connector import Arrival, Connector, Options
from echopulse.gateway.mapping_paths import Keys, look_up, parse_path
from echopulse.gateway.websocket import WebSocketSource
from transforms.digest import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from echopulse.gateway.source import Limits


class Cursor(BaseModel):
    """The query's `parameter` that takes the value which an earlier frame has at `path`, as Jetstream's `cursor`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: Annotated[str, Field(min_length=1)]
    path: Annotated[Keys, BeforeValidator(parse_path)]


class WebSocketOptions(Options):
    """`subscribe` are texts to send after each connect; `headers` bear secrets and are given as such."""

    url: str
    mapping: str
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    subscribe: list[str] = Field(default_factory=list)
    cursor: Cursor | None = None


class WebSocketConnector(Connector[WebSocketOptions]):
    """Its server waits while the socket is not read: pausable. Resumable where the options name a cursor."""

    name, kinds, pausable, resumable, options = "websocket", frozenset(KINDS), True, True, WebSocketOptions

    def __init__(self, chosen: WebSocketOptions, limits: Limits) -> None:
        """Set the source up."""
        super().__init__(chosen, limits)
        self._source = self._connected_to(chosen.url)

    @property
    def address(self) -> str:
        """Scheme, host and path."""
        return self._source.address

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Yield each frame."""
        async with aclosing(self.bursts(resume)) as bursts:
            async for burst in bursts:
                for arrival in burst:
                    yield arrival

    async def bursts(self, resume: str) -> AsyncGenerator[Sequence[Arrival], None]:
        """Yield frames as they came, the cursor's value of the last that has one: only there it is looked for."""
        cursor = self.chosen.cursor
        source = self._connected_to(_with_query(self.chosen.url, cursor.parameter, resume)) if cursor else self._source
        async with aclosing(source.bursts()) as bursts:
            async for frames, fault in bursts:
                if fault:
                    yield [Arrival(data, "", fault) for data in frames]
                else:
                    yield Burst(frames, _place(frames, cursor.path) if cursor else "")

    def _connected_to(self, url: str) -> WebSocketSource:
        headers = {name: value.get_secret_value() for name, value in self.chosen.headers.items()}
        return WebSocketSource(url, limits=self.limits, headers=headers, subscribe=self.chosen.subscribe)


def _with_query(url: str, parameter: str, value: str) -> str:
    """Return the address with the parameter set; as it is where there is no value yet."""
    if not value:
        return url
    parts = urlsplit(url)
    query = [(name, held) for name, held in parse_qsl(parts.query, keep_blank_values=True) if name != parameter]
    return parts._replace(query=urlencode([*query, (parameter, value)])).geturl()


def _place(frames: Sequence[bytes], path: Keys) -> str:
    return next(filter(None, (_value_at(path, frame) for frame in reversed(frames))), "")


def _value_at(path: Keys, frame: bytes) -> str:
    try:
        found = look_up(orjson.loads(frame), path)
    except orjson.JSONDecodeError:
        return ""
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
