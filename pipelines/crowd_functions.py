"""The Python functions behind the digests: panes to tables, tables to trends and health, samples to conversations."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING

import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from pipelines.arrow_exchange import from_arrow, to_arrow

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    import pandas as pd
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

_NICENESS = 10
_TIMEOUT_S = 120
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
    """A channel, the end of its window, the samples of its panes and its number of messages in, one datum out.

    It works in a process of its own, which gives way to all others. Operators of a slot share one Python worker, and
    conversations are described when the minute's features are written: a second of computing would keep these waiting.
    """

    def __init__(self, pane_ms: int) -> None:
        """Keep the length of a pane, in ms; the process is begun in the worker."""
        super().__init__(pane_ms)
        self._pool: ProcessPoolExecutor | None = None

    def open(self, function_context: FunctionContext) -> None:
        """Begin the process, once a worker."""
        super().open(function_context)
        # Spawned: a fork of a worker would hold its threads' locks.
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_give_way)

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def eval(self, channel: pd.Series, end: pd.Series, samples: pd.Series, messages: pd.Series) -> pd.Series:
        """Describe a batch of windows. Raises TimeoutError where that takes minutes."""
        if self._pool is None:
            message = "conversations were asked for before open()"
            raise RuntimeError(message)
        ends = to_arrow(end, pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
        totals = to_arrow(messages, pa.int64()).to_numpy()
        channels = to_arrow(channel, pa.string())
        # A window's row time is the last millisecond in it.
        described = self._pool.submit(
            self._records.describe_conversations, channels, ends + 1, to_arrow(samples, _BYTES), totals
        )
        return from_arrow(described.result(timeout=_TIMEOUT_S))


def _give_way() -> None:
    """Take the processor only where no other wants it, and end with the worker, also where that is killed."""
    os.nice(_NICENESS)
    if (worker := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(worker,), daemon=True).start()


def _end_with(worker: BaseProcess) -> None:
    worker.join()
    os._exit(0)


def crowd_functions(pane_ms: int) -> dict[str, UserDefinedScalarFunctionWrapper]:
    """Return the functions by the names that the statements call them by."""
    typed = {
        "crowd_pane": (DescribePanes, _PANE_ROW),
        "crowd_merge": (MergeScopes, DataTypes.BYTES()),
        "crowd_scope": (DescribeScopes, _SCOPE_ROW),
        "crowd_conversations": (DescribeConversations, DataTypes.BYTES()),
    }
    return {name: udf(kind(pane_ms), result_type=row, func_type="pandas") for name, (kind, row) in typed.items()}
