"""Open the lake, an S3 prefix or a folder, and say in one line what is wrong with it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEME = "s3://"
_TIMEOUT_S = 10
_ATTEMPTS = 3
#: What pyarrow's S3 errors say, which have no types of their own. A HEAD has no body, so some hold the status alone.
_AWAY = ("NETWORK_CONNECTION", "curlCode", "REQUEST_TIMEOUT")
_REFUSED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "HTTP status 403", "INVALID_CLIENT")
_VANISHED = ("NO_SUCH_KEY", "RESOURCE_NOT_FOUND", "HTTP status 404", "Path does not exist")


class VanishedError(EchoPulseError):
    """An object was there when the lake was listed and is gone now: whoever lists again finds what replaced it."""


@dataclass(frozen=True)
class LakeLocation:
    """Where a lake is: a folder, or `s3://bucket/prefix` with endpoint and keys; plain data.

    `keys_from` says to a person where its keys are set.
    """

    path: str
    endpoint: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    region: str = "us-east-1"
    keys_from: str = "lake.access_key, and ECHOPULSE_LAKE__SECRET_KEY"

    @property
    def on_s3(self) -> bool:
        """Whether the path names an S3 prefix."""
        return self.path.startswith(SCHEME)

    @property
    def bucket(self) -> str:
        """The bucket of an S3 prefix."""
        return self.path.removeprefix(SCHEME).partition("/")[0]


@dataclass(frozen=True)
class Lake:
    """An open lake: its file system and the path in it under which the tables lie."""

    location: LakeLocation
    files: pafs.FileSystem
    root: str

    def within(self, *parts: str) -> str:
        """Return a path in the file system."""
        return "/".join((self.root, *(part for part in parts if part)))

    def named(self, path: str) -> str:
        """Return a path of the file system as a person writes it."""
        return SCHEME + path if self.location.on_s3 else path

    def write_whole(self, folder: str, name: str, content: bytes) -> None:
        """Write a file whole or not at all; what a crash leaves has another ending and is hidden."""
        path, part = self.within(folder, name), self.within(folder, f".{name}.part")
        with self.told(path):
            if not self.location.on_s3:
                self.files.create_dir(self.within(folder), recursive=True)
            with self.files.open_output_stream(part) as stream:
                stream.write(content)
            self.files.move(part, path)

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what the file system or a Parquet reader raises into one line that names the object at `path`.

        Raises VanishedError where there is no such object, else EchoPulseError.
        """
        try:
            yield
        except FileNotFoundError as error:
            raise VanishedError(f"{self.named(path)} is gone") from error
        except (OSError, pa.ArrowInvalid) as error:
            raise _plainly(self.location, self.named(path), error) from error


def open_lake(location: LakeLocation) -> Lake:
    """Open a lake; a folder need not be there yet.

    Raises EchoPulseError where the endpoint is away, the keys are refused or there is no such bucket.
    """
    if not location.on_s3:
        return Lake(location, pafs.LocalFileSystem(), str(Path(location.path).absolute()))
    endpoint = urlsplit(location.endpoint)
    files = pafs.S3FileSystem(
        access_key=location.access_key,
        secret_key=location.secret_key,
        endpoint_override=endpoint.netloc or None,
        scheme=endpoint.scheme or "https",
        region=location.region,
        connect_timeout=_TIMEOUT_S,
        request_timeout=_TIMEOUT_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )
    lake = Lake(location, files, location.path.removeprefix(SCHEME).rstrip("/"))
    with lake.told(location.bucket):
        found = files.get_file_info(location.bucket).type
    if found == pafs.FileType.NotFound:
        raise _no_bucket(location)
    return lake


def _plainly(location: LakeLocation, name: str, error: Exception) -> EchoPulseError:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if any(sign in text for sign in _AWAY):
        return EchoPulseError(
            f"lake {location.path}: the S3 endpoint {location.endpoint} does not answer",
            "`echopulse up` starts the embedded one; lake.endpoint names another",
        )
    if any(sign in text for sign in _REFUSED):
        return EchoPulseError(
            f"lake {location.path}: {location.endpoint} refuses the keys of '{location.access_key}' for {name}",
            location.keys_from,
        )
    if "NO_SUCH_BUCKET" in text:
        return _no_bucket(location)
    if any(sign in text for sign in _VANISHED):
        return VanishedError(f"{name} is gone")
    if isinstance(error, pa.ArrowInvalid) or "Parquet" in text or "thrift" in text:
        return EchoPulseError(
            f"{name} is no whole Parquet file: {text}", "it was cut short or damaged: restore it, or remove it"
        )
    return EchoPulseError(f"{name}: {text}", "`lake` in the settings says where the lake is")


def _no_bucket(location: LakeLocation) -> EchoPulseError:
    return EchoPulseError(
        f"lake {location.path}: there is no bucket '{location.bucket}' at {location.endpoint}",
        "make it, or mend lake.path",
    )
