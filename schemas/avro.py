"""Results and dead letters as Avro datums, the bytes that Flink's own Avro format writes and reads."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import fastavro

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Header of every Avro record on Kafka: the Rabin fingerprint of the schema it was written with.
FINGERPRINT_HEADER = "schema"


@dataclass(frozen=True)
class DeadLetter:
    """One event that failed, at `ts` (ms UTC); `origin` is file:line, topic/partition/offset or a source's name."""

    stage: str
    reason: str
    origin: str
    event_id: str
    ts: int
    original: bytes


@dataclass(frozen=True)
class LetterReplay:
    """That the dead letter `letter` (topic-partition-offset) was replayed at `ts` (ms UTC).

    It became the record `destination` (topic/partition/offset) at the `attempt`-th try, counted from 1, of the event
    whose `first` letter is named; `outcome` is `sent`, or `filtered` where its mapping leaves it out.
    """

    letter: str
    first: str
    attempt: int
    outcome: str
    destination: str
    ts: int


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a shipped Avro schema, parsed: `analysis_result`, `shadow_result`, `dead_letter` or another."""
    text = resources.files("schemas").joinpath(f"{name}.avsc").read_text(encoding="utf-8")
    parsed = fastavro.parse_schema(json.loads(text))
    if not isinstance(parsed, dict):
        message = f"{name}.avsc is not a record"
        raise TypeError(message)
    return parsed


@cache
def fingerprint(name: str) -> str:
    """Return a shipped schema's CRC-64-AVRO (Rabin) fingerprint, 16 hex digits (Avro 1.12, "Schema Fingerprints")."""
    text = resources.files("schemas").joinpath(f"{name}.avsc").read_text(encoding="utf-8")
    canonical = fastavro.schema.to_parsing_canonical_form(json.loads(text))
    return fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")


def encode_dead_letters(letters: Iterable[DeadLetter]) -> list[bytes]:
    """Encode dead letters as Avro datums; they are few, so one at a time."""
    return [_written("dead_letter", letter) for letter in letters]


def decode_dead_letter(datum: bytes) -> DeadLetter:
    """Decode one dead letter; `ts` comes back in ms UTC."""
    fields = _read("dead_letter", datum)
    return DeadLetter(**{**fields, "ts": round(fields["ts"].timestamp() * 1000)})


def encode_letter_replay(replay: LetterReplay) -> bytes:
    """Encode that a letter was replayed."""
    return _written("letter_replay", replay)


def decode_letter_replay(datum: bytes) -> LetterReplay:
    """Decode that a letter was replayed; `ts` comes back in ms UTC."""
    fields = _read("letter_replay", datum)
    return LetterReplay(**{**fields, "ts": round(fields["ts"].timestamp() * 1000)})


def decode_analysis(datum: bytes) -> dict[str, Any]:
    """Decode one AnalysisResult into a dict; `ts` is an aware UTC datetime."""
    return _read("analysis_result", datum)


def decode_shadow(datum: bytes) -> dict[str, Any]:
    """Decode one ShadowResult into a dict; `ts` is an aware UTC datetime."""
    return _read("shadow_result", datum)


def _written(name: str, record: DeadLetter | LetterReplay) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema(name), asdict(record))
    return buffer.getvalue()


def _read(name: str, datum: bytes) -> dict[str, Any]:
    record = fastavro.schemaless_reader(io.BytesIO(datum), schema(name), None)
    if not isinstance(record, dict):
        message = f"a datum of {name} is not a record"
        raise TypeError(message)
    return record
