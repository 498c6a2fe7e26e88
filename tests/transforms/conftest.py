"""Events in the schemas' own form, and an analyser opened once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from schemas.arrow import EVENT
from schemas.codec import encode_events
from transforms.analysis import Analyser

if TYPE_CHECKING:
    from collections.abc import Callable

MOMENT_MS = 1_767_225_600_045

Encode = "Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]"


def _encode(*changes: dict[str, Any]) -> tuple[pa.BinaryArray, pa.Int64Array]:
    rows = [
        {
            "id": f"e{place}",
            "ts": datetime.fromtimestamp(MOMENT_MS / 1000, UTC),
            "source": "test",
            "channel_id": "c",
            "user_id": "u",
            "raw_payload": b'{"text": "hello"}',
            "metadata": [("kind", "message")],
            **change,
        }
        for place, change in enumerate(changes)
    ]
    events = pa.RecordBatch.from_pylist(rows, schema=EVENT)
    return encode_events(events), events.column("ts").cast(pa.int64())


@pytest.fixture(scope="session")
def encode() -> Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]:
    """Encode events, each the plain one with some fields changed: their bytes and their record times."""
    return _encode


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    """The default analyser, opened."""
    opened = Analyser({})
    opened.open()
    return opened
