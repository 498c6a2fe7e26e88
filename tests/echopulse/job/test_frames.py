"""Tables by their file's ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from echopulse.job.frames import frame_bytes, read_frame
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pd.DataFrame({"channel_id": ["007", 'ü,"x"'], "n": [1, 2]})


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_table_comes_back_as_it_was(form: str, tmp_path: Path) -> None:
    """Types and texts."""
    path = tmp_path / f"table.{form}"
    path.write_bytes(frame_bytes(FRAME, path.name))
    pd.testing.assert_frame_equal(read_frame(path), FRAME)


def test_csv_is_texts(tmp_path: Path) -> None:
    """A key of digits keeps its zeros."""
    path = tmp_path / "table.csv"
    path.write_bytes(frame_bytes(FRAME, path.name))
    pd.testing.assert_frame_equal(read_frame(path), FRAME.astype(str))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"", "'{path}' ends in '.xlsx' (it takes .parquet, .csv, .jsonl)"),
        ("a.parquet", b"PAR1", "{path}: cannot be read: "),
        ("a.jsonl", b"{", "{path}: cannot be read: "),
        ("a.csv", None, "{path} does not exist"),
    ],
)
def test_what_is_no_table_is_told(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    """In one line that names the file."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EchoPulseError) as raised:
        read_frame(path)
    assert str(raised.value).startswith(message.format(path=path))
    assert "\n" not in str(raised.value)
