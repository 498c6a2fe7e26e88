"""A sample of digests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.crowd import BYTES, PANE_MS, digested
from transforms.digest import read_digests, write_digests
from transforms.digest_sample import sample_digests


def _digests(ids: list[int]) -> list[bytes]:
    rows = [{"event_id": f"e{number}", "text": f"text {number}"} for number in ids]
    written = write_digests(digested(rows), np.array(ids, np.int64), PANE_MS).to_pylist()
    return [digest for digest in written if digest]


@settings(deadline=None)
@given(st.sets(st.integers(0, 9_999), max_size=30), st.integers(0, 30), st.integers(1, 30))
def test_a_sample_is_the_least_hashes_whatever_the_batches(ids: set[int], cut: int, most: int) -> None:
    """It holds as many messages as asked, whole, and the same ones for any grouping of the digests."""
    numbers = sorted(ids)
    once, twice = _digests(numbers), [*_digests(numbers[:cut]), *_digests(numbers[cut:])]
    samples = sample_digests(pa.array([once, twice], BYTES), most)
    read = read_digests(pa.array([[sample] for sample in samples.to_pylist()], BYTES))
    first, second = (read.ids.filter(pa.array(read.pane == pane)).to_pylist() for pane in (0, 1))
    assert first == second
    assert len(first) == min(most, len(numbers))
    whole = read_digests(pa.array([once], BYTES))
    least = np.argsort(whole.event.view(np.uint64))[:most]
    assert set(first) == set(whole.ids.take(pa.array(least)).to_pylist())


def test_broken_bytes_are_refused() -> None:
    """As the reader refuses them."""
    with pytest.raises(ValueError, match="middle of a record"):
        sample_digests(pa.array([[_digests([1])[0][:-1]]], BYTES), 5)
