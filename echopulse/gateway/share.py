"""Which sources of a configuration one of several processes runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from zlib import crc32

from schemas.errors import UsageError


@dataclass(frozen=True)
class Share:
    """The sources of process `number`, counted from 0, of so many.

    By a hash of the name: a source stays in its process, and with its spool, whatever others come and go.
    """

    number: int = 0
    of: int = 1

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `str` wrote. Raises UsageError."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
            raise UsageError(f"'{text}' is no share", "like 0/4, the first of four")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        """Return it as text."""
        return f"{self.number}/{self.of}"

    def holds(self, source: str) -> bool:
        """Whether a source is among them."""
        return crc32(source.encode()) % self.of == self.number
