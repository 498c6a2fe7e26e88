"""What every strategy must keep, checked on hostile texts: length, type, and no row that depends on its batch."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.arrow import EVENT
from transforms.analysis import text_batch
from transforms.languages.codes import UNDETERMINED
from transforms.normalisation import normalise
from transforms.scoring import OutputError, checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transforms.strategy import Strategy

#: Far below what a score means, far above what 32-bit sums lose (2e-7 for the shipped transformer).
ROUNDING = 1e-5
#: One of each kind of trouble; the job passes on texts with at least one visible character, at most 4,096 long.
TEXTS = (
    "fine",
    "?",
    "\u0000 nul",
    "a\u200bb\u200dc",
    "e\u0301 combining",
    "مرحبا \u202eabc\u202c",
    "👨‍👩‍👧‍👦🏳️‍🌈🇺🇳",
    "ﷺ" * 200,
    "İ" * 100,
    "x" * 4_096,
    "#" * 50 + "a" + "@" * 50,
    "http://" + "a" * 500,
    "'; DROP TABLE events; --",
    "{{7*7}} ${jndi:ldap://x} %s %n",
    "NaN",
    "\\ud800",
    "i hate this stupid thing",
    "i love this lovely thing",
)


def batch_of(texts: Sequence[str]) -> pa.RecordBatch:
    """Return a batch as the job gives it to strategies: messages with these texts in one channel."""
    rows = len(texts)
    constant = {
        "ts": datetime(2026, 1, 1, tzinfo=UTC),
        "source": "conformance",
        "channel_id": "channel",
        "user_id": "user",
        "raw_payload": b"{}",
        "metadata": [],
    }
    arrays = [
        pa.array([str(row) for row in range(rows)], pa.string())
        if field.name == "id"
        else pa.array([constant[field.name]] * rows, field.type)
        for field in EVENT
    ]
    events = pa.RecordBatch.from_arrays(arrays, schema=EVENT)
    kinds, languages = (pa.array([value] * rows, pa.string()) for value in ("message", UNDETERMINED))
    return text_batch(events, kinds, normalise(pa.array(texts, pa.string())), languages)


def faults(strategy: Strategy, texts: Sequence[str] = TEXTS) -> list[str]:
    """Return what an opened strategy does wrong on these texts, in sentences; nothing where it conforms.

    Numbers of a row may differ by ROUNDING from batch to batch: the order in which a matrix product adds up may.
    """
    batch = batch_of(texts)
    try:
        together = checked(strategy, batch).to_pylist()
        checked(strategy, batch.slice(0, 0))
    except OutputError as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001 - whatever a user's strategy raises is what there is to tell
        return [f"raised {type(error).__name__}: {error}"]
    found = []
    turned = checked(strategy, batch.take(pa.array(range(len(texts) - 1, -1, -1)))).to_pylist()[::-1]
    for row, text in enumerate(texts):
        alone = checked(strategy, batch.slice(row, 1)).to_pylist()[0]
        if not (_alike(alone, together[row]) and _alike(alone, turned[row])):
            found.append(f"gives {alone} for {text[:40]!r} alone and {together[row]} in a batch")
    return found


def _alike(value: Any, other: Any) -> bool:  # noqa: ANN401 - whatever a strategy's type holds
    if isinstance(value, float) and isinstance(other, float):
        unsaid = math.isnan(value) and math.isnan(other)
        return math.isclose(value, other, rel_tol=0.0, abs_tol=ROUNDING) or value == other or unsaid
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(_alike(value[key], other[key]) for key in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_alike, value, other))
    return bool(value == other)
