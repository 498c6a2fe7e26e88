"""The Python functions behind the digests: panes to tables, tables to trends and health, samples to conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from pipelines.arrow_exchange import from_arrow, to_arrow
from pipelines.aside import Aside

if TYPE_CHECKING:
    import pandas as pd
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

_ASIDE = Aside("transforms.crowd_records")
_BYTES = pa.list_(pa.binary())
_PANE_ROW = DataTypes.ROW(
    [
        DataTypes.FIELD("terms", DataTypes.BYTES()),
        DataTypes.FIELD("sample", DataTypes.BYTES()),
        DataTypes.FIELD("messages", DataTypes.BIGINT()),
    ]
)
_SCOPE_ROW = DataTypes.ROW([DataTypes.FIELD("trends", DataTypes.BYTES()), DataTypes.FIELD("health", DataTypes.BYTES())])


class _Crowd(ScalarFunction):  # type: ignore[misc] # PyFlink ships no types
    """A function that keeps nothing between calls: what must last is in Flink's windows.

    It computes in a process that gives way to all others. Operators of a slot share one Python worker, and the crowd is
    described when the minute's features are written: a second of computing would keep these waiting.
    """

    def __init__(self, pane_ms: int) -> None:
        """Keep the length of a pane, in ms; the process is begun in the worker."""
        self._pane_ms = pane_ms

    def open(self, function_context: FunctionContext) -> None:
        """Begin the process, where no other function of the worker has."""
        del function_context
        _ASIDE.enter()

    def close(self) -> None:
        """End the process, where no other function of the worker needs it."""
        _ASIDE.leave()


class DescribePanes(_Crowd):
    """The digests of each pane in; its table of terms, a sample of its digests and its number of messages out."""

    def eval(self, digests: pd.Series) -> pd.Series:
        """Describe a batch of panes. Raises TimeoutError where that takes minutes."""
        return from_arrow(
            _ASIDE.ask("transforms.crowd_records.describe_panes", to_arrow(digests, _BYTES), self._pane_ms)
        )


class MergeScopes(_Crowd):
    """The tables of one pane of all channels in, one table out."""

    def eval(self, tables: pd.Series) -> pd.Series:
        """Merge a batch of panes. Raises TimeoutError where that takes minutes."""
        return from_arrow(_ASIDE.ask("transforms.crowd_tables.merge_tables", to_arrow(tables, _BYTES)))


class DescribeScopes(_Crowd):
    """A scope and the tables of its last minutes in, the datums of its trends and health out."""

    def eval(self, scope: pd.Series, tables: pd.Series) -> pd.Series:
        """Describe a batch of scopes. Raises TimeoutError where that takes minutes."""
        names, minutes = to_arrow(scope, pa.string()), to_arrow(tables, _BYTES)
        return from_arrow(_ASIDE.ask("transforms.crowd_records.describe_scopes", names, minutes, self._pane_ms))


class DescribeConversations(_Crowd):
    """A channel, the end of its window, the samples of its panes and its number of messages in, one datum out."""

    def eval(self, channel: pd.Series, end: pd.Series, samples: pd.Series, messages: pd.Series) -> pd.Series:
        """Describe a batch of windows. Raises TimeoutError where that takes minutes."""
        ends = to_arrow(end, pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
        totals = to_arrow(messages, pa.int64()).to_numpy()
        channels = to_arrow(channel, pa.string())
        # A window's row time is the last millisecond in it.
        described = _ASIDE.ask(
            "transforms.crowd_records.describe_conversations", channels, ends + 1, to_arrow(samples, _BYTES), totals
        )
        return from_arrow(described)


def crowd_functions(pane_ms: int) -> dict[str, UserDefinedScalarFunctionWrapper]:
    """Return the functions by the names that the statements call them by."""
    typed = {
        "crowd_pane": (DescribePanes, _PANE_ROW),
        "crowd_merge": (MergeScopes, DataTypes.BYTES()),
        "crowd_scope": (DescribeScopes, _SCOPE_ROW),
        "crowd_conversations": (DescribeConversations, DataTypes.BYTES()),
    }
    return {name: udf(kind(pane_ms), result_type=row, func_type="pandas") for name, (kind, row) in typed.items()}
