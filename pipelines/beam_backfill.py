"""The job `backfill` for Apache Beam: the same views over the same events, for batches that run on other engines.

Batches of events go through the same transforms as in the stream. Each becomes panes at once, so that what is shuffled
is as small as what windows are made of; panes merge key by key, and windows are merged of them (see
`features.machinery.arrow_views`). Rows go to the staging folder that Flink would write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import apache_beam as beam
import numpy as np
import pandas as pd
import pyarrow as pa

from features.lake.compaction import partition_start
from features.lake.listing import listing
from features.lake.location import open_lake
from features.machinery.arrow_groups import columns_of, with_columns
from features.machinery.arrow_views import arrow_families
from features.machinery.view_spec import EVENT_TIMESTAMP
from pipelines.beam_events import ReadEvents, ScoreEvents
from pipelines.beam_rows import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from features.lake.location import LakeLocation
    from features.machinery.arrow_views import ArrowFamily
    from features.machinery.view_spec import ViewSpec
    from transforms.selection import Selection

_HOUR_MS = 3_600_000
#: Events whose panes one worker merges.
_SHARD_EVENTS = 500_000
#: Panes that wait to be merged with others.
_WAITING_ROWS = 200_000


@dataclass(frozen=True)
class BeamBackfill:
    """What a backfill is built from: as `pipelines.backfill.BackfillConfig`, but places can be opened anywhere.

    `events` is the lake's table of events, `staging` where rows go. Windows count that end after `after_ms` and by
    `until_ms`, in ms since the epoch. `shards` is the least number of parts that are merged apart.
    """

    events: LakeLocation
    staging: LakeLocation
    views: tuple[ViewSpec, ...]
    after_ms: int
    until_ms: int
    available_after_ms: int
    selection: Selection | None = None
    shards: int = 2
    batch_rows: int = 20_000

    @property
    def first_ms(self) -> int:
        """The time of the first event that a window of the span holds, or of one before which tells of a silence."""
        windows = [(spec.window_ms, spec.slide_ms) for view in self.views for spec in view.aggregations]
        return self.after_ms - max(size + slide for size, slide in windows)


def build(pipeline: beam.Pipeline, config: BeamBackfill) -> None:
    """Add the backfill's steps to a pipeline. Raises EchoPulseError where the lake cannot be listed."""
    paths, events = _files(config)
    shards = max(config.shards, -(-events // _SHARD_EVENTS))
    anew = config.selection is not None
    read = ReadEvents(config.events, config.first_ms, config.until_ms, config.batch_rows, original=anew)
    rows = pipeline | "files" >> beam.Create(paths, reshuffle=True) | "events" >> beam.ParDo(read)
    if config.selection is not None:
        rows |= "scores" >> beam.ParDo(ScoreEvents(config.selection))
    for family in arrow_families(config.views):
        specs = tuple(view.view for view in family.views)
        named = f"by {', '.join(family.keys)}: {', '.join(spec.name for spec in specs)}"
        _ = (
            rows
            | f"panes {named}" >> beam.ParDo(MakePanes(specs, shards)).with_output_types(tuple[int, pa.Table])
            | f"merged {named}" >> beam.CombinePerKey(MergePanes(specs))
            | f"windows {named}" >> beam.ParDo(WriteWindows(config, specs))
        )


def _files(config: BeamBackfill) -> tuple[list[str], int]:
    """Return the files of the span's hours and how many events they hold."""
    live = listing(open_lake(config.events), "").live
    found = []
    for footer in live:
        start = partition_start(footer.file.partition)
        if start is not None and config.first_ms - _HOUR_MS < start.timestamp() * 1000 < config.until_ms:
            found.append(footer)
    return [footer.file.path for footer in found], sum(footer.rows for footer in found)


class MakePanes(beam.DoFn):  # type: ignore[misc] # Beam's classes are untyped
    """A batch of analysed events in, panes of its keys out, by the shard that a key belongs to."""

    def __init__(self, views: tuple[ViewSpec, ...], shards: int) -> None:
        """Keep views that share panes."""
        self._views, self._shards = views, shards

    def setup(self) -> None:
        """Resolve the views, once a worker."""
        self._family = _one(self._views)

    def process(self, rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
        """Yield the panes of each shard."""
        panes = self._family.panes(rows)
        # By pandas' hash, which is the same on all workers.
        hashes = pd.util.hash_pandas_object(panes.select(self._family.keys).to_pandas(), index=False)
        shards = (hashes.to_numpy() % self._shards).astype(np.int64)
        for shard in np.unique(shards):
            yield int(shard), panes.filter(pa.array(shards == shard))


class MergePanes(beam.CombineFn):  # type: ignore[misc] # as above
    """Merges tables of panes; in what order makes no difference."""

    def __init__(self, views: tuple[ViewSpec, ...]) -> None:
        """Keep views that share panes."""
        self._views = views

    def setup(self) -> None:
        """Resolve the views, once a worker."""
        self._family = _one(self._views)

    def create_accumulator(self) -> list[pa.Table]:
        """Return no tables."""
        return []

    def add_input(self, accumulator: list[pa.Table], panes: pa.Table) -> list[pa.Table]:
        """Put a table to others, which are merged where they have become many."""
        accumulator.append(panes)
        waiting = sum(table.num_rows for table in accumulator[1:])
        return self.compact(accumulator) if waiting > max(_WAITING_ROWS, accumulator[0].num_rows) else accumulator

    def merge_accumulators(self, accumulators: Iterable[list[pa.Table]]) -> list[pa.Table]:
        """Put the tables of all together."""
        result = self.create_accumulator()
        for accumulator in accumulators:
            for panes in accumulator:
                result = self.add_input(result, panes)
        return result

    def compact(self, accumulator: list[pa.Table]) -> list[pa.Table]:
        """Merge the tables into one."""
        return [self._family.merged(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[pa.Table]) -> pa.Table:
        """Return all panes of a shard."""
        return self._family.merged(accumulator)


class WriteWindows(beam.DoFn):  # type: ignore[misc] # as above
    """All panes of a shard in, the tables of its feature rows out, which are written then; twice if done twice."""

    def __init__(self, config: BeamBackfill, views: tuple[ViewSpec, ...]) -> None:
        """Keep views that share panes, the span of their windows, and where rows go."""
        self._views, self._after_ms, self._until_ms = views, config.after_ms, config.until_ms
        self._available_after_ms, self._location = config.available_after_ms, config.staging

    def setup(self) -> None:
        """Resolve the views and open the lake, once a worker."""
        self._family, self._lake = _one(self._views), open_lake(self._location)

    def process(self, shard: tuple[int, pa.Table]) -> Iterator[str]:
        """Write the rows of each view; a row tells when it could have been read, were it live."""
        part, panes = shard
        for view in self._family.views:
            rows = self._family.feature_rows(view, panes, self._after_ms, self._until_ms)
            (ends,) = columns_of(rows, [EVENT_TIMESTAMP])
            written = {"written_ms": pa.array(ends.to_numpy() + self._available_after_ms)}
            table = f"features/{view.view.name}"
            write_rows(self._lake, table, with_columns(rows, written), part)
            yield table


def _one(views: Sequence[ViewSpec]) -> ArrowFamily:
    (family,) = arrow_families(views)
    return family
