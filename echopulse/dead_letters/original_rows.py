"""The originals of refused rows and frames, read again the way they were read the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from echopulse.gateway.csv_rows import csv_rows
from echopulse.gateway.field_mapping import parse_mapping
from echopulse.gateway.framed import Frame
from echopulse.gateway.jsonl import json_rows
from echopulse.gateway.mapper import Mapper
from echopulse.gateway.mapping import load_mapping
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.original_form import OriginalForm
    from echopulse.gateway.rows import Rows


class NoMappingError(EchoPulseError):
    """The mapping that originals are to be read by cannot be had."""


class Originals(NamedTuple):
    """Originals as rows; `rows.numbers` are their places from 1, `filtered` the places from 0 that are no rows."""

    rows: Rows
    filtered: list[int]


def read_originals(originals: Sequence[bytes], form: OriginalForm, mapping: str = "") -> Originals:
    """Read originals of one form; `mapping` names another for frames. Raises NoMappingError."""
    try:
        if form.form == "frame":
            return _frames(originals, mapping or form.mapping)
        fields = parse_mapping(form.mapping)
        rows = json_rows(originals, fields) if form.form == "object" else _csv(originals, form, fields)
    except NoMappingError:
        raise
    except EchoPulseError as error:
        raise NoMappingError(error.message, error.hint) from error
    return _with_all(originals, rows)


def _csv(originals: Sequence[bytes], form: OriginalForm, fields: dict[str, str]) -> Rows:
    return csv_rows(originals, form.columns, fields, "the file")


def _with_all(originals: Sequence[bytes], rows: Rows) -> Originals:
    read = set(rows.numbers)
    return Originals(rows, [place for place in range(len(originals)) if place + 1 not in read])


def _frames(originals: Sequence[bytes], name: str) -> Originals:
    if not name:
        raise NoMappingError("the mapping of its source is not known", "name it: --mapping FILE")
    mapped = Mapper(load_mapping(name)).apply([Frame(data) for data in originals])
    return _with_all(originals, mapped.rows)
