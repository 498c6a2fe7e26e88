"""Cuts a stream of server-sent events into its events, each bounded in size, before anything is decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

#: An empty line, with any of the three line ends (HTML Living Standard, 9.2.6).
_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")
_LONGEST_END = 4
_ID = re.compile(rb"^id: ?([^\r\n\0]*)$", re.MULTILINE)
#: How much of an event that is too large is kept.
_KEPT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Block:
    """One event as it came, or with a fault: the beginning of one that is too large, or the bytes of one cut off."""

    data: bytes
    fault: str = ""

    @property
    def event_id(self) -> str:
        """The id that the event carries, '' for none."""
        found = _ID.findall(self.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        return found[-1].decode(errors="replace") if found else ""


async def event_blocks(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[Block, None]:
    """Yield the events of a byte stream; one above `limit` bytes comes as a faulty block, the next ones unharmed.

    Where the stream breaks off inside an event, what came of it is a faulty block, then the chunks' error follows.
    """
    pending = bytearray()
    kept = b""
    broken: Exception | None = None
    searched = 0
    try:
        async for chunk in chunks:
            pending += chunk
            while end := _END.search(pending, max(0, searched - _LONGEST_END)):
                data = bytes(pending[: end.start()])
                del pending[: end.end()]
                searched = 0
                oversize = kept or len(data) > limit
                yield Block(*_cut(kept, data, limit)) if oversize else Block(data)
                kept = b""
            if len(pending) > limit:
                kept = kept or bytes(pending[:_KEPT_BYTES])
                del pending[:-_KEPT_BYTES]
            searched = len(pending)
    except Exception as error:  # noqa: BLE001 whatever ended the stream is raised below, behind what came before it
        broken = error
    if pending.strip() and not pending.lstrip().startswith(b":"):
        yield Block(kept or bytes(pending), "the stream ended inside this event")
    if broken:
        raise broken


def _cut(kept: bytes, data: bytes, limit: int) -> tuple[bytes, str]:
    """Return the head of an event that is too large, with its id where that stands at the other end."""
    head = kept or data[:_KEPT_BYTES]
    tail = Block(data[-_KEPT_BYTES:]).event_id
    identified = head if Block(head).event_id or not tail else head + b"\nid: " + tail.encode()
    return identified, f"an event above {limit} bytes was refused; its beginning is kept"
