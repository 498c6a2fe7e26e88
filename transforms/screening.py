"""What becomes of each record of a batch: read, refused at a stage with a reason, or a heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import constant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

STAGES = ("", "decode", "validate", "time", "extract", "analyse", "heartbeat")
HEARTBEAT = "heartbeat"

#: Event times outside [1990, 2100) are taken for faults of a clock or a unit, whatever the topic lets through.
EARLIEST_MS = 631_152_000_000
LATEST_MS = 4_102_444_800_000


class Outcome:
    """The stage and the reason of each row of a batch; the first stage that refuses a row keeps it."""

    def __init__(self, rows: int) -> None:
        self._stages = np.zeros(rows, np.int8)
        self._reasons: dict[int, str] = {}

    @property
    def passed(self) -> NDArray[np.bool_]:
        """Whether each row got through so far."""
        passed: NDArray[np.bool_] = self._stages == 0
        return passed

    def refuse(self, rows: Sequence[int] | NDArray[np.int64], stage: str, reason: Callable[[int], str] | str) -> None:
        """Refuse rows at a stage, for a reason or for what `reason` says of the i-th of them."""
        # A loop over the refused rows alone: each has a reason of its own.
        code = STAGES.index(stage)
        for index, row in enumerate(rows):
            if self._stages[row] == 0:
                self._stages[row] = code
                self._reasons[int(row)] = reason if isinstance(reason, str) else reason(index)

    def stages(self) -> pa.StringArray:
        """Return each row's stage, '' for a row that got through."""
        if not self._stages.any():
            return constant("", len(self._stages), pa.string())
        return pa.array(STAGES).take(pa.array(self._stages))

    def reasons(self) -> pa.StringArray:
        """Return each row's reason, '' for a row that got through."""
        reasons = constant("", len(self._stages), pa.string())
        if not self._reasons:
            return reasons
        rows = sorted(self._reasons)
        mask = np.zeros(len(self._stages), np.bool_)
        mask[rows] = True
        return pc.replace_with_mask(
            reasons, pa.array(mask), pa.array([self._reasons[row] for row in rows], pa.string())
        )


def screen(
    events: pa.RecordBatch,
    kinds: pa.StringArray,
    record_ts_ms: NDArray[np.int64],
    rows: NDArray[np.int64],
    outcome: Outcome,
) -> None:
    """Refuse heartbeats, events without id or channel, and times that are missing, implausible or not the record's.

    `events` (schema EVENT), `kinds` and `record_ts_ms` (ms UTC) have an entry for each of `rows`.
    """
    channels = pc.binary_length(events.column("channel_id")).to_numpy()
    ids = pc.binary_length(events.column("id")).to_numpy()
    # The gateway's heartbeats belong to no channel: nobody's message can pass for one and vanish.
    beats = pc.equal(kinds, HEARTBEAT).to_numpy(zero_copy_only=False) & (channels == 0)
    outcome.refuse(rows[beats], "heartbeat", "")
    outcome.refuse(rows[(ids == 0) & ~beats], "validate", "id is empty")
    outcome.refuse(rows[(channels == 0) & ~beats], "validate", "channel_id is empty")
    times = events.column("ts")
    missing = pc.is_null(times).to_numpy(zero_copy_only=False)
    outcome.refuse(rows[missing & ~beats], "time", "ts is missing")
    event_ts_ms = pc.fill_null(times.cast(pa.int64()), 0).to_numpy()
    implausible = ((event_ts_ms < EARLIEST_MS) | (event_ts_ms >= LATEST_MS)) & ~beats
    at = np.flatnonzero(implausible)
    outcome.refuse(rows[at], "time", lambda index: f"ts {_told(event_ts_ms[at[index]])} is not between 1990 and 2100")
    apart = np.flatnonzero((event_ts_ms != record_ts_ms) & ~beats)
    outcome.refuse(
        rows[apart],
        "time",
        lambda index: (
            f"ts {_told(event_ts_ms[apart[index]])} is not the record's time {_told(record_ts_ms[apart[index]])}"
        ),
    )


def _told(milliseconds: np.int64) -> str:
    return str(np.datetime64(int(milliseconds), "ms")) + "Z"
