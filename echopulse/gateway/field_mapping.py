"""Which column of a file holds which field of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.gateway.rows import FIELDS, REQUIRED_FIELDS
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def parse_mapping(text: str) -> dict[str, str]:
    """Read `id=message_id,ts=created_at` as field -> column. Raises UsageError naming the entry and the near miss."""
    mapping: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        field, equals, column = (part.strip() for part in entry.partition("="))
        if not equals or not column:
            raise UsageError(f"--map {entry!r} is not FIELD=COLUMN", "write it as --map id=message_id,ts=created_at")
        if field not in FIELDS:
            raise UsageError(f"--map {entry!r}: an event has no field {field!r}", did_you_mean(field, FIELDS))
        if field in mapping:
            raise UsageError(f"--map {entry!r}: {field} is mapped already, to {mapping[field]!r}")
        mapping[field] = column
    return mapping


def columns_for(mapping: Mapping[str, str], present: Sequence[str], name: str) -> dict[str, str]:
    """Return field -> column for the columns that the file `name` has.

    Raises EchoPulseError where a required or a mapped column is missing, or two columns bear its name.
    """
    found: dict[str, str] = {}
    for field in FIELDS:
        column = mapping.get(field, field)
        count = present.count(column)
        if count > 1:
            raise EchoPulseError(f"{name} has {count} columns named {column!r}", "rename all but one")
        if count:
            found[field] = column
        elif field in REQUIRED_FIELDS or field in mapping:
            near = did_you_mean(column, present) if present else "it has no columns"
            raise EchoPulseError(
                f"{name} has no column {column!r} for {field}", f"{near}; --map {field}=COLUMN names another"
            )
    return found
