"""A websocket as a live source (RFC 6455), by the library websockets."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.frames import CloseCode

from echopulse.gateway.http_status import refused
from echopulse.gateway.source import ConnectionLostError, Limits
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from echopulse.gateway.source import Message

#: Frames that the library itself may hold before the socket is no longer read.
_LIBRARY_FRAMES = 4


class WebSocketSource:
    """Yields each frame, text or binary, as its bytes; keepalive pings find a dead peer within the read time-out."""

    def __init__(
        self,
        url: str,
        *,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        subscribe: Sequence[str] = (),
    ) -> None:
        """Keep the address; `subscribe` is sent after each connect. Raises UsageError for a URL that is none."""
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname:
            raise UsageError(f"'{url}' is not a websocket address", "like wss://host/path")
        self.address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._url = url
        self._limits = limits or Limits()
        self._headers = dict(headers or {})
        self._subscribe = list(subscribe)

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Connect once and yield frames until the connection ends; a frame too large ends it, as a faulty message."""
        limits = self._limits
        try:
            async with connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=limits.connect_timeout_s,
                ping_interval=limits.read_timeout_s / 2,
                ping_timeout=limits.read_timeout_s / 2,
                close_timeout=limits.close_timeout_s,
                max_size=limits.frame_bytes,
                max_queue=_LIBRARY_FRAMES,
            ) as socket:
                for text in self._subscribe:
                    await socket.send(text)
                while True:
                    yield await socket.recv(decode=False), ""
        except ConnectionClosed as error:
            if error.sent is None or error.sent.code != CloseCode.MESSAGE_TOO_BIG or error.rcvd_then_sent:
                raise ConnectionLostError(str(error)) from error
            yield b"", f"a frame above {limits.frame_bytes} bytes was refused; its bytes were not read"
        except InvalidStatus as error:
            answer = error.response
            raise refused(self.address, answer.status_code, answer.headers.get("Retry-After", "")) from error
        except InvalidURI as error:
            raise EchoPulseError(f"{self.address} is not a websocket address: {error.msg}") from error
        except ssl.SSLCertVerificationError as error:
            raise EchoPulseError(f"the certificate of {self.address} is not trusted: {error.verify_message}") from error
        except (OSError, InvalidMessage) as error:
            raise ConnectionLostError(f"{type(error).__name__}: {error}") from error
        except (InvalidHandshake, WebSocketException) as error:
            raise EchoPulseError(f"{self.address} does not speak websocket: {error}") from error
