"""A stream of server-sent events as a live source (HTML Living Standard, 9.2), by httpx and httpx-sse."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from httpx_sse import EventSource, aconnect_sse

from echopulse.gateway.event_blocks import event_blocks
from echopulse.gateway.http_status import refused
from echopulse.gateway.source import ConnectionLostError, Limits, StreamEndedError
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from httpx_sse import ServerSentEvent

    from echopulse.gateway.event_blocks import Block
    from echopulse.gateway.source import Message

_CONTENT_TYPE = "text/event-stream"
_MILLISECONDS = 1_000


class SseSource:
    """Yields the data of each event; a new connection resumes behind the last id (Last-Event-ID)."""

    def __init__(
        self, url: str, *, limits: Limits | None = None, headers: Mapping[str, str] | None = None, last_id: str = ""
    ) -> None:
        """Keep the address; `last_id` is where to resume. Raises UsageError for a URL that is none."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"'{url}' is not an address of a stream", "like https://host/path")
        self.address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self.last_id = last_id
        self.server_wait_s = 0.0
        self._url = url
        self._limits = limits or Limits()
        self._headers = dict(headers or {})
        # Once a source: reading the certificates takes as long as several connections.
        self._tls = httpx.create_ssl_context()

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Connect once and yield events until the stream ends; faulty ones come with their fault."""
        limits = self._limits
        timeout = httpx.Timeout(limits.read_timeout_s, connect=limits.connect_timeout_s)
        headers = self._headers | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        try:
            async with AsyncExitStack() as opened:
                # httpx bounds each read by itself: a server that sends an answer's head byte by byte would never end.
                async with asyncio.timeout(limits.connect_timeout_s):
                    asking = httpx.AsyncClient(timeout=timeout, verify=self._tls, follow_redirects=True)
                    client = await opened.enter_async_context(asking)
                    events = await opened.enter_async_context(aconnect_sse(client, "GET", self._url, headers=headers))
                self._check(events.response)
                async with aclosing(event_blocks(events.response.aiter_bytes(), limits.frame_bytes)) as blocks:
                    async for block in blocks:
                        for message in self._messages_of(block):
                            yield message
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise EchoPulseError(f"{self.address} cannot be asked for: {error}") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise EchoPulseError(f"the certificate of {self.address} is not trusted: {error}") from error
            raise ConnectionLostError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        except TimeoutError as error:
            raise ConnectionLostError(f"no answer came within {limits.connect_timeout_s:g} s") from error

    def _check(self, response: httpx.Response) -> None:
        if response.status_code == HTTPStatus.NO_CONTENT:
            raise StreamEndedError
        if response.status_code != HTTPStatus.OK:
            raise refused(self.address, response.status_code, response.headers.get("retry-after", ""))
        found = response.headers.get("content-type", "nothing")
        if found.partition(";")[0].strip().lower() != _CONTENT_TYPE:
            raise EchoPulseError(f"{self.address} answered with {found}, not {_CONTENT_TYPE}")

    def _messages_of(self, block: Block) -> Iterator[Message]:
        """Decode one event; the id is kept before the event is handed on, so that a resume does not repeat it."""
        if block.fault:
            self.last_id = block.event_id or self.last_id
            yield block.data, block.fault
            return
        try:
            event = _decoded(block)
        except UnicodeDecodeError as error:
            self.last_id = block.event_id or self.last_id
            yield block.data, f"not UTF-8: {error.reason} at byte {error.start}"
            return
        if event is None:
            return
        self.last_id = event.id or self.last_id
        if event.retry is not None:
            self.server_wait_s = event.retry / _MILLISECONDS
        if event.data:
            yield event.data.encode(), ""


def _decoded(block: Block) -> ServerSentEvent | None:
    """Decode a block by httpx-sse; None for a comment. Raises UnicodeDecodeError, which the library would paper over.

    A response a block costs 40 us, and in return size and bytes of every event are known before it is decoded.
    """
    block.data.decode()
    response = httpx.Response(HTTPStatus.OK, headers={"content-type": _CONTENT_TYPE}, content=block.data + b"\n\n")
    return next(EventSource(response).iter_sse(), None)
