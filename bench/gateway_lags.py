"""`python -m bench.gateway_lags FILE ARGUMENT…`: the command line, writing down how late each event was acknowledged.

What the gateway keeps of lags are the buckets of /metrics; here each one is kept, so that a quantile is one of them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from echopulse.cli.main import main
from echopulse.gateway.source_figures import SourceFigures
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: An event's time and that of its acknowledgement.
_RECORD_BYTES = 16
_DEADLINE_S, _POLL_S = 60.0, 0.01


def record(path: Path) -> None:
    """From now on, write each event's time and that of its acknowledgement, both ms UTC, to the end of a file."""
    counted = SourceFigures.observe

    def observe(self: SourceFigures, stamps_ms: Sequence[int] | NDArray[np.int64], now_ms: int) -> None:
        counted(self, stamps_ms, now_ms)
        stamps = np.asarray(stamps_ms, np.int64)
        with path.open("ab") as file:
            np.column_stack([stamps, np.full(len(stamps), now_ms)]).tofile(file)

    SourceFigures.observe = observe  # type: ignore[method-assign] # every one of this process


async def acknowledged(path: Path, events: int) -> int:
    """Wait until so many events are written; return when the last of them was acknowledged, in ms UTC.

    Reading /metrics instead would cost both processes a tenth of what is measured. Raises EchoPulseError after 60 s.
    """
    deadline = time.monotonic() + _DEADLINE_S
    while (written := _written(path)) < events:
        if time.monotonic() > deadline:
            raise EchoPulseError(f"{written:,} of {events:,} events were acknowledged")
        await asyncio.sleep(_POLL_S)
    return int(np.fromfile(path, np.int64, count=2, offset=(events - 1) * _RECORD_BYTES)[1])


def _written(path: Path) -> int:
    return path.stat().st_size // _RECORD_BYTES if path.exists() else 0


def lags_ms(path: Path, since_ms: int) -> NDArray[np.int64]:
    """Return the lags of the events of that time or later."""
    stamps, acknowledged = np.fromfile(path, np.int64).reshape(-1, 2).T
    lags: NDArray[np.int64] = (acknowledged - stamps)[stamps >= since_ms]
    return lags


if __name__ == "__main__":
    record(Path(sys.argv.pop(1)))
    main()
