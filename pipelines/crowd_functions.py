"""The Python functions behind the digests: panes to tables, tables to trends and health, samples to conversations."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from pipelines.arrow_exchange import from_arrow, to_arrow

if TYPE_CHECKING:
    import pandas as pd
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

_NICENESS = 10
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
    """A function that keeps nothing between calls: what must last is in Flink's windows."""

    def __init__(self, pane_ms: int) -> None:
        """Keep the length of a pane, in ms."""
        self._pane_ms = pane_ms

    def open(self, function_context: FunctionContext) -> None:
        """Load the kernels, once a worker."""
        del function_context
        # Trends may come a second later, features may not, and both are made when the same panes end.
        os.nice(_NICENESS)
        # As in pipelines.functions: numba must find the worker's own `print` where that says it is.
        setattr(sys.modules[print.__module__], print.__name__, print)
        from transforms import crowd_records

        self._records = crowd_records


class DescribePanes(_Crowd):
    """The digests of each pane in; its table of terms, a sample of its digests and its number of messages out."""

    def eval(self, digests: pd.Series) -> pd.Series:
        """Describe a batch of panes."""
        return from_arrow(self._records.describe_panes(to_arrow(digests, _BYTES), self._pane_ms))


class MergeScopes(_Crowd):
    """The tables of one pane of all channels in, one table out."""

    def eval(self, tables: pd.Series) -> pd.Series:
        """Merge a batch of panes."""
        from transforms.crowd_tables import merge_tables

        return from_arrow(merge_tables(to_arrow(tables, _BYTES)))


class DescribeScopes(_Crowd):
    """A scope and the tables of its last minutes in, the datums of its trends and health out."""

    def eval(self, scope: pd.Series, tables: pd.Series) -> pd.Series:
        """Describe a batch of scopes."""
        names = to_arrow(scope, pa.string())
        return from_arrow(self._records.describe_scopes(names, to_arrow(tables, _BYTES), self._pane_ms))


class DescribeConversations(_Crowd):
    """A channel, the end of its window, the samples of its panes and its number of messages in, one datum out."""

    def eval(self, channel: pd.Series, end: pd.Series, samples: pd.Series, messages: pd.Series) -> pd.Series:
        """Describe a batch of windows."""
        ends = to_arrow(end, pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
        totals = to_arrow(messages, pa.int64()).to_numpy()
        channels = to_arrow(channel, pa.string())
        # A window's row time is the last millisecond in it.
        return from_arrow(self._records.describe_conversations(channels, ends + 1, to_arrow(samples, _BYTES), totals))


def crowd_functions(pane_ms: int) -> dict[str, UserDefinedScalarFunctionWrapper]:
    """Return the functions by the names that the statements call them by."""
    typed = {
        "crowd_pane": (DescribePanes, _PANE_ROW),
        "crowd_merge": (MergeScopes, DataTypes.BYTES()),
        "crowd_scope": (DescribeScopes, _SCOPE_ROW),
        "crowd_conversations": (DescribeConversations, DataTypes.BYTES()),
    }
    return {name: udf(kind(pane_ms), result_type=row, func_type="pandas") for name, (kind, row) in typed.items()}
