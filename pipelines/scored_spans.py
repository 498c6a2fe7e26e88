"""What a worker has scored, as spans: which model, by which step of which timeline, how many events of which times."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from pipelines.spans import Identity, emit, of_model, of_promotion
from schemas.errors import EchoPulseError
from transforms.timeline_file import read_timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transforms.selection import Selection

_COLUMNS = {"sentiment": "model_sentiment", "toxicity": "model_toxicity", "stance": "model_stance"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_EVERY_S = 10.0


class _Key(NamedTuple):
    """A kind of analysis, and what its column says scored."""

    kind: str
    said_by: str


@dataclass
class _Scored:
    """Events since the last span; times in ms UTC, `began_ms` by the wall clock."""

    began_ms: int
    first_id: str
    first_ms: int
    last_ms: int
    events: int = 0


class ScoredSpans:
    """Counts batches of a worker and tells them every ten seconds, a span for each model of a kind."""

    def __init__(self, timelines: Mapping[str, Path], every_s: float = _EVERY_S) -> None:
        """Keep the folders of the registry's follower, by kind, for the kinds that are scored by a timeline."""
        self._timelines, self._every_s = timelines, every_s
        self._scored: dict[_Key, _Scored] = {}
        self._told_at = time.monotonic()

    @classmethod
    def of(cls, selection: Selection) -> ScoredSpans:
        """Return it for the strategies of a job."""
        options = ((kind, selection.active_options(kind).get("timeline")) for kind in _COLUMNS)
        return cls({kind: Path(folder) for kind, folder in options if folder})

    def observe(self, rows: pa.RecordBatch, times: pa.Int64Array) -> None:
        """Count a batch (schema ANALYSED) with its event times in ms."""
        now_ms = time.time_ns() // 1_000_000
        for kind, column in _COLUMNS.items():
            table = pa.table({"said_by": rows.column(column), "id": rows.column("event_id"), "ts": times})
            counted = table.group_by("said_by", use_threads=False).aggregate(
                [("id", "first"), ("ts", "min"), ("ts", "max"), ("ts", "count")]
            )
            # A loop over models, of which there are one or two.
            for one in counted.to_pylist():
                if not _DIGEST.search(one["said_by"] or ""):
                    continue
                new = _Scored(now_ms, one["id_first"], one["ts_min"], one["ts_max"])
                seen = self._scored.setdefault(_Key(kind, one["said_by"]), new)
                seen.events += one["ts_count"]
                seen.first_ms = min(seen.first_ms, one["ts_min"])
                seen.last_ms = max(seen.last_ms, one["ts_max"])
        if time.monotonic() - self._told_at >= self._every_s:
            self.tell()

    def tell(self) -> None:
        """Tell what was counted, and begin anew."""
        self._told_at = time.monotonic()
        scored, self._scored = self._scored, {}
        for key, seen in scored.items():
            digests = _DIGEST.findall(key.said_by)
            links = [link for digest in digests for link in self._links(key.kind, digest, seen.last_ms)]
            emit(
                f"score {key.kind}",
                {
                    "echopulse.task": key.kind,
                    "echopulse.model.digest": digests,
                    "echopulse.events": seen.events,
                    "echopulse.event.first_id": seen.first_id,
                    "echopulse.event.first_ms": seen.first_ms,
                    "echopulse.event.last_ms": seen.last_ms,
                },
                links,
                began_ms=seen.began_ms,
            )

    def _links(self, kind: str, digest: str, ts_ms: int) -> list[Identity]:
        """Link to the promotion by which a model scores events of a time; to the model where no timeline names it."""
        if (folder := self._timelines.get(kind)) is not None:
            try:
                entries = read_timeline(folder, kind).entries
            except EchoPulseError:
                # The strategy itself tells of a timeline that cannot be read; the events were scored before.
                entries = ()
            steps = [from_ms for from_ms, named in entries if named == digest and from_ms <= ts_ms]
            if steps:
                return [of_promotion(kind, digest, steps[-1])]
        return [of_model(digest)]
