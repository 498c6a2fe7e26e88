"""What a websocket gives, as picows calls it back: whole messages, those that came at once together."""

from __future__ import annotations

import asyncio

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSProtocolError, WSTransport

_TEXT, _BINARY, _CONTINUATION, _CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION, WSMsgType.CLOSE
#: So much may wait to be taken before the socket is no longer read.
_HELD_BYTES = 256 * 1024


class Messages(WSListener):
    """Holds the messages of one connection until they are taken; meanwhile TCP holds the server back.

    One larger than `most_bytes` ends the connection. `closing` is what the server said when it closed it.
    """

    def __init__(self, most_bytes: int) -> None:
        """Nothing is connected yet."""
        self.over, self.silent = False, False
        self.closing = ""
        self._most_bytes = most_bytes
        self._whole: list[bytes] = []
        self._parts: list[bytes] = []
        self._bytes = self._counted = self._parts_bytes = 0
        self._heard = self._paused = False
        self._came = asyncio.Event()
        self._transport: WSTransport | None = None

    async def take(self) -> list[bytes]:
        """Wait for messages; none once the connection is over and all were taken."""
        while not self._whole and not self.over:
            self._came.clear()
            await self._came.wait()
        taken, self._whole, self._bytes, self._counted = self._whole, [], 0, 0
        if taken and max(map(len, taken)) > self._most_bytes:
            # picows has refused it, and still gives it when more comes before the connection is closed.
            taken = [data for data in taken if len(data) <= self._most_bytes]
        if self._paused and not self.over and self._transport:
            self._paused = False
            self._transport.underlying_transport.resume_reading()
        return taken

    async def watch(self, timeout_s: float) -> None:
        """Cut the connection where nothing is heard for so long, not even an answer to a ping."""
        transport = self._transport
        while transport is not None:
            self._heard = False
            await asyncio.sleep(timeout_s / 2)
            if self._alive():
                continue
            transport.send_ping()
            await asyncio.sleep(timeout_s / 2)
            if not self._alive():
                self.silent = True
                transport.disconnect(graceful=False)
                return

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame in. Raises WSProtocolError, which ends the connection, for one that cannot be taken."""
        kind = frame.msg_type
        if (kind is _TEXT or kind is _BINARY) and frame.fin and not (frame.rsv1 or self._parts):
            self._whole.append(frame.get_payload_as_bytes())
        else:
            self._take_special(transport, frame)
        if frame.last_in_buffer:
            self._heard = True
            # What one read of the socket gave is counted at once: a frame costs no sum of its own.
            self._bytes += sum(map(len, self._whole[self._counted :]))
            self._counted = len(self._whole)
            if self._bytes > _HELD_BYTES and not self._paused:
                self._paused = True
                transport.underlying_transport.pause_reading()
            if self._whole:
                self._came.set()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """End; what was held can still be taken."""
        self.over = True
        self._came.set()

    def _alive(self) -> bool:
        # What is not read cannot be heard.
        return self._heard or self._paused

    def _take_special(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is _CLOSE:
            self._closed(transport, frame)
        elif kind is _TEXT or kind is _BINARY or kind is _CONTINUATION:
            if frame.rsv1 or (kind is _CONTINUATION) != bool(self._parts):
                raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "a frame out of turn, or compressed unasked")
            self._parts.append(frame.get_payload_as_bytes())
            self._parts_bytes += len(self._parts[-1])
            if self._parts_bytes > self._most_bytes:
                raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, f"a message above {self._most_bytes} bytes")
            if frame.fin:
                self._whole.append(b"".join(self._parts))
                self._parts, self._parts_bytes = [], 0

    def _closed(self, transport: WSTransport, frame: WSFrame) -> None:
        code = frame.get_close_code()
        self.closing = f"{code.value} {frame.get_close_reason() or ''}".strip()
        transport.send_close(code)
        transport.disconnect()
