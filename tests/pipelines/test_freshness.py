"""Freshness of rows: counted in a worker, read by another process from its files."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from pipelines.freshness import BUCKETS, METRIC, Freshness, FreshnessSettings, host_folder

if TYPE_CHECKING:
    from pathlib import Path

#: As a worker does it: unpickled in a process that has not imported the library, which asks its variable then.
WORKER = """
import pickle, sys
import numpy as np
for freshness, ends, written in pickle.load(sys.stdin.buffer):
    freshness.observe(np.array(ends, np.int64), written)
"""


def in_a_worker(*calls: tuple[Freshness, list[int], int]) -> str:
    """Observe in another process; return what it said on stderr."""
    command = [sys.executable, "-c", WORKER]
    return subprocess.run(
        command, input=pickle.dumps(calls), check=True, capture_output=True, timeout=60
    ).stderr.decode()


def samples(folder: Path) -> dict[tuple[str, str, str], float]:
    """What an exporter of this host reads: value by name, view and bucket."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(host_folder(str(folder))))  # type: ignore[no-untyped-call]
    return {
        (sample.name, sample.labels["view"], sample.labels.get("le", "")): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def test_rows_of_all_workers_are_counted_by_view(tmp_path: Path) -> None:
    """A row's freshness is from the beginning of its window's last step; a limit belongs to the bucket below it."""
    settings = FreshnessSettings(10_000, str(tmp_path))
    channel, user = Freshness("channel_1m", settings), Freshness("user_1m", FreshnessSettings(60_000, str(tmp_path)))
    in_a_worker((channel, [20_000] * 3 + [30_000], 26_000), (user, [60_000], 3_600_000))
    in_a_worker((channel, [20_000], 26_001), (channel, [], 1))
    found = samples(tmp_path)
    assert found[f"{METRIC}_count", "channel_1m", ""] == 5
    assert found[f"{METRIC}_sum", "channel_1m", ""] == pytest.approx(3 * 16 + 6 + 16.001)
    assert [found[f"{METRIC}_bucket", "channel_1m", f"{le}.0"] for le in (4, 6, 15, 16, 18)] == [0, 1, 1, 4, 5]
    assert found[f"{METRIC}_bucket", "user_1m", f"{BUCKETS[-1]}.0"] == 0
    assert found[f"{METRIC}_bucket", "user_1m", "+Inf"] == 1


def test_many_rows_are_counted_as_one_by_one(tmp_path: Path) -> None:
    """The library's own cells are used in its own way."""
    settings, random = FreshnessSettings(10_000, str(tmp_path)), np.random.default_rng(1)
    ends = random.integers(0, 400_000, 500).tolist()
    in_a_worker((Freshness("v", settings), ends, 400_000))
    alone = Histogram(METRIC, "the same", ["view"], registry=CollectorRegistry(), buckets=BUCKETS)
    for end in ends:
        alone.labels("v").observe((400_000 - end + 10_000) / 1_000)
    found = samples(tmp_path)
    for metric in alone.collect():
        for sample in metric.samples:
            if not sample.name.endswith("_created"):
                assert found[sample.name, "v", sample.labels.get("le", "")] == pytest.approx(sample.value)


def test_a_worker_without_a_place_for_it_goes_on(tmp_path: Path) -> None:
    """No folder asked for is nothing to say; one that cannot be made is told once."""
    (tmp_path / "file").write_text("in the way")
    nothing, blocked = (Freshness("v", FreshnessSettings(1_000, name)) for name in ("", str(tmp_path / "file")))
    assert in_a_worker((nothing, [1], 1)) == ""
    told = in_a_worker((blocked, [1], 1), (blocked, [1], 1))
    assert told.startswith("freshness of v is not measured: [Errno 20] Not a directory: ")
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
