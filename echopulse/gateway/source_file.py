"""The file that is replayed: found or not, its form by its name, decompressed on the way."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT = Path("-")
_FORMS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_BLOCK_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: A longer line is no chat event: its beginning becomes a dead letter that says so, and memory stays bounded.
MAX_LINE_BYTES = 64 << 20


@dataclass
class SourceFile:
    """A file to replay. `form` is jsonl, csv or parquet; `name` is what dead letters call it.

    `size` is in bytes as stored and `position` how many of them the pass in progress has read (for progress only).
    """

    path: Path
    form: str
    compression: str | None
    name: str
    size: int
    position: int = 0

    @property
    def rereadable(self) -> bool:
        """Whether it can be read twice; standard input and pipes cannot."""
        return self.path != STANDARD_INPUT and self.path.is_file()

    def blocks(self) -> Iterator[bytes]:
        """Read the decompressed content in blocks that end at a line's end. Raises EchoPulseError if it breaks off.

        A block is about 1 MiB, or one line where that is longer. Of a line longer than MAX_LINE_BYTES a block of
        exactly that length comes, without a line's end, and the rest of the line is passed over.
        """
        rest, passing_over = b"", False
        for stored in self._stored_blocks():
            block = stored
            if passing_over:
                _, end, block = stored.partition(b"\n")
                passing_over = not end
            head, end, tail = block.rpartition(b"\n")
            if end:
                yield rest + head + end
                rest = b""
            rest += tail
            if len(rest) >= MAX_LINE_BYTES:
                yield rest[:MAX_LINE_BYTES]
                rest, passing_over = b"", True
        if rest:
            yield rest

    def _stored_blocks(self) -> Iterator[bytes]:
        first = True
        try:
            with self._open() as stored, _decompressed(stored, self.compression) as stream:
                while block := stream.read(_BLOCK_BYTES):
                    # Standard input cannot tell its position; nothing asks for it there either.
                    self.position = stored.tell() if self.size else 0
                    yield block.removeprefix(_BYTE_ORDER_MARK) if first else block
                    first = False
        except (OSError, pa.ArrowInvalid) as error:
            raise EchoPulseError(f"{self.name} cannot be read: {error}") from error

    def _open(self) -> pa.NativeFile:
        if self.path == STANDARD_INPUT:
            return pa.PythonFile(sys.stdin.buffer, mode="r")
        return pa.OSFile(str(self.path), mode="r")


def _decompressed(stored: pa.NativeFile, compression: str | None) -> pa.NativeFile:
    return pa.CompressedInputStream(stored, compression) if compression else stored


def source_file(path: Path) -> SourceFile:
    """Find the file and its form: .jsonl, .csv or .parquet, the first two also .gz, .bz2, .zst; `-` is JSONL.

    Raises UsageError for a name of another form, EchoPulseError for a missing or unreadable file, each with the
    near miss.
    """
    if path == STANDARD_INPUT:
        return SourceFile(path, "jsonl", None, "stdin", 0)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = _COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    suffix = (suffixes[-2] if len(suffixes) > 1 else "") if compression else (suffixes[-1] if suffixes else "")
    form = _FORMS.get(suffix)
    if form is None or (compression and form == "parquet"):
        known = [*_FORMS, *(known + packed for known in _FORMS if known != ".parquet" for packed in _COMPRESSIONS)]
        ending = "".join(path.suffixes[-2:] if compression else path.suffixes[-1:])
        near = did_you_mean(ending.lower(), known) if ending else f"known: {', '.join(known)}"
        raise UsageError(
            f"{path} has {f'the unknown ending {ending!r}' if ending else 'no ending'} to tell its form", near
        )
    if path.is_dir():
        raise EchoPulseError(f"{path} is a folder", "name a file in it")
    if not path.exists():
        raise EchoPulseError(f"{path} does not exist", _near_file(path))
    return SourceFile(path, form, compression, str(path), path.stat().st_size if path.is_file() else 0)


def _near_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    return did_you_mean(path.name, names) if names else f"the folder {folder.resolve()} is empty"
