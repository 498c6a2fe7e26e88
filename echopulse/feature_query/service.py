"""The three calls of FeatureQuery, from request to answer; each bounded in size and by its deadline."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import grpc

from echopulse.feature_query.answer import columns_of, joined, values_of
from echopulse.feature_query.past import as_of
from echopulse.feature_query.question import check_keys, entity_keys
from echopulse.feature_query.refusal import LateError, RefusedError, TooMuchError
from echopulse.telemetry import logger
from features.lake.standing_rows import standing_rows
from features.machinery.reader import read_latest
from schemas import feature_query_pb2 as messages
from schemas.errors import EchoPulseError
from schemas.feature_query_pb2_grpc import FeatureQueryServicer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from google.protobuf.timestamp_pb2 import Timestamp

    from echopulse.feature_query.question import Catalogue, Wanted
    from echopulse.feature_query.rows import FeatureRows
    from features.machinery.connection import Client
    from features.machinery.encryption import Encryption

    Keys = Sequence[tuple[object, ...]]

#: What a call may take where the client has set no deadline.
LONGEST_CALL_S = 30.0
#: Rows that are read for one question, those of one history, and those of one message of its stream.
MOST_READ = 2_000_000
MOST_ROWS = 100_000
ROWS_A_MESSAGE = 500

_LOG = logger(__name__)


@dataclass(frozen=True)
class Sources:
    """What queries are answered from.

    `delay_ms`: how long after its window's end a value can be read; `cipher`: what values online are encrypted with.
    """

    catalogue: Catalogue
    online: Client
    project: str
    past: FeatureRows
    delay_ms: int
    cipher: Encryption | None = None


class FeatureQuery(FeatureQueryServicer):  # type: ignore[misc] # generated without types
    """Answers queries. A store that is away is UNAVAILABLE, everything else has the status of its RefusedError."""

    def __init__(self, sources: Sources) -> None:
        """Keep what to answer from."""
        self._sources = sources

    def ReadOnline(self, request: messages.OnlineRequest, context: grpc.ServicerContext) -> messages.FeatureTable:  # noqa: N802 as the contract has it
        """Return the latest values of the entities."""
        with _told(context):
            wanted = self._asked(request)
            waiting = _deadline(context)
            now_ms = time.time_ns() // 1_000_000
            parts = []
            for one in wanted:
                waiting(0)
                # Without its time to live the view gives what is there, and the answer can say that it is too old.
                view = replace(one.view, features=one.features, ttl_s=0)
                keys = entity_keys(one.view, request.entities)
                rows = read_latest(self._sources.online, self._sources.project, view, keys, cipher=self._sources.cipher)
                parts.append(values_of(one, rows, _oldest(one, now_ms)))
            return messages.FeatureTable(columns=columns_of(wanted), rows=joined(parts))

    def ReadAsOf(self, request: messages.AsOfRequest, context: grpc.ServicerContext) -> messages.FeatureTable:  # noqa: N802 as the contract has it
        """Return the values that could be read at an instant: of the newest window that was there by then."""
        with _told(context):
            wanted = self._asked(request)
            if not request.HasField("at"):
                raise RefusedError("the instant is missing", "set at")
            waiting, at_ms = _deadline(context), _milliseconds(request.at, "at")
            parts = []
            for one in wanted:
                keys = entity_keys(one.view, request.entities)
                read = self._reader(one, waiting)
                rows = as_of(read, one.view, one.features, keys, at_ms, self._sources.delay_ms)
                parts.append(values_of(one, rows, None))
            return messages.FeatureTable(columns=columns_of(wanted), rows=joined(parts))

    def ReadHistory(  # noqa: N802 as the contract has it
        self, request: messages.HistoryRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.HistoryRows]:
        """Stream every value of one entity whose window ends in [begin, end), the oldest first."""
        with _told(context):
            one = self._sources.catalogue.of_view(request.view, request.names)
            check_keys([one.view], [request.entity])
            keys = entity_keys(one.view, [request.entity])
            if not request.HasField("begin") or not request.HasField("end"):
                raise RefusedError("the span of time is missing", "set begin and end")
            span_ms = _milliseconds(request.begin, "begin"), _milliseconds(request.end, "end")
            if span_ms[0] >= span_ms[1]:
                raise RefusedError("begin is not before end")
            waiting = _deadline(context, MOST_ROWS, "ask for a shorter span")
            names = [column.name for column in one.view.join_keys]
            rows = standing_rows(self._sources.past.between(one.view, one.features, keys, span_ms, waiting), names)
            columns = columns_of([one])
            for start in range(0, max(1, rows.num_rows), ROWS_A_MESSAGE):
                waiting(0)
                part = values_of(one, rows.slice(start, ROWS_A_MESSAGE), None)
                yield messages.HistoryRows(columns=columns if start == 0 else [], rows=joined([part]))

    def _reader(self, one: Wanted, waiting: Callable[[int], None]) -> Callable[[Keys, tuple[int, int]], pa.Table]:
        return lambda keys, span_ms: self._sources.past.between(one.view, one.features, keys, span_ms, waiting)

    def _asked(self, request: messages.OnlineRequest | messages.AsOfRequest) -> list[Wanted]:
        wanted = self._sources.catalogue.wanted(request.features)
        check_keys([one.view for one in wanted], request.entities)
        return wanted


@contextmanager
def _told(context: grpc.ServicerContext) -> Iterator[None]:
    """End a call with the status of what is raised in it; what nobody foresaw is INTERNAL, and in the log."""
    try:
        yield
    except RefusedError as error:
        context.abort(error.status, str(error))
    except EchoPulseError as error:
        context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
    except Exception as error:  # noqa: BLE001 the last line of defence: told in a line, kept in the log
        _LOG.error("a query failed", exc_info=error)
        context.abort(grpc.StatusCode.INTERNAL, f"unexpected {type(error).__name__}; the server's log has it")


def _deadline(
    context: grpc.ServicerContext, most_rows: int = MOST_READ, hint: str = "ask for fewer entities"
) -> Callable[[int], None]:
    """Return a function of the rows read so far that raises once they are too many, or nobody waits for the answer."""
    left = context.time_remaining()
    ends = time.monotonic() + min(LONGEST_CALL_S, LONGEST_CALL_S if left is None else left)

    def waiting(rows: int) -> None:
        if rows > most_rows:
            raise TooMuchError(f"more than {most_rows} rows would have to be read", hint)
        if time.monotonic() > ends:
            raise LateError("the answer took longer than its deadline")
        if not context.is_active():
            raise LateError("the client has gone")

    return waiting


def _oldest(one: Wanted, at_ms: int) -> int | None:
    return at_ms - one.view.ttl_s * 1_000 if one.view.ttl_s else None


def _milliseconds(stamp: Timestamp, name: str) -> int:
    if not 0 <= stamp.seconds < _LAST_SECOND:
        raise RefusedError(f"{name} is {stamp.seconds} s since 1970, outside the years 1970 to 2261")
    return int(stamp.seconds) * 1_000 + int(stamp.nanos) // 1_000_000


_LAST_SECOND = int(datetime(2262, 1, 1, tzinfo=UTC).timestamp())
