"""The values at the paths of a plan, a column each: all rows parsed as one stream, rows at fault one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from transforms.payloads.streams import column_at, parse_stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.payloads.declaration import Plan
    from transforms.payloads.paths import Path

_WEBVTT = re.compile(rb"(\xef\xbb\xbf)?WEBVTT\s")


@dataclass(frozen=True)
class Leaves:
    """What stands at each path: a text or null a row, behind a list a list of texts; and the rows without any."""

    columns: dict[Path, pa.Array]
    bad_rows: NDArray[np.int64]
    reasons: list[str]


def read_together(payloads: pa.BinaryArray, slim: pa.BinaryArray, plan: Plan) -> Leaves:
    """Read payloads that are whole, by what kernels.payloads.slim_objects leaves of them."""
    objects, faults = parse_stream(payloads, slim, plan)
    if objects is None:
        return read_each(payloads, plan)
    columns = {path: column_at(objects, path) for path in (*plan.words, *plan.ids)}
    if not faults.any():
        return Leaves(columns, np.zeros(0, np.int64), [])
    at_fault = np.flatnonzero(faults)
    rest = read_each(payloads.filter(pa.array(faults)), plan)
    order = np.empty(len(payloads), np.int64)
    order[~faults] = np.arange(len(objects))
    order[at_fault] = np.arange(len(objects), len(payloads))
    joined = {path: pa.concat_arrays([columns[path], rest.columns[path]]).take(pa.array(order)) for path in columns}
    return Leaves(joined, at_fault[rest.bad_rows], rest.reasons)


def read_each(payloads: pa.BinaryArray, plan: Plan) -> Leaves:
    """Read payloads one at a time: what is no JSON object nor WebVTT is bad, a value of another type is none."""
    # A loop over rows, for payloads that cannot join a stream: only so is each row's fault told.
    documents: list[dict[str, Any]] = []
    bad_rows: list[int] = []
    reasons: list[str] = []
    for row, payload in enumerate(payloads.to_pylist()):
        document, reason = _document(payload)
        documents.append(document)
        if reason:
            bad_rows.append(row)
            reasons.append(reason)
    columns = {}
    for paths, numbers in ((plan.words, False), (plan.ids, True)):
        for path in paths:
            type_ = pa.list_(pa.string()) if path.listed else pa.string()
            columns[path] = pa.array([path.find(document, numbers=numbers) for document in documents], type_)
    return Leaves(columns, np.array(bad_rows, np.int64), reasons)


def _document(payload: bytes) -> tuple[dict[str, Any], str]:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return _captions(payload, f"payload is not JSON: {error}")
    if isinstance(document, dict):
        return document, ""
    return {}, f"payload is JSON but not an object: {type(document).__name__}"


def _captions(payload: bytes, otherwise: str) -> tuple[dict[str, Any], str]:
    """Take a file of WebVTT, the one form of payload that is not JSON, for a document with that field."""
    if not _WEBVTT.match(payload):
        return {}, otherwise
    try:
        return {"webvtt": payload.decode("utf-8-sig")}, ""
    except UnicodeDecodeError:
        return {}, otherwise
