"""The two Python functions of the job: the analysis pass, and the writer of the online store."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from features.machinery.view_spec import EVENT_TIMESTAMP
from pipelines.arrow_exchange import from_arrow, to_arrow
from pipelines.freshness import Freshness
from pipelines.precedence import PRECEDENCE
from pipelines.retry_log import log_retries
from pipelines.scored_spans import ScoredSpans
from pipelines.spans import flush, is_wanted
from schemas.arrow import EXCHANGED, exchanged
from schemas.avro_columns import encode_analysis, encode_shadow

if TYPE_CHECKING:
    import pandas as pd
    from pyflink.table.types import DataType
    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

    from features.machinery.connection import OnlineStoreSettings
    from features.machinery.online_writer import OnlineWriter
    from features.machinery.view_spec import ViewSchema
    from pipelines.freshness import FreshnessSettings
    from transforms.selection import Selection

_FLINK_TYPES: dict[pa.DataType, DataType] = {
    pa.string(): DataTypes.STRING(),
    pa.float64(): DataTypes.DOUBLE(),
    pa.int32(): DataTypes.INT(),
    pa.int64(): DataTypes.BIGINT(),
    pa.binary(): DataTypes.BYTES(),
    pa.list_(pa.binary()): DataTypes.ARRAY(DataTypes.BYTES()),
}


def exchanged_row(schema: pa.Schema) -> DataType:
    """Return the Flink row of the columns that the analysis pass gives."""
    return DataTypes.ROW([DataTypes.FIELD(field.name, _FLINK_TYPES[field.type]) for field in schema])


#: The row that the analysis function returns where nothing runs in shadow.
EXCHANGED_ROW = exchanged_row(EXCHANGED)


class Analyse(ScalarFunction):  # type: ignore[misc] # PyFlink ships no types
    """Bytes and record time of records in, one ROW of EXCHANGED with what is asked for beside it a record out."""

    def __init__(self, selection: Selection, crowd_pane_ms: int = 0) -> None:
        """Keep what the worker opens its strategies by, and the length of the crowd's panes, 0 for no digests."""
        self._selection = selection
        self._crowd_pane_ms = crowd_pane_ms
        self._has_shadow = any(selection.shadow.values())

    @property
    def schema(self) -> pa.Schema:
        """The columns of a row."""
        return exchanged(shadow=self._has_shadow, digest=self._crowd_pane_ms > 0)

    def open(self, function_context: FunctionContext) -> None:
        """Load the models, once a worker."""
        del function_context
        # PyFlink's worker replaces `print` by a function of its own that its module does not show under that name;
        # numba, which types every builtin by module and name, cannot be imported until it does.
        setattr(sys.modules[print.__module__], print.__name__, print)
        from transforms.analysis import Analyser
        from transforms.digest import write_digests

        log_retries()
        self._write_digests = write_digests
        self._analyser = Analyser.of(self._selection)
        self._analyser.open()
        self._spans = ScoredSpans.of(self._selection) if is_wanted() else None

    def close(self) -> None:
        """Let the strategies hang up."""
        self._analyser.close()
        if self._spans is not None:
            self._spans.tell()
            flush()

    def eval(self, value: pd.Series, record_time: pd.Series) -> pd.Series:
        """Analyse a batch; a record that cannot be analysed is a row with its stage and reason."""
        values = to_arrow(value, pa.binary())
        times = to_arrow(record_time, pa.timestamp("ms", "UTC")).cast(pa.int64())
        PRECEDENCE.give_way()
        analysis = self._analyser.analysis(values, times)
        if self._spans is not None:
            self._spans.observe(analysis.rows, times)
        columns = [analysis.rows.column(name) for name in EXCHANGED.names[:-1]]
        columns.append(encode_analysis(analysis.rows, times))
        if self._has_shadow:
            columns.append(encode_shadow(analysis.rows, analysis.shadow, times))
        if self._crowd_pane_ms:
            columns.append(self._write_digests(analysis.rows, times.to_numpy(), self._crowd_pane_ms))
        return from_arrow(pa.StructArray.from_arrays(columns, fields=list(self.schema)))


class WriteOnline(ScalarFunction):  # type: ignore[misc] # PyFlink ships no types
    """A batch of feature rows into the online store; returns the wall time of the write, in ms UTC, for each row."""

    def __init__(
        self, view: ViewSchema, store: OnlineStoreSettings, freshness: FreshnessSettings | None = None
    ) -> None:
        """Keep the view's columns and the store's address; the connection is made in the worker."""
        self._view = view
        self._store = store
        self._freshness = Freshness(view.name, freshness) if freshness is not None else None
        self._writer: OnlineWriter | None = None

    def open(self, function_context: FunctionContext) -> None:
        """Connect, once a worker."""
        from features.machinery.online_writer import OnlineWriter

        del function_context
        log_retries()
        self._writer = OnlineWriter(self._store)

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()

    def is_deterministic(self) -> bool:
        """Say that the call has an effect, so that the planner neither drops nor repeats it."""
        return False

    def eval(self, *columns: pd.Series | float | str | None) -> pd.Series:
        """Write the rows, whose columns come in the view's order: join keys, features, event timestamp.

        A feature that is the same in all rows may come as its value alone, as PyFlink passes a literal.
        """
        if self._writer is None:
            message = f"the writer of {self._view.name} was called before open()"
            raise RuntimeError(message)
        schema = row_schema(self._view)
        rows = len(cast("pd.Series", columns[0]))
        batch = pa.RecordBatch.from_arrays(
            [_column(column, field.type, rows) for column, field in zip(columns, schema, strict=True)],
            schema=schema,
        )
        with PRECEDENCE.writing():
            self._writer.write(self._view, batch)
        written_ms = time.time_ns() // 1_000_000
        if self._freshness is not None:
            ends = batch.column(EVENT_TIMESTAMP).cast(pa.int64()).to_numpy(zero_copy_only=False)
            self._freshness.observe(ends, written_ms)
        return from_arrow(pa.array(np.full(batch.num_rows, written_ms)))


def _column(values: pd.Series | float | str | None, type_: pa.DataType, rows: int) -> pa.Array:
    if values is None or isinstance(values, int | float | str):
        return pa.repeat(pa.scalar(values, type_), rows)
    return to_arrow(values, type_)


def row_schema(view: ViewSchema) -> pa.Schema:
    """Return the Arrow schema of a view's feature rows: join keys, features, event timestamp in ms UTC."""
    typed = [(column.name, pa.type_for_alias(column.type)) for column in (*view.join_keys, *view.features)]
    return pa.schema([*typed, (EVENT_TIMESTAMP, pa.timestamp("ms", "UTC"))])


def analyse_function(selection: Selection, crowd_pane_ms: int = 0) -> UserDefinedScalarFunctionWrapper:
    """Return the analysis pass as a vectorised Flink function; with digests where `crowd_pane_ms` is above 0."""
    function = Analyse(selection, crowd_pane_ms)
    return udf(function, result_type=exchanged_row(function.schema), func_type="pandas")


def write_function(
    view: ViewSchema, store: OnlineStoreSettings, freshness: FreshnessSettings | None = None
) -> UserDefinedScalarFunctionWrapper:
    """Return the online writer of one view as a vectorised Flink function, which measures freshness where asked."""
    return udf(WriteOnline(view, store, freshness), result_type=DataTypes.BIGINT(), func_type="pandas")
