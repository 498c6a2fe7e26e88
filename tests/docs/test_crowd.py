"""The script of docs/crowd.md reads what the job writes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from schemas.avro_crowd import encode_crowd
from schemas.topics import TRENDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
_PAGE = (ROOT / "docs" / "crowd.md").read_text(encoding="utf-8")
_TIMEOUT_S = 60


@pytest.fixture
def broker() -> Iterator[Producer]:
    """A producer with a broker of its own in the process (librdkafka's, for client tests)."""
    owner = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
    yield owner
    owner.close()


def test_the_pages_script_prints_the_trends(broker: Producer, tmp_path: Path) -> None:
    """It runs as it stands, in a folder without settings, and shows the three first of each record."""
    trend = {"kind": "word", "burst": 7.5, "messages": 12, "users": 9.4, "texts": 8.0, "expected": 0.5}
    for channel, terms in (("c", ["one", "two", "three", "four"]), ("", ["all"])):
        told = {"channel_id": channel, "window_start": 0, "window_end": 3_661_000}
        datum = encode_crowd("trends", told | {"trends": [trend | {"term": term} for term in terms]})
        broker.produce(TRENDS, datum, channel, partition=0)
    assert broker.flush(_TIMEOUT_S) == 0
    address = next(iter(broker.list_topics(timeout=_TIMEOUT_S).brokers.values()))
    (script,) = re.findall(r"^```python\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)
    own = {"PYTHONPATH": str(ROOT), "ECHOPULSE_KAFKA__BOOTSTRAP": f"{address.host}:{address.port}"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | own,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "01:01:01 c: one, 9 users",
        "01:01:01 c: two, 9 users",
        "01:01:01 c: three, 9 users",
        "01:01:01 everywhere: all, 9 users",
    ]
