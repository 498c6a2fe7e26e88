"""What of the lake the running job does not know: events of the one before it, whose state it did not take up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from echopulse.job.check_lake import EVENTS, hours_of, retried
from echopulse.job.cluster import FlinkCluster
from echopulse.job.submit import SIGNALS, TAKEN_UP
from features.lake.compaction import partition_start
from features.lake.listing import REWRITTEN, listing
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.settings import Settings
    from features.lake.listing import LakeFile
    from features.lake.location import Lake

_HOUR = timedelta(hours=1)


def began_empty_ms(settings: Settings, on_step: Callable[[str], None]) -> int | None:
    """Return when the newest job `signals` was submitted, ms UTC; None where it went on from a savepoint.

    None, too, where the cluster knows no such job, or does not answer, which `on_step` is told.
    """
    try:
        with FlinkCluster(settings.flink.rest) as cluster:
            job = next((job for job in cluster.jobs() if job.name == SIGNALS), None)
            if job is None or TAKEN_UP in cluster.parameters(job.id):
                return None
            return job.start_ms
    except EchoPulseError as error:
        on_step(f"{error.message}: windows from before the job are compared too")
        return None


def last_event_before(lake: Lake, began_ms: int, span_ms: tuple[int, int]) -> int | None:
    """Return the newest event of a span, ms UTC, in files that were written before a job began; None without one.

    An event is written by the job that counts it. A file that was merged since is taken for one of before where its
    hour had passed by then.
    """

    def read() -> int | None:
        earlier: dict[str, list[str]] = {}
        for footer in listing(lake, EVENTS, hours_of(span_ms)).live:
            if _written_before(footer.file, began_ms):
                earlier.setdefault(footer.file.partition, []).append(footer.file.path)
        if not earlier:
            return None
        # An hour's events are all newer than those of the hour before.
        paths = earlier[max(earlier)]
        with lake.told(paths[0]):
            rows = ds.dataset(paths, format="parquet", filesystem=lake.files)
            newest = [_newest_ms(batch) for batch in rows.scanner(columns=["ts"]).to_batches() if batch.num_rows]
        return max(newest, default=None)

    return retried(lake, read)


def _written_before(file: LakeFile, moment_ms: int) -> bool:
    if not file.name.startswith(REWRITTEN):
        return file.modified_s * 1_000 < moment_ms
    start = partition_start(file.partition)
    return start is not None and (start + _HOUR).timestamp() * 1_000 <= moment_ms


def _newest_ms(batch: pa.RecordBatch) -> int:
    return int(pc.max(batch.column("ts").cast(pa.timestamp("ms")).cast(pa.int64())).as_py())
