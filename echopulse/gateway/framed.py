"""Messages of a source by their bytes, and the JSON in them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from echopulse.gateway.burst import Burst

if TYPE_CHECKING:
    from collections.abc import Sequence


class Framed(Protocol):
    """One message of a source: a Frame, an Arrival."""

    @property
    def data(self) -> bytes:
        """Its bytes."""

    @property
    def fault(self) -> str:
        """Why it could not be taken whole."""


class Frame(NamedTuple):
    """One message of a source as its bytes; `fault` says why it could not be taken whole."""

    data: bytes
    fault: str = ""


def whole(frames: Sequence[Framed]) -> tuple[list[bytes], dict[int, str]]:
    """Return the bytes of frames, and why some could not be taken whole, by their place."""
    if isinstance(frames, Burst):
        return frames.datas, {}
    return [frame.data for frame in frames], {place: frame.fault for place, frame in enumerate(frames) if frame.fault}


def parsed_json(datas: Sequence[bytes], unread: dict[int, str]) -> list[Any]:
    """Return the JSON of frames, None where there is none; `unread` is told why."""
    if not unread:
        with suppress(orjson.JSONDecodeError):
            return list(map(orjson.loads, datas))
    documents: list[Any] = [None] * len(datas)
    for place, data in enumerate(datas):
        if place not in unread:
            try:
                documents[place] = orjson.loads(data)
            except orjson.JSONDecodeError as error:
                unread[place] = f"not JSON: {error}"
    return documents
