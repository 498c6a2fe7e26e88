"""The lake's tables as Arrow data sets, read where the job writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from schemas.errors import EchoPulseError
from transforms.standing import COLUMNS, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.settings import Lake

_SCHEME = "s3://"
_TIMEOUT_S = 10
#: Partition folders are text, as the job writes them: date=2026-01-31/hour=07.
_PARTITIONS = ds.partitioning(pa.schema([("date", pa.string()), ("hour", pa.string())]), flavor="hive")


def lake_table(lake: Lake, name: str) -> ds.Dataset | None:
    """Return one table of the lake, or None where nothing has been written to it yet.

    Raises EchoPulseError where the store does not answer or refuses the keys.
    """
    files, root = _file_system(lake)
    folder = f"{root}/{name}"
    try:
        if files.get_file_info(folder).type == pafs.FileType.NotFound:
            return None
        found = ds.dataset(folder, filesystem=files, format="parquet", partitioning=_PARTITIONS)
    except (OSError, pa.ArrowInvalid) as error:
        raise EchoPulseError(
            f"lake {lake.path}: cannot read {name}: {_first_line(error)}", "see `lake` in the settings"
        ) from error
    return found if found.files else None


def standing_events(lake: Lake, columns: Sequence[str]) -> pa.Table | None:
    """Return the lake's events without deleted and superseded ones (transforms.standing), None where there are none.

    `columns` are those of the table `events` that are wanted. Raises EchoPulseError as `lake_table` does.
    """
    table = lake_table(lake, "events")
    if table is None:
        return None
    wanted = list(dict.fromkeys((*columns, *COLUMNS)))
    return standing(table.to_table(columns=wanted)).select(list(columns))


def _file_system(lake: Lake) -> tuple[pafs.FileSystem, str]:
    if not lake.path.startswith(_SCHEME):
        return pafs.LocalFileSystem(), str(Path(lake.path).absolute())
    endpoint = urlsplit(lake.endpoint)
    files = pafs.S3FileSystem(
        access_key=lake.access_key,
        secret_key=lake.secret_key.get_secret_value(),
        endpoint_override=endpoint.netloc,
        scheme=endpoint.scheme,
        region=lake.region,
        connect_timeout=_TIMEOUT_S,
        request_timeout=_TIMEOUT_S,
    )
    return files, lake.path.removeprefix(_SCHEME).rstrip("/")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
