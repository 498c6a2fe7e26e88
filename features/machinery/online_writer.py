"""Write feature rows to the online store: a batch a round trip, newest event time wins, whoever else writes."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import redis
import stamina
from redis.exceptions import BusyLoadingError, NoScriptError, OutOfMemoryError, ReadOnlyError, TryAgainError

from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.redis_format import EncodedRows, encode
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from features.machinery.view_spec import ViewSchema

#: What passes: the server is away, starting, full for now, or fails over. Anything else is raised at once.
PASSING = (
    redis.ConnectionError,
    redis.TimeoutError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
    NoScriptError,
)
SCRIPT = (Path(__file__).parent / "write_newest.lua").read_text(encoding="utf-8")
SCRIPT_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 5.0


class OnlineWriter:
    """Writes batches of feature rows; picklable, connects on first use.

    A row replaces what is stored where its event timestamp is the same or newer, so that writing again, in any order
    and from many writers, ends in the same values. The server runs each `rows_per_call` rows as one atomic script.
    """

    def __init__(self, settings: OnlineStoreSettings) -> None:
        self.settings = settings

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings}

    @cached_property
    def _client(self) -> redis.Redis:
        return connect(self.settings)

    def write(self, view: ViewSchema, batch: pa.RecordBatch) -> int:
        """Write a batch with the columns `view.columns` and return how many rows were new enough to be stored.

        A store that is away is waited for, with growing pauses, `settings.retry_s` in all; the caller waits with it.
        Raises EchoPulseError after that, and at once for a batch that does not fit the view or a key of another use.
        """
        if not batch.num_rows:
            return 0
        return self.send(view.name, encode(view, self.settings.project, newest_rows(view, batch)))

    def send(self, view: str, encoded: EncodedRows) -> int:
        """Write rows that are encoded already, as `write` does; `view` stands in the error."""
        try:
            for attempt in stamina.retry_context(
                on=PASSING,
                attempts=None,
                timeout=self.settings.retry_s,
                wait_initial=_FIRST_WAIT_S,
                wait_max=_LONGEST_WAIT_S,
            ):
                with attempt:
                    return self._attempt(encoded)
        except PASSING as error:
            raise EchoPulseError(
                f"view '{view}': the online store took no batch within {self.settings.retry_s:g} s: {error}",
                "online_store.connection in the settings names it",
            ) from error
        except redis.ResponseError as error:
            raise EchoPulseError(f"view '{view}': the online store refused a batch: {error}") from error
        raise AssertionError("unreachable: the retries return or raise")

    def close(self) -> None:
        """Close the connection, if there is one; the next write opens another."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def _attempt(self, encoded: EncodedRows) -> int:
        """Send all rows in one round trip; a server that does not know the script is taught it and asked again."""
        try:
            return self._call(encoded)
        except NoScriptError:
            self._client.script_load(SCRIPT)
            return self._call(encoded)

    def _call(self, encoded: EncodedRows) -> int:
        offsets = np.frombuffer(encoded.rows.buffers()[1], dtype=np.int32)[encoded.rows.offset :]
        data, step, total = memoryview(encoded.rows.buffers()[2]), self.settings.rows_per_call, len(encoded.rows)
        needed_s = needed(self.settings.key_ttl_s, encoded.ttl_s)
        head: list[Any] = [encoded.format, needed_s, encoded.timestamp_field, *encoded.fields]
        with self._client.pipeline(transaction=False) as calls:
            for start in range(0, total, step):
                rows: Any = data[offsets[start] : offsets[min(start + step, total)]]
                calls.evalsha(SCRIPT_SHA, 0, *head, rows)
            return int(sum(calls.execute()))


def needed(key_ttl_s: int, view_ttl_s: int) -> int:
    """Return how long after a write its key is needed, in s: 0, for ever, where the keys or the view's values are."""
    return max(key_ttl_s, view_ttl_s) if key_ttl_s and view_ttl_s else 0


def newest_rows(view: ViewSchema, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return one row an entity: the newest, of equally new ones the last. Order is not kept."""
    keys = [
        batch.column(column.name).dictionary_encode().indices
        for column in view.join_keys
        if column.name in batch.schema.names
    ]
    if len(keys) < len(view.join_keys) or EVENT_TIMESTAMP not in batch.schema.names:
        return batch  # `encode` says what is missing
    codes = [key.to_numpy(zero_copy_only=False) for key in keys]
    times = batch.column(EVENT_TIMESTAMP).cast(pa.int64()).to_numpy(zero_copy_only=False)
    order = np.lexsort((np.arange(batch.num_rows), times, *codes))
    last = np.ones(batch.num_rows, dtype=np.bool_)
    last[:-1] = np.logical_or.reduce([code[order][1:] != code[order][:-1] for code in codes])
    return batch if last.all() else batch.take(pa.array(order[last]))
