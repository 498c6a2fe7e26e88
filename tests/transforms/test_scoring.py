"""Strategies run over batches: outputs checked, rows at fault told apart."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from transforms.conformance import batch_of
from transforms.scoring import MAX_CALLS, OutputError, checked, score
from transforms.strategy import Strategy


class _Echo(Strategy):
    kind, name, type = "cluster", "echo", pa.string()

    def __init__(self, output: Any = None) -> None:  # noqa: ANN401 - a wrong output of any kind
        self.output = output
        self.calls = 0

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        self.calls += 1
        if any("bad" in text for text in batch["text"].to_pylist()):
            raise ValueError("bad text")
        return batch["text"] if self.output is None else self.output


def test_bad_rows_stand_alone() -> None:
    """Rows that a strategy breaks on are found; the others keep their values and places."""
    scored = score(_Echo(), batch_of(["a", "bad 1", "b", "c", "bad 2"]))
    assert scored.values.to_pylist() == ["a", "b", "c"]
    assert scored.rows.tolist() == [0, 2, 3]
    assert sorted(scored.failures) == [1, 4]
    assert scored.failures[1] == "cluster by 'echo': ValueError: bad text"


def test_calls_are_bounded() -> None:
    """A strategy that breaks on everything is called a bounded number of times, and every row has its reason."""
    strategy = _Echo()
    scored = score(strategy, batch_of(["bad"] * 500))
    assert strategy.calls <= MAX_CALLS + 64
    assert len(scored.failures) == 500
    assert len(scored.values) == 0


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (["a"], "gave list"),
        (pa.array([1]), "gave int64, declared string"),
        (pa.array(["a", "b"]), "gave 2 values for 1 rows"),
        (pa.array([None], pa.string()), "gave null for 1 of 1"),
    ],
)
def test_outputs_are_checked(output: Any, told: str) -> None:  # noqa: ANN401 - a wrong output of any kind
    """A wrong type, length or null is told."""
    with pytest.raises(OutputError, match=told):
        checked(_Echo(output), batch_of(["a"]))
