"""Every shipped strategy conforms, and the check finds those that do not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.remote.service import running
from transforms.artifact import find_artifact, read_manifest
from transforms.challenger import write_challenger
from transforms.conformance import batch_of, faults
from transforms.discovery import discover
from transforms.kinds import TOXICITY
from transforms.strategies.perspective import ENDPOINT
from transforms.strategy import Context, Strategy
from transforms.timeline_file import artifact_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED = discover().strategies


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Strategy]]:
    """Every strategy that ships, the remote one on a server of its service's shape."""
    followed = tmp_path_factory.mktemp("followed")
    with running() as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENDPOINT, service.url)
        strategies = {key: declared() for key, declared in SHIPPED.items()}
        default = find_artifact("default")
        digest = read_manifest(default)[1]
        artifact_folder(followed, digest).symlink_to(default)
        for task in ("sentiment", "toxicity", "stance"):
            write_challenger(followed, task, digest)
        options = {"challenger": {"timeline": str(followed)}}
        for strategy in strategies.values():
            strategy.open(Context(find_artifact("default"), options.get(strategy.name, {})))
            assert strategy.ready()
        yield strategies
        for strategy in strategies.values():
            strategy.close()


@pytest.mark.parametrize("key", SHIPPED)
def test_hostile_texts(key: tuple[str, str], opened: dict[tuple[str, str], Strategy]) -> None:
    """Every strategy that ships conforms on the hostile texts."""
    assert faults(opened[key]) == []


@pytest.mark.parametrize("key", SHIPPED)
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), min_size=1, max_size=5))
def test_any_texts(key: tuple[str, str], opened: dict[tuple[str, str], Strategy], texts: list[str]) -> None:
    """Every strategy that ships conforms on any texts."""
    assert faults(opened[key], texts) == []


class _Counts(Strategy):
    kind, name, type = "cluster", "counts", pa.string()

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        return pa.array([str(batch.num_rows)] * batch.num_rows, pa.string())


class _Raises(Strategy):
    kind, name, type = "cluster", "raises", pa.string()

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        raise KeyError(batch.num_rows)


def test_a_row_that_depends_on_its_batch_is_found() -> None:
    """The check tells a strategy that looks at its batch, and one that raises."""
    assert faults(_Counts(), ["a", "b"]) == [
        "gives 1 for 'a' alone and 2 in a batch",
        "gives 1 for 'b' alone and 2 in a batch",
    ]
    assert faults(_Raises(), ["a"]) == ["raised KeyError: 1"]


class _Half(Strategy):
    kind, name, type = "toxicity", "half", TOXICITY
    unsaid: float | None = math.nan

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        row = {"probability": 0.5, "toxic": 1, "hate": self.unsaid, "offensive": self.unsaid, "model": ""}
        return pa.array([row] * batch.num_rows, self.type)


def test_what_is_not_known_is_nan() -> None:
    """A strategy may leave a probability unsaid by NaN, not by null."""
    strategy = _Half()
    assert faults(strategy, ["a", "b"]) == []
    strategy.unsaid = None
    assert faults(strategy, ["a", "b"]) == ["gave null for 4 of 2 rows"]


@pytest.mark.parametrize("name", ["perspective", "bag"])
def test_who_knows_toxicity_alone_says_so(name: str, opened: dict[tuple[str, str], Strategy]) -> None:
    """The service knows nothing of hate and offence, the model does."""
    (row,) = opened["toxicity", name].analyze(batch_of(["xx"])).to_pylist()
    assert math.isnan(row["hate"]) == math.isnan(row["offensive"]) == (name == "perspective")


class _Drifts(Strategy):
    kind, name, type = "drift", "drifts", pa.float64()
    step = 1e-3

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        return pa.array([self.step * batch.num_rows] * batch.num_rows, pa.float64())


def test_rounding_is_no_fault() -> None:
    """Numbers may differ by what sums lose, and by no more."""
    strategy = _Drifts()
    assert len(faults(strategy, ["a", "b"])) == 2
    strategy.step = 1e-9
    assert faults(strategy, ["a", "b"]) == []
