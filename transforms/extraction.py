"""The scorable text of an event: from its metadata, else from the platform's own JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from transforms.buffers import constant, string_buffers
from transforms.kernels.payloads import mark_objects

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Top-level fields of a payload that may hold the text, the first that is a string wins.
TEXT_FIELDS = ("text", "content", "message")

_SCHEMA = pa.schema([pa.field(name, pa.string()) for name in TEXT_FIELDS])
_PARSE = pa_json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")


@dataclass(frozen=True)
class Extracted:
    """One text a row ('' where a payload has none), and the rows that could not be read, each with its reason."""

    texts: pa.StringArray
    bad_rows: NDArray[np.int64]
    reasons: list[str]


def lookup(metadata: pa.MapArray, key: str) -> pa.StringArray:
    """Return each row's value of `key` (the first), null where it has none."""
    # pc.map_lookup does the same at 390 ns a row; this takes 60 (a batch of 20,000 with two entries a row).
    offsets = np.frombuffer(metadata.buffers()[1], np.int32)[metadata.offset : metadata.offset + len(metadata) + 1]
    found = np.flatnonzero(pc.equal(metadata.keys, key).to_numpy(zero_copy_only=False))
    rows = np.searchsorted(offsets, found, side="right") - 1
    inside = (rows >= 0) & (rows < len(metadata))
    rows, first = np.unique(rows[inside], return_index=True)
    values = metadata.items.take(pa.array(found[inside][first]))
    if len(rows) == len(metadata):
        return values
    mask = np.zeros(len(metadata), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(pa.nulls(len(metadata), pa.string()), pa.array(mask), values)


def extract(metadata: pa.MapArray, payloads: pa.BinaryArray) -> Extracted:
    """Take each row's text from metadata["text"], else from its payload's `text`, `content` or `message`."""
    supplied = lookup(metadata, "text")
    if supplied.null_count == len(supplied):
        return extract_payloads(payloads)
    wanting = pc.is_null(supplied)
    parsed = extract_payloads(payloads.filter(wanting))
    rows = np.flatnonzero(wanting.to_numpy(zero_copy_only=False))
    return Extracted(pc.replace_with_mask(supplied, wanting, parsed.texts), rows[parsed.bad_rows], parsed.reasons)


def extract_payloads(payloads: pa.BinaryArray) -> Extracted:
    """Read the text of JSON payloads; one that is not a JSON object in UTF-8 is a bad row, the others are unharmed."""
    values, offsets = string_buffers(payloads)
    whole = np.empty(len(payloads), np.bool_)
    mark_objects(values, offsets, whole)
    if whole.all():
        texts = _parse_together(payloads)
        return _parse_each(payloads) if texts is None else Extracted(texts, np.zeros(0, np.int64), [])
    mask = pa.array(~whole)
    rest = _parse_each(payloads.filter(mask))
    rows = np.flatnonzero(~whole)
    sound = payloads.filter(pa.array(whole))
    texts = _parse_together(sound)
    if texts is None:
        return _parse_each(payloads)
    joined = pa.concat_arrays([texts, rest.texts])
    order = np.empty(len(payloads), np.int64)
    order[whole] = np.arange(len(sound))
    order[~whole] = np.arange(len(sound), len(payloads))
    return Extracted(joined.take(pa.array(order)), rows[rest.bad_rows], rest.reasons)


def _parse_together(payloads: pa.BinaryArray) -> pa.StringArray | None:
    """Parse payloads that are one object each as one stream of objects; None where one of them is at fault.

    Measured on tweets in JSON: 0.6 µs a row, against 1.3 µs for a loop over orjson.
    """
    if not len(payloads):
        return pa.array([], pa.string())
    try:
        payloads.cast(pa.string())
        _, offsets = string_buffers(payloads)
        size = int(offsets[-1] - offsets[0])
        stream = pa.BufferReader(payloads.buffers()[2].slice(int(offsets[0]), size))
        options = pa_json.ReadOptions(use_threads=False, block_size=size + 1)
        table = pa_json.read_json(stream, options, _PARSE)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(payloads):
        return None
    return pc.coalesce(*(column.combine_chunks() for column in table.columns), "")


def _parse_each(payloads: pa.BinaryArray) -> Extracted:
    # A loop over rows, for payloads that are no object or a batch with a faulty one: only so is each row's fault told.
    texts: list[str] = []
    bad_rows: list[int] = []
    reasons: list[str] = []
    for row, payload in enumerate(payloads.to_pylist()):
        text = ""
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            bad_rows.append(row)
            reasons.append(f"payload is not JSON: {error}")
        else:
            if isinstance(document, dict):
                text = next((document[name] for name in TEXT_FIELDS if isinstance(document.get(name), str)), "")
            else:
                bad_rows.append(row)
                reasons.append(f"payload is JSON but not an object: {type(document).__name__}")
        texts.append(text)
    return Extracted(pa.array(texts, pa.string()), np.array(bad_rows, np.int64), reasons)


def no_text(rows: int) -> pa.StringArray:
    """Return empty texts for events that carry none."""
    return constant("", rows, pa.string())
