"""Write feature rows to the online store: a batch a round trip, newest event time wins, whoever else writes."""

from __future__ import annotations

import hashlib
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import redis
import stamina
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ClusterError,
    MovedError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    TryAgainError,
)

from features.machinery.cluster_writes import write_to_cluster
from features.machinery.connection import OnlineStoreSettings, connect, refused
from features.machinery.encrypted_rows import encrypt_rows, encryption
from features.machinery.redis_format import joined
from features.machinery.script_calls import EncodedSlices, call_script, head
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.machinery.connection import Client
    from features.machinery.encryption import Encryption
    from features.machinery.redis_format import EncodedRows
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
    ClusterDownError,
    ClusterError,
    MovedError,
    RedisClusterException,
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
    def _client(self) -> Client:
        return connect(self.settings)

    @cached_property
    def _encryption(self) -> Encryption | None:
        return encryption(self.settings.keys)

    def write(self, view: ViewSchema, batch: pa.RecordBatch) -> int:
        """Write a batch with the columns `view.columns` and return how many rows were new enough to be stored.

        A store that is away is waited for, with growing pauses, `settings.retry_s` in all; the caller waits with it.
        Raises EchoPulseError after that, and at once for a batch that does not fit the view or a key of another use.
        """
        if not batch.num_rows:
            return 0
        rows = newest_rows(view, batch)
        return self._send(view.name, EncodedSlices(view, self.settings.project, rows, self._encryption))

    def send(self, view: str, encoded: EncodedRows) -> int:
        """Write rows that are encoded already, as `write` does; `view` stands in the error."""
        return self._send(view, [encoded if self._encryption is None else encrypt_rows(encoded, self._encryption)])

    def _send(self, view: str, slices: Iterable[EncodedRows]) -> int:
        try:
            for attempt in stamina.retry_context(
                on=passing,
                attempts=None,
                timeout=self.settings.retry_s,
                wait_initial=_FIRST_WAIT_S,
                wait_max=_LONGEST_WAIT_S,
            ):
                with attempt:
                    return self._attempt(slices)
        except PASSING as error:
            if reason := refused(error):
                raise EchoPulseError(
                    f"view '{view}': no connection to the online store is possible: {reason}",
                    "ssl_ca_certs, ssl_certfile and ssl_keyfile in online_store.connection name the certificates",
                ) from error
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

    def _attempt(self, slices: Iterable[EncodedRows]) -> int:
        """Send all rows in one round trip to each server; a cluster that failed is asked for its nodes anew."""
        client = self._client
        if isinstance(client, redis.Redis):
            return self._call(client, slices)
        try:
            return write_to_cluster(client, joined(slices), lambda node, rows: self._call(node, [rows]), self._at_key)
        except PASSING:
            self.close()
            raise

    def _call(self, client: redis.Redis, slices: Iterable[EncodedRows]) -> int:
        """Call a server; one that does not know the script is taught it and asked again."""
        call = partial(call_script, client, SCRIPT_SHA, slices, self.settings.key_ttl_s, self.settings.rows_per_call)
        try:
            return call()
        except NoScriptError:
            client.script_load(SCRIPT)
            return call()

    def _at_key(self, key: bytes, encoded: EncodedRows) -> int:
        """Write one row wherever its key is by now; a cluster's client asks for the script on every node."""
        arguments = (*head(encoded, self.settings.key_ttl_s), encoded.rows[0].as_py())
        try:
            return int(self._client.evalsha(SCRIPT_SHA, 1, key, *arguments))  # type: ignore[arg-type] # typed too narrowly
        except NoScriptError:
            self._client.script_load(SCRIPT)
            return int(self._client.evalsha(SCRIPT_SHA, 1, key, *arguments))  # type: ignore[arg-type]


def passing(error: Exception) -> bool:
    """Return whether an error may pass by waiting. A certificate that is not trusted does not."""
    return isinstance(error, PASSING) and refused(error) is None


def newest_rows(view: ViewSchema, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return one row an entity: the newest, of equally new ones the last. Order is not kept."""
    keys = [
        batch.column(column.name).dictionary_encode().indices
        for column in view.join_keys
        if column.name in batch.schema.names
    ]
    if len(keys) < len(view.join_keys) or EVENT_TIMESTAMP not in batch.schema.names:
        return batch  # `EncodedSlices` says what is missing
    codes = [key.to_numpy(zero_copy_only=False) for key in keys]
    times = batch.column(EVENT_TIMESTAMP).cast(pa.int64()).to_numpy(zero_copy_only=False)
    order = np.lexsort((np.arange(batch.num_rows), times, *codes))
    last = np.ones(batch.num_rows, dtype=np.bool_)
    last[:-1] = np.logical_or.reduce([code[order][1:] != code[order][:-1] for code in codes])
    return batch if last.all() else batch.take(pa.array(order[last]))
