"""What is told of a file before anything is sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.gateway.replay_formats import check_columns
from echopulse.gateway.source_file import STANDARD_INPUT, SourceFile, source_file
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS = {"id": ["1"], "ts": [1], "source": ["s"], "channel_id": ["c"], "user": ["u"], "raw": [""]}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_column_that_is_missing(form: str, tmp_path: Path) -> None:
    """The file, the column and the near miss are named; with the right mapping nothing is said."""
    path = tmp_path / f"chat.{form}"
    if form == "csv":
        path.write_text(",".join(_COLUMNS) + "\n1,1,s,c,u,{}\n")
    else:
        pq.write_table(pa.table(_COLUMNS), path)
    with pytest.raises(EchoPulseError) as raised:
        check_columns(source_file(path), {"channel": "chanel_id"})
    assert str(raised.value) == (
        f"{path} has no column 'chanel_id' for channel (did you mean 'channel_id'?; --map channel=COLUMN names another)"
    )
    check_columns(source_file(path), {"channel": "channel_id"})


def test_a_file_that_is_none_of_its_form(tmp_path: Path) -> None:
    """Named, with what the reader says."""
    (tmp_path / "chat.parquet").write_text("no")
    with pytest.raises(EchoPulseError, match=r"chat\.parquet cannot be read as Parquet: "):
        check_columns(source_file(tmp_path / "chat.parquet"), {})


def test_what_can_be_read_once_is_left_whole(tmp_path: Path) -> None:
    """Rows of a pipe would be lost to the replay; opening this one would wait for a writer for ever."""
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (STANDARD_INPUT, tmp_path / "pipe.csv"):
        check_columns(SourceFile(path, "csv", None, path.name, 0), {"id": "gone"})
