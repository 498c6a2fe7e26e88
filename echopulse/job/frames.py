"""Tables that a person brings or takes away: Parquet, CSV or JSON lines, by the file's ending."""

from __future__ import annotations

from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FORMS = (".parquet", ".csv", ".jsonl")


def read_frame(path: Path) -> pd.DataFrame:
    """Read a table; all columns of CSV are texts, as they are written.

    Raises EchoPulseError where the file is missing or not what its ending says, UsageError for another ending.
    """
    form = _form(str(path))
    try:
        if form == ".parquet":
            return pd.read_parquet(path)
        if form == ".csv":
            return pd.read_csv(path, dtype=str, keep_default_na=False)
        return pd.read_json(path, lines=True, convert_dates=False, dtype=False)
    except FileNotFoundError as error:
        raise EchoPulseError(f"{path} does not exist") from error
    except (ValueError, OSError, pa.ArrowInvalid) as error:
        raise EchoPulseError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def frame_bytes(frame: pd.DataFrame, name: str) -> bytes:
    """Write a table in the form that a name's ending says. Raises UsageError for another ending."""
    form = _form(name)
    if form == ".csv":
        return frame.to_csv(index=False).encode()
    if form == ".jsonl":
        return frame.to_json(orient="records", lines=True, date_format="iso", force_ascii=False).encode()
    sink = BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    return sink.getvalue()


def _form(name: str) -> str:
    form = PurePath(name).suffix
    if form not in _FORMS:
        raise UsageError(f"'{name}' ends in '{form}'", f"it takes {', '.join(_FORMS)}")
    return form
