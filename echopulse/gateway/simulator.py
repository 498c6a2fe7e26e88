"""The simulator of communities: a written scenario as a seeded, endless stream of SocialEvent batches."""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.simulator_crowd import Crowd
from echopulse.gateway.simulator_kinds import draw_kinds
from echopulse.gateway.simulator_plan import PlantedPhase, Rates, components, ground_truth
from echopulse.gateway.simulator_texts import REACTION, SILENT, TextTables
from echopulse.gateway.simulator_voices import voices
from schemas.arrow import EVENT
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from echopulse.gateway.scenario import Scenario

__all__ = ["PlantedPhase", "Run", "Simulator", "ground_truth", "simulate"]

#: Rows of a batch at most; a slice of time is chosen so that it holds about as many at the scenario's peak.
BATCH_ROWS = 10_000
_SLICE_ROWS = 8_000
_LONGEST_SLICE_MS = 1_000


@dataclass(frozen=True)
class Run:
    """The settings of one run, as `simulate` takes them; without a seed its batches are those of seed 0.

    Raises UsageError for a rate or limit that is not above 0.
    """

    scenario: Scenario
    seed: int | None = None
    rate: float | None = None
    duration_s: float | None = None
    events: int | None = None

    def __post_init__(self) -> None:
        """Hold the numbers against their bounds."""
        for name, value in (("rate", self.rate), ("duration", self.duration_s), ("events", self.events)):
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} must be above 0 and finite, found {value}")
        if self.seed is not None and self.seed < 0:
            raise UsageError(f"seed must be 0 or above, found {self.seed}")

    def simulator(self) -> Simulator:
        """Compile the scenario (up to a second). Raises EchoPulseError for a template that cannot be filled."""
        return Simulator(self.scenario, seed=self.seed or 0, rate=self.rate)

    def batches(self, start_ms: int, simulator: Simulator | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the run's batches from `start_ms` (ms, UTC) on."""
        left = self.events
        for batch in (simulator or self.simulator()).batches(start_ms, self.duration_s):
            if left is None:
                yield batch
                continue
            yield batch.slice(0, left)
            left -= batch.num_rows
            if left <= 0:
                return


def simulate(
    scenario: Scenario,
    *,
    start_ms: int,
    seed: int = 0,
    rate: float | None = None,
    duration_s: float | None = None,
    events: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield batches in schema EVENT, ordered by time, of at most BATCH_ROWS rows; endless without a limit.

    `rate` is the mean number of events per second over a cycle (None: as the scenario says), `start_ms` the time of
    the first instant (ms, UTC), `duration_s` (seconds of event time) and `events` (rows) the limits. Scenario, seed
    and rate decide everything but the start: two runs give the same ids, users, texts and offsets.

    Raises UsageError for a number out of bounds, EchoPulseError for a template that cannot be filled.
    """
    return Run(scenario, seed, rate, duration_s, events).batches(start_ms)


class Simulator:
    """A scenario made ready to run: its tables of texts and users, its rates and the stem of its event ids."""

    def __init__(self, scenario: Scenario, *, seed: int, rate: float | None) -> None:
        """Compile the scenario. Raises EchoPulseError for a template that cannot be filled."""
        parts = components(scenario)
        self._scenario = scenario
        self._seed = seed
        self._rates = Rates(scenario, parts, rate)
        self._crowd = Crowd(scenario, parts)
        self._texts = TextTables(voices(scenario, parts))
        self._channel = np.array([part.channel for part in parts], np.int64)
        self._calm = np.array([part.phase is None for part in parts])
        self._channel_ids = pa.array([channel.id for channel in scenario.channels], pa.string())
        self._platforms = pa.array([channel.platform for channel in scenario.channels], pa.string())
        self._languages = pa.array([channel.language for channel in scenario.channels], pa.string())
        run = f"{scenario.model_dump_json()}|{seed}|{self._rates.mean!r}"
        #: Another run's events must never be taken for repeats of this one's.
        self.id_stem = f"sim-{hashlib.sha256(run.encode()).hexdigest()[:10]}-"

    def batches(self, start_ms: int, duration_s: float | None) -> Iterator[pa.RecordBatch]:
        """Yield the stream's batches from `start_ms` on, for `duration_s` seconds of event time (None: endless)."""
        cycle_ms = max(1, round(self._scenario.duration_s * 1_000))
        slice_ms = int(np.clip(_SLICE_ROWS * 1_000 / self._rates.peak, 1, _LONGEST_SLICE_MS))
        end_ms = None if duration_s is None else round(duration_s * 1_000)
        number = 0
        for place in itertools.count():
            cycle, step = divmod(place, -(-cycle_ms // slice_ms))
            begin_ms = step * slice_ms
            offset_ms = cycle * cycle_ms
            if end_ms is not None and offset_ms + begin_ms >= end_ms:
                return
            rng = np.random.default_rng([self._seed, place])
            at_ms, part = self._arrivals(begin_ms, min(begin_ms + slice_ms, cycle_ms), rng)
            if end_ms is not None:
                kept = at_ms + offset_ms < end_ms
                at_ms, part = at_ms[kept], part[kept]
            if len(part):
                batch = self._batch(start_ms + offset_ms + at_ms, part, number, rng)
                yield from (batch.slice(row, BATCH_ROWS) for row in range(0, batch.num_rows, BATCH_ROWS))
                number += batch.num_rows

    def _arrivals(
        self, begin_ms: int, end_ms: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Draw when (ms into the cycle, ascending) which component speaks: a Poisson process for each."""
        expected, first_s, length_s = self._rates.expected(begin_ms / 1_000, end_ms / 1_000)
        part = np.repeat(np.arange(len(expected)), rng.poisson(expected))
        at_s = first_s[part] + rng.random(len(part)) * length_s[part]
        order = np.argsort(at_s, kind="stable")
        at_ms = np.clip((at_s[order] * 1_000).astype(np.int64), begin_ms, end_ms - 1)
        return at_ms, part[order]

    def _batch(
        self, ts_ms: npt.NDArray[np.int64], part: npt.NDArray[np.int64], number: int, rng: np.random.Generator
    ) -> pa.RecordBatch:
        channel = self._channel[part]
        kinds = draw_kinds(part, self._calm[part], rng)
        register = self._texts.draw_registers(part, rng)
        register = np.where(kinds.reacting, REACTION, np.where(kinds.silent, SILENT, register))
        user = self._crowd.draw(part, rng)
        user = np.where(kinds.by_author, user[kinds.about], user)
        row = pa.array(channel)
        ids = self._ids(number + np.arange(len(part)))
        columns = [
            ids,
            pa.array(ts_ms).cast(EVENT.field("ts").type),
            self._platforms.take(row),
            self._channel_ids.take(row),
            self._crowd.names.take(pa.array(user)),
            self._texts.compose(part, register, rng),
            kinds.metadata(self._languages, channel, ids),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=EVENT)

    def _ids(self, numbers: npt.NDArray[np.int64]) -> pa.StringArray:
        digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width=10, padding="0")
        return pc.binary_join_element_wise(pa.scalar(self.id_stem), digits, pa.scalar(""))
