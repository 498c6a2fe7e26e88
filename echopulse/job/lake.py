"""The lake of the settings: opened, and its tables read where the job writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.lake.location import Lake, LakeLocation, open_lake
from features.lake.table import dataset, read_table
from transforms.standing import COLUMNS, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    import pyarrow.dataset as ds

    from echopulse.settings_sections import Lake as LakeSettings


def location(settings: LakeSettings) -> LakeLocation:
    """Return where the settings' lake is, as plain data."""
    return LakeLocation(
        path=settings.path,
        endpoint=settings.endpoint,
        access_key=settings.access_key,
        secret_key=settings.secret_key.get_secret_value(),
        region=settings.region,
    )


def opened(settings: LakeSettings) -> Lake:
    """Open the settings' lake. Raises EchoPulseError as `features.lake.location.open_lake` does."""
    return open_lake(location(settings))


def lake_table(settings: LakeSettings, name: str) -> ds.Dataset | None:
    """Return one table of the lake, or None where nothing has been written to it yet.

    Raises EchoPulseError where the store does not answer or refuses the keys, and as `features.lake.table` does.
    """
    return dataset(opened(settings), name)


def standing_events(settings: LakeSettings, columns: Sequence[str]) -> pa.Table | None:
    """Return the lake's events without deleted and superseded ones (transforms.standing), None where there are none.

    `columns` are those of the table `events` that are wanted. Raises EchoPulseError as `lake_table` does.
    """
    table = read_table(opened(settings), "events", list(dict.fromkeys((*columns, *COLUMNS))))
    return None if table is None else standing(table).select(list(columns))
