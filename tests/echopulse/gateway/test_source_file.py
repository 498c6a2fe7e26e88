"""Files found, decompressed and cut into blocks."""

from __future__ import annotations

import bz2
import gzip
import io
import sys
from pathlib import Path

import pytest

from echopulse.gateway import source_file as module
from echopulse.gateway.source_file import source_file
from schemas.errors import EchoPulseError, UsageError

CONTENT = b"".join(b"line %d %s\n" % (number, b"x" * (number % 700)) for number in range(9000))


@pytest.mark.parametrize(
    ("name", "packed"),
    [("a.jsonl", CONTENT), ("a.csv.gz", gzip.compress(CONTENT)), ("A.JSONL.BZ2", bz2.compress(CONTENT))],
)
def test_content_comes_in_blocks_that_end_at_lines(tmp_path: Path, name: str, packed: bytes) -> None:
    """Compressed or not, all blocks together are the file."""
    (tmp_path / name).write_bytes(packed)
    file = source_file(tmp_path / name)
    blocks = list(file.blocks())
    assert len(blocks) > 1
    assert b"".join(blocks) == CONTENT
    assert all(block.endswith(b"\n") for block in blocks)
    assert file.position == file.size == len(packed)
    assert file.rereadable


def test_the_last_line_needs_no_end_and_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    """What is after the last newline is a line."""
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbfa\nb")
    assert b"".join(source_file(tmp_path / "a.jsonl").blocks()) == b"a\nb"
    (tmp_path / "b.jsonl").write_bytes(b"")
    assert list(source_file(tmp_path / "b.jsonl").blocks()) == []


def test_a_line_beyond_the_limit_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning comes as a block without an end, its rest is passed over, and the lines after it come."""
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 2 << 20)
    (tmp_path / "a.jsonl").write_bytes(b"first\n" + b"y" * (5 << 20) + b"\nlast\n")
    assert list(source_file(tmp_path / "a.jsonl").blocks()) == [b"first\n", b"y" * (2 << 20), b"last\n"]


def test_standard_input_is_jsonl(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be read once."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\n")))
    file = source_file(Path("-"))
    assert (file.form, file.name, file.rereadable) == ("jsonl", "stdin", False)
    assert list(file.blocks()) == [b"a\nb\n"]


def test_a_truncated_archive_is_told(tmp_path: Path) -> None:
    """It is no end of the file."""
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(CONTENT)[:-50])
    with pytest.raises(EchoPulseError, match=r"a\.jsonl\.gz cannot be read: "):
        list(source_file(tmp_path / "a.jsonl.gz").blocks())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jsnl", "has the unknown ending '.jsnl' to tell its form (did you mean '.jsonl'?)"),
        ("a.parquet.gz", "has the unknown ending '.parquet.gz' to tell its form (did you mean"),
        ("a", "has no ending to tell its form (known: .jsonl, .ndjson, .csv, .parquet, .jsonl.gz"),
    ],
)
def test_an_unknown_ending_is_a_wrong_call(tmp_path: Path, name: str, message: str) -> None:
    """The near miss is named."""
    with pytest.raises(UsageError) as raised:
        source_file(tmp_path / name)
    assert message in str(raised.value)


def test_a_missing_file_is_told_with_the_near_miss(tmp_path: Path) -> None:
    """So are a folder, an empty folder and a missing one."""
    (tmp_path / "chat.jsonl").write_bytes(b"")
    (tmp_path / "folder.csv").mkdir()
    for path, message in (
        (tmp_path / "chatt.jsonl", "chatt.jsonl does not exist (did you mean 'chat.jsonl'?)"),
        (tmp_path / "folder.csv", "folder.csv is a folder (name a file in it)"),
        (tmp_path / "folder.csv" / "x.csv", "folder.csv is empty)"),
        (tmp_path / "none" / "x.csv", f"there is no folder {tmp_path / 'none'})"),
    ):
        with pytest.raises(EchoPulseError) as raised:
            source_file(path)
        assert str(raised.value).endswith(message)
