"""Every shipped strategy conforms, and the check finds those that do not."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.artifact import find_artifact
from transforms.conformance import faults
from transforms.discovery import discover
from transforms.strategy import Context, Strategy

SHIPPED = discover().strategies


def _opened(key: tuple[str, str]) -> Strategy:
    strategy = SHIPPED[key]()
    strategy.open(Context(find_artifact("default")))
    return strategy


OPENED = {key: _opened(key) for key in SHIPPED}


@pytest.mark.parametrize("key", SHIPPED)
def test_hostile_texts(key: tuple[str, str]) -> None:
    """Every strategy that ships conforms on the hostile texts."""
    assert faults(OPENED[key]) == []


@pytest.mark.parametrize("key", SHIPPED)
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), min_size=1, max_size=5))
def test_any_texts(key: tuple[str, str], texts: list[str]) -> None:
    """Every strategy that ships conforms on any texts."""
    assert faults(OPENED[key], texts) == []


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
