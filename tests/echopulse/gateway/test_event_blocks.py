"""The cutting of an event stream, against a split of the whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.event_blocks import Block, event_blocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_PIECES = st.lists(st.sampled_from([b"a", b"data: x", b"id: 7", b"\n", b"\r\n", b"\r", b":"]), max_size=30)


async def _chunks(chunks: Sequence[bytes], error: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if error:
        raise error


async def _blocks(chunks: Sequence[bytes], limit: int = 10_000) -> list[Block]:
    return [block async for block in event_blocks(_chunks(chunks), limit)]


def _lines(data: bytes) -> list[bytes]:
    return [line for line in re.split(rb"\r\n|\r|\n", data) if line]


@given(_PIECES)
async def test_any_cut_of_the_stream_gives_the_same_events(pieces: list[bytes]) -> None:
    """However the network cuts it, the lines of each event are those of the whole stream split at empty lines."""
    whole = b"".join(pieces) + b"\n\n"
    events = [b"\n".join(part) for part in _groups(re.split(rb"\r\n|\r|\n", whole)) if part]

    for cut in ([whole], pieces + [b"\n\n"], [bytes([byte]) for byte in whole]):  # noqa: RUF005 three ways to cut
        found = [b"\n".join(_lines(block.data)) for block in await _blocks(cut) if _lines(block.data)]
        assert found == events


def _groups(lines: list[bytes]) -> list[list[bytes]]:
    groups: list[list[bytes]] = [[]]
    for line in lines:
        if line:
            groups[-1].append(line)
        else:
            groups.append([])
    return groups


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_an_event_too_large_spoils_itself_only(size: int) -> None:
    """In whatever chunks it comes; its id is found at the end."""
    stream = b"data: a\n\ndata: " + b"x" * 5_000 + b"\nid: 7\n\ndata: b\n\n"

    blocks = await _blocks([stream[start : start + size] for start in range(0, len(stream), size)], limit=1_000)

    assert [bool(block.fault) for block in blocks] == [False, True, False]
    assert (blocks[0].data, blocks[2].data, blocks[1].event_id) == (b"data: a", b"data: b", "7")


async def test_a_stream_that_breaks_off_gives_what_came_then_its_error() -> None:
    """Nothing that was received is lost."""
    blocks = []

    async def collect() -> None:
        async for block in event_blocks(_chunks([b"data: a\n\nda", b"ta"], OSError("cut")), 100):
            blocks.append(block)  # noqa: PERF401 what came before the error is wanted

    with pytest.raises(OSError, match="cut"):
        await collect()

    assert blocks == [Block(b"data: a"), Block(b"data", "the stream ended inside this event")]


async def test_a_comment_cut_off_is_nothing() -> None:
    """A keepalive is no event."""
    assert await _blocks([b": keep"]) == []
