"""Event times as a mapping finds them in frames: ISO 8601, or a number of a unit."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.gateway.event_time import milliseconds
from echopulse.gateway.mapping_columns import found_at
from echopulse.gateway.mapping_paths import written

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from echopulse.gateway.mapping import TimeFormat
    from echopulse.gateway.mapping_columns import Documents
    from echopulse.gateway.mapping_paths import Keys
    from echopulse.gateway.rows import Faults

#: Milliseconds in a unit of time, as a fraction.
_UNITS: dict[str, tuple[int, int]] = {"s": (1_000, 1), "ms": (1, 1), "us": (1, 1_000)}
_FAR_MS = 2**53
_SHOWN_CHARACTERS = 60


def stamps(documents: Documents, path: Keys, form: TimeFormat, faults: Faults) -> list[int | None] | pa.Int64Array:
    """Read the times at a path as ms UTC; what is none is named in `faults`."""
    if form in _UNITS:
        times, by = _UNITS[form]
        numbers = _whole_numbers(documents, path)
        # What is farther would not fit when it is multiplied.
        if numbers is not None and len(numbers) and np.abs(numbers).max() <= _FAR_MS:
            exact = numbers * times // by
            if np.abs(exact).max() <= _FAR_MS:
                return pa.array(exact)
    values = found_at(documents, path)
    found: list[int | None] = [None] * len(values)
    for at, value in enumerate(values):
        try:
            found[at] = to_milliseconds(value, form)
        except ValueError as error:
            faults.setdefault(at, ("validate", f"ts at {written(path)}: {error}"))
    return found


def to_milliseconds(value: object, form: TimeFormat) -> int:
    """Read a time written as `form` as ms UTC, finer fractions cut. Raises ValueError naming the value that is none."""
    if value is None:
        raise ValueError("no value")
    if form == "iso":
        if not isinstance(value, str) or value.strip().lstrip("-").replace(".", "").isdigit():
            raise ValueError(f"{_shown(value)} is not ISO 8601 text")
        return milliseconds(value)
    number = _number(value, form)
    times, by = _UNITS[form]
    if (isinstance(number, float) and not math.isfinite(number)) or abs(number * times // by) > _FAR_MS:
        raise ValueError(f"{_shown(value)} {form} is beyond any calendar")
    # A float of seconds is a little off its decimal form: 1.001 * 1000 is 1000.9999999999999.
    return number * times // by if isinstance(number, int) else math.floor(round(number * times / by, 3))


def _whole_numbers(documents: Documents, keys: Keys) -> NDArray[np.int64] | None:
    """Return the values at a path where all are whole numbers of 64 bits, else None."""
    if not isinstance(documents, list):
        return documents.numbers(keys)
    values = found_at(documents, keys)
    if set(map(type, values)) != {int}:
        return None
    try:
        return np.array(values, np.int64)
    except OverflowError:
        return None


def _number(value: object, form: TimeFormat) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return int(value) if value.isdigit() else float(value)
    raise ValueError(f"{_shown(value)} is not a number of {form}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
