"""Where a source goes on after the process: a file, replaced as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ResumeFile:
    """Holds one text. An older one costs repeats, which are dropped by event id, never a loss."""

    def __init__(self, path: Path) -> None:
        """Keep the path; its folder is made on the first write."""
        self._path, self._written = path, ""

    @staticmethod
    def read_from(path: Path) -> str:
        """Return what the file holds, nothing where there is none."""
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def read(self) -> str:
        """Return the text, '' where there is none yet."""
        self._written = self.read_from(self._path)
        return self._written

    def write(self, text: str) -> None:
        """Replace it; nothing is done for '' or what it holds already."""
        if not text or text == self._written:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self._path)
        self._written = text
