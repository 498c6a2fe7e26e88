"""One process at a time rewrites a lake: two that merged the same files would leave their rows there twice.

In a folder the lock is the kernel's, which frees it when its holder ends. On S3 it is an object that is made, renewed
and taken over by conditional writes alone (`If-None-Match`, `If-Match`); whoever holds it renews it before each step
that readers see, and another may take it over once it has not been renewed for its time.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from features.lake.location import SCHEME
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.lake.location import Lake, LakeLocation

LOCK = "_writer.lock"
LEASE_S = 900
_TIMEOUT_S = 10


class Lease(Protocol):
    """The right to rewrite a lake."""

    def renew(self) -> None:
        """Hold on for another while. Raises EchoPulseError where the right is lost."""


@contextmanager
def held(lake: Lake, purpose: str) -> Iterator[Lease]:
    """Hold the right to rewrite a lake. Raises EchoPulseError that says who holds it now, or that it was lost."""
    with _on_s3(lake, purpose) if lake.location.on_s3 else _in_folder(lake, purpose) as lease:
        yield lease


class _Kernels:
    """A lock that the kernel keeps for as long as the process lives."""

    def renew(self) -> None:
        """Do nothing: it cannot be lost."""


@contextmanager
def _in_folder(lake: Lake, purpose: str) -> Iterator[Lease]:
    path = Path(lake.root) / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise _taken(lake.location, file.read()) from error
        file.truncate(0)
        file.write(_holder(purpose))
        file.flush()
        yield _Kernels()


@contextmanager
def _on_s3(lake: Lake, purpose: str) -> Iterator[Lease]:
    lease = _Conditional(lake, purpose, _client(lake.location))
    try:
        lease.take()
        yield lease
    finally:
        lease.leave()


@dataclass
class _Conditional:
    """The lock on S3; `tag` is the ETag of the object as we wrote it last, '' where we do not hold it."""

    lake: Lake
    purpose: str
    client: Any
    tag: str = ""

    def take(self) -> None:
        """Make the object, or replace one that has run out."""
        if self._put({"IfNoneMatch": "*"}):
            if self._put({"IfNoneMatch": "*"}):
                self.tag = ""
                raise EchoPulseError(
                    f"lake {self.lake.location.path}: {self.lake.location.endpoint} ignores conditional writes",
                    "two processes could rewrite the lake at once: use a server that knows If-None-Match",
                )
            return
        found = self._get()
        if found is None:
            raise _taken(self.lake.location, "")
        text, tag, age_s = found
        if age_s < LEASE_S or not self._put({"IfMatch": tag}):
            raise _taken(self.lake.location, text)

    def renew(self) -> None:
        """Write the object again. Raises EchoPulseError where another has taken it over."""
        tag = self.tag
        if not self._put({"IfMatch": tag}):
            raise EchoPulseError(
                f"lake {self.lake.location.path}: another process took over {LEASE_S} s after this one",
                "nothing is lost: run it again",
            )

    def leave(self) -> None:
        """Remove the object where it is ours, and close the connection."""
        try:
            if self.tag:
                self.renew()
                self.client.delete_object(**self._place())
        finally:
            self.client.close()

    def _put(self, condition: dict[str, str]) -> bool:
        """Write the object under a condition; return whether it held."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 half a second

        try:
            done = self.client.put_object(**self._place(), Body=_holder(self.purpose).encode(), **condition)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in {404, 409, 412}:
                return False
            raise self._told(error) from error
        except BotoCoreError as error:
            raise self._told(error) from error
        self.tag = done["ETag"]
        return True

    def _get(self) -> tuple[str, str, float] | None:
        """Return the object's text, ETag and age in s by the server's own clock; None where it has gone."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 half a second

        try:
            found = self.client.get_object(**self._place())
            text = found["Body"].read().decode(errors="replace")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 HTTP's not found
                return None
            raise self._told(error) from error
        except BotoCoreError as error:
            raise self._told(error) from error
        return text, found["ETag"], time.time() - found["LastModified"].timestamp()

    def _place(self) -> dict[str, str]:
        bucket, _, prefix = self.lake.root.partition("/")
        return {"Bucket": bucket, "Key": f"{prefix}/{LOCK}" if prefix else LOCK}

    def _told(self, error: Exception) -> EchoPulseError:
        return EchoPulseError(f"{SCHEME}{self.lake.within(LOCK)}: {error}", "`lake` in the settings")


def _client(location: LakeLocation) -> Any:  # noqa: ANN401 botocore makes its clients' classes at run time
    import boto3  # noqa: PLC0415 half a second
    from botocore.config import Config  # noqa: PLC0415 as above

    return boto3.client(
        "s3",
        endpoint_url=location.endpoint or None,
        aws_access_key_id=location.access_key,
        aws_secret_access_key=location.secret_key,
        region_name=location.region,
        # A repeated conditional write meets its own first one and takes itself for another: no retries.
        config=Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"max_attempts": 0}),
    )


def _holder(purpose: str) -> str:
    """Say who holds the lock; never twice the same, so that each writing has an ETag of its own."""
    holder = {"for": purpose, "host": socket.gethostname(), "pid": os.getpid(), "sign": uuid.uuid4().hex}
    return json.dumps(holder)


def _taken(location: LakeLocation, text: str) -> EchoPulseError:
    try:
        holder = json.loads(text)
        who = f"{holder['for']} (pid {holder['pid']} on {holder['host']})"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return EchoPulseError(f"lake {location.path}: {who} is rewriting it", "one at a time: try again when it is done")
