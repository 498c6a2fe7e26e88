"""Groups of like vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.clusters import cluster

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ALIKE, _NEAR, _LEAST = 0.5, 0.6, 3


def _labels(vectors: NDArray[Any], starts: list[int]) -> tuple[NDArray[Any], NDArray[Any]]:
    labels = np.empty(len(vectors), np.int64)
    nearness = np.empty(len(vectors), np.float32)
    rows = np.ones(len(vectors), np.bool_)
    cluster(vectors, rows, np.array(starts, np.int64), _ALIKE, _NEAR, _LEAST, labels, nearness)
    return labels, nearness


def _blobs(seed: int, centres: int, each: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Unit vectors close to orthogonal centres, in a random order, and which centre each is near."""
    rng = np.random.default_rng(seed)
    own = rng.permutation(np.repeat(np.arange(centres), each))
    vectors = np.eye(16)[own] + rng.normal(0, 0.05, (len(own), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), own


@settings(deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 6), st.integers(3, 20))
def test_clear_groups_are_found(seed: int, centres: int, each: int) -> None:
    """Points near one centre get one label, those of another centre another."""
    vectors, own = _blobs(seed, centres, each)
    labels, nearness = _labels(vectors, [0, len(vectors)])
    assert (labels >= 0).all()
    assert len({*zip(labels.tolist(), own.tolist(), strict=True)}) == centres == len(set(labels.tolist()))
    assert (nearness > _NEAR).all()


@settings(deadline=None)
@given(st.integers(0, 1_000))
def test_segments_do_not_touch(seed: int) -> None:
    """A segment's labels are what they would be alone."""
    one, _ = _blobs(seed, 3, 6)
    other, _ = _blobs(seed + 1, 2, 9)
    both, _ = _labels(np.concatenate([one, other]), [0, len(one), len(one), len(one) + len(other)])
    assert both.tolist() == [*_labels(one, [0, len(one)])[0], *_labels(other, [0, len(other)])[0]]


def test_what_is_near_nothing_has_no_group() -> None:
    """A lone vector, a pair and an empty vector belong nowhere."""
    vectors = np.zeros((8, 16), np.float32)
    vectors[:4, 0] = 1
    vectors[4:6, 1] = 1
    vectors[6, 2] = 1
    assert _labels(vectors, [0, 8])[0].tolist() == [0, 0, 0, 0, -1, -1, -1, -1]
