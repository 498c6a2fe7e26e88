"""A mapping at work: JSON frames in, rows of events out; compiled once, applied to whole batches of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.gateway.columns import columns_of, metadata_by_columns
from echopulse.gateway.framed import parsed_json, whole
from echopulse.gateway.mapped_rows import Mapped, woven
from echopulse.gateway.mapping_columns import as_text_column, holding, paths_of, reader
from echopulse.gateway.mapping_paths import written
from echopulse.gateway.mapping_scan import PathScan
from echopulse.gateway.mapping_times import stamps
from echopulse.gateway.rows import Faults, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.framed import Framed
    from echopulse.gateway.mapping import Mapping, Value
    from echopulse.gateway.mapping_columns import Documents

#: Fewer frames are parsed in the time that the scan takes to begin.
_FEWEST_SCANNED = 16


class Mapper:
    """Applies one mapping."""

    def __init__(self, mapping: Mapping) -> None:
        """Compile the mapping's paths, templates and conditions."""
        self._source = mapping.source
        self._tests = [holding(condition) for condition in mapping.when]
        named = {"id": mapping.id, "channel": mapping.channel, "user": mapping.user}
        self._scan = _scan_of(mapping)
        self._fields = {name: (reader(value), _described(value)) for name, value in named.items()}
        self._time, self._time_format = mapping.ts.path, mapping.ts.format
        self._text = reader(mapping.text) if mapping.text else None
        self._metadata = [(key, value.constant or reader(value)) for key, value in mapping.metadata.items()]

    def apply(self, frames: Sequence[Framed], first_number: int = 1) -> Mapped:
        """Map a batch of frames, each on its own; what does not fit is named in the rows' faults.

        Frames are numbered from `first_number`.

        Stages: `parse` for what is not JSON or came cut short, `validate` for a value that is missing or no time.
        """
        datas, unread = whole(frames)
        numbers = range(first_number, first_number + len(datas))
        if self._scan is None or unread or len(datas) < _FEWEST_SCANNED:
            return self._mapped(parsed_json(datas, unread), datas, numbers, unread)
        scanned, sure = self._scan.read(datas)
        if sure.all():
            return self._mapped(scanned, datas, numbers, {})
        found, others = np.flatnonzero(sure).tolist(), np.flatnonzero(~sure).tolist()
        rest, unread = [datas[place] for place in others], {}
        return woven(
            self._mapped(scanned.take(found), [datas[p] for p in found], [numbers[p] for p in found], {}),
            self._mapped(parsed_json(rest, unread), rest, [numbers[place] for place in others], unread),
        )

    def _mapped(
        self, documents: Documents, datas: Sequence[bytes], numbers: Sequence[int], unread: dict[int, str]
    ) -> Mapped:
        total = len(datas)
        kept: Sequence[int] = range(total)
        if self._tests:
            wanted = self._wanted(documents)
            kept = [place for place in kept if place in unread or wanted[place]]
        if len(kept) < total:
            documents = [documents[place] for place in kept] if isinstance(documents, list) else documents.take(kept)
            datas, numbers = [datas[place] for place in kept], [numbers[place] for place in kept]
        faults: Faults = (
            {at: ("parse", unread[place]) for at, place in enumerate(kept) if place in unread} if unread else {}
        )
        parsed = [at for at in range(len(datas)) if at not in faults] if faults else range(len(datas))
        columns = columns_of(self._values(documents, datas, parsed, faults), faults)
        return Mapped(Rows(columns, numbers, datas.__getitem__, faults), total - len(kept))

    def _wanted(self, documents: Documents) -> list[bool]:
        wanted = [True] * len(documents)
        for holds in self._tests:
            wanted = [one and two for one, two in zip(wanted, holds(documents), strict=True)]
        return wanted

    def _values(
        self, documents: Documents, datas: Sequence[bytes], parsed: Sequence[int], faults: Faults
    ) -> list[Sequence[Any] | pa.Array]:
        """Return the seven columns of an event; a frame that could not be parsed has its bytes and the source alone."""
        found: dict[str, list[Any] | pa.StringArray] = {}
        for name, (read, described) in self._fields.items():
            found[name] = column = read(documents)
            for at in _missing(column):
                if len(parsed) == len(datas) or at in parsed:
                    faults.setdefault(at, ("validate", f"{name} is missing: no value at {described}"))
        times = stamps(documents, self._time, self._time_format, faults)
        metadata = self._metadata_of(documents)
        if len(parsed) < len(datas):
            for at in set(range(len(datas))).difference(parsed):
                for column in found.values():
                    column[at] = None
        sources = pa.repeat(self._source, len(datas))
        # The scan has made a column of the frames already.
        payloads = datas if isinstance(documents, list) else documents.frames
        return [found["id"], times, sources, found["channel"], found["user"], payloads, metadata]

    def _metadata_of(self, documents: Documents) -> pa.MapArray:
        columns: dict[str, str | pa.StringArray] = {
            key: origin if isinstance(origin, str) else as_text_column(origin(documents))
            for key, origin in self._metadata
        }
        if self._text:
            columns["text"] = as_text_column(self._text(documents)).fill_null("")
        return metadata_by_columns(columns, len(documents))


def _scan_of(mapping: Mapping) -> PathScan | None:
    """Return what reads a mapping's paths without parsing, None where they are more than that can follow."""
    values = [mapping.id, mapping.channel, mapping.user, *mapping.metadata.values()]
    values += [mapping.text] if mapping.text else []
    paths = [mapping.ts.path, *(condition.path for condition in mapping.when)]
    paths += [path for value in values for path in paths_of(value)]
    try:
        return PathScan(paths)
    except ValueError:
        return None


def _missing(column: list[Any] | pa.StringArray) -> list[int]:
    if isinstance(column, list):
        return [at for at, value in enumerate(column) if value is None] if None in column else []
    if not column.null_count:
        return []
    missing: list[int] = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False)).tolist()
    return missing


def _described(value: Value) -> str:
    return ", ".join(map(written, paths_of(value)))
