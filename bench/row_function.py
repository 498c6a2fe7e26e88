"""The job's analysis as a row-at-a-time Python function: what PyFlink's plain scalar functions are."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from pyflink.common import Row
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from pipelines.functions import EXCHANGED_ROW, Analyse
from schemas.arrow import EXCHANGED
from transforms.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

_COLUMNS = EXCHANGED.names[:-1]


class AnalyseRow(ScalarFunction):  # type: ignore[misc] # PyFlink ships no types
    """Bytes and record time of one record in, its ROW of EXCHANGED out."""

    def __init__(self, strategies: Mapping[str, str]) -> None:
        """Keep the vectorised function, for what it does to the worker when it opens."""
        self._vectorised = Analyse(Selection(dict(strategies)))

    def open(self, function_context: FunctionContext) -> None:
        """Load the models, once a worker."""
        self._vectorised.open(function_context)
        # Imports numba, which a worker cannot before the line above.
        from bench.row_analysis import RowAnalyser, result_datum  # noqa: PLC0415

        self._analyser, self._result_datum = RowAnalyser(), result_datum

    def eval(self, value: bytes, record_time: datetime) -> Row:
        """Analyse one record."""
        aware = record_time if record_time.tzinfo else record_time.replace(tzinfo=UTC)
        record_ms = round(aware.timestamp() * 1000)
        row = self._analyser.analyse(value, record_ms)
        return Row(*(row[name] for name in _COLUMNS), self._result_datum(row, record_ms))


def row_function(strategies: Mapping[str, str]) -> UserDefinedScalarFunctionWrapper:
    """Return the analysis as a plain Flink function with the vectorised one's signature."""
    return udf(AnalyseRow(strategies), result_type=EXCHANGED_ROW)
