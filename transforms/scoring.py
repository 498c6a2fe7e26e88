"""Run strategies over a batch of texts: outputs checked, rows that break a strategy told apart from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.strategy import Strategy

#: Calls that a batch may cost a strategy that breaks on it, before the rows not yet tried are given up with it.
MAX_CALLS = 64


class OutputError(Exception):
    """A strategy gave something else than one value of its type a row."""


@dataclass(frozen=True)
class Scored:
    """A strategy's values for the rows it could analyse (ascending), and the reasons for those it could not."""

    values: pa.Array
    rows: NDArray[np.int64]
    failures: dict[int, str]


def score(strategy: Strategy, batch: pa.RecordBatch) -> Scored:
    """Analyse a batch; where the strategy breaks on it, halve it until the rows at fault stand alone."""
    parts: list[pa.Array] = []
    rows: list[NDArray[np.int64]] = []
    failures: dict[int, str] = {}
    spans = [(0, batch.num_rows)]
    calls = 0
    while spans:
        start, stop = spans.pop()
        calls += 1
        part = batch if stop - start == batch.num_rows else batch.slice(start, stop - start)
        try:
            parts.append(checked(strategy, part))
            rows.append(np.arange(start, stop))
        except Exception as error:  # noqa: BLE001 - a user's strategy may raise anything; it becomes these rows' reason
            if stop - start > 1 and calls < MAX_CALLS:
                middle = (start + stop) // 2
                spans += [(middle, stop), (start, middle)]
            else:
                reason = f"{strategy.kind} by '{strategy.name}': {type(error).__name__}: {error}"
                failures.update(dict.fromkeys(range(start, stop), reason))
    if len(parts) == 1 and not failures:
        return Scored(parts[0], rows[0], failures)
    values = pa.concat_arrays(parts) if parts else pa.array([], strategy.type)
    return Scored(values, np.concatenate(rows) if rows else np.zeros(0, np.int64), failures)


def checked(strategy: Strategy, batch: pa.RecordBatch) -> pa.Array:
    """Analyse a batch and check the output's type, length and nulls; raises OutputError."""
    output = strategy.analyze(batch)
    if not isinstance(output, pa.Array):
        raise OutputError(f"gave {type(output).__name__}, not a pyarrow.Array")
    if output.type != strategy.type:
        raise OutputError(f"gave {output.type}, declared {strategy.type}")
    if len(output) != batch.num_rows:
        raise OutputError(f"gave {len(output)} values for {batch.num_rows} rows")
    nulls = output.null_count + (
        sum(child.null_count for child in output.flatten()) if pa.types.is_struct(output.type) else 0
    )
    if nulls:
        raise OutputError(f"gave null for {nulls} of {batch.num_rows} rows")
    return output
