"""Takes persons out of events before anything is written: user ids by keyed hash, texts by rule."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.redaction_rules import EMAIL, PHONE
from schemas.arrow import EVENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.redaction_rules import Redact
    from schemas.avro import DeadLetter

_HASH_DIGITS = 32


class _Person(NamedTuple):
    """A user, and the name that stands for it."""

    user: str
    name: str

    def out_of(self, text: str) -> str:
        """Return a text with the name wherever the user stands as a word of its own: no letter, digit or _ beside it.

        A pattern of `re` would do; compiling one for each user takes longer than all the rest.
        """
        user, end = self.user, 0
        at = text.find(user) if user else -1
        if at < 0:
            return text
        pieces: list[str] = []
        while at >= 0:
            behind = at + len(user)
            if (at and _in_word(text[at - 1])) or (behind < len(text) and _in_word(text[behind])):
                at = text.find(user, at + 1)
                continue
            pieces += [text[end:at], self.name]
            end = behind
            at = text.find(user, behind)
        return "".join([*pieces, text[end:]])


class Redaction:
    """Applies one source's rules; the same user has the same hash wherever the key is the same."""

    def __init__(self, wanted: Redact) -> None:
        """Compile the rules."""
        self._key = wanted.users.get_secret_value().encode() if wanted.users else b""
        self._user_keys = frozenset(wanted.user_keys)
        self._user_keys_written = [orjson.dumps(key) for key in wanted.user_keys]
        self._rules = [(rule.pattern, rule.replacement) for rule in wanted.rules]
        self._rules += [(EMAIL, "[email]")] * wanted.email + [(PHONE, r"\1[phone]")] * wanted.phone

    def hashed(self, user: str) -> str:
        """Return a user's pseudonym: HMAC-SHA256 under the key, 128 bits of it in hex; nothing stays nothing."""
        return hmac.digest(self._key, user.encode(), "sha256").hex()[:_HASH_DIGITS] if user else ""

    def apply(self, events: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch in schema EVENT without what must not be written: users first, then texts by rule."""
        if not events.num_rows or not (self._key or self._rules):
            return events
        columns = dict(zip(EVENT.names, events.columns, strict=True))
        if self._key:
            columns |= self._without_users(events)
        metadata = columns["metadata"]
        columns["raw_payload"] = self._by_rules(columns["raw_payload"])
        items = self._by_rules(metadata.items)
        columns["metadata"] = pa.MapArray.from_arrays(metadata.offsets, metadata.keys, items).cast(EVENT.field(6).type)
        return pa.RecordBatch.from_arrays([columns[name] for name in EVENT.names], schema=EVENT)

    def letter(self, letter: DeadLetter) -> DeadLetter:
        """Return a dead letter whose original, reason and id say no more than an event would.

        Where users are hashed, an original without a known user may hold one anywhere: it is withheld, its size told.
        """
        if not (self._key or self._rules):
            return letter
        original, event_id, reason = letter.original, letter.event_id, letter.reason
        if self._key:
            digest = hmac.digest(self._key, original, "sha256").hex()[:_HASH_DIGITS]
            original = f"withheld: {len(original)} bytes, HMAC-SHA256 {digest}".encode()
            event_id = self.hashed(event_id)
            reason = reason.partition(", found ")[0].partition(": '")[0]
        texts = self._by_rules(pa.array([event_id, reason], pa.string())).to_pylist()
        clean = self._by_rules(pa.array([original], pa.binary()))[0].as_py()
        return replace(letter, event_id=texts[0], reason=texts[1], original=clean)

    def _by_rules(self, texts: pa.Array) -> pa.Array:
        for pattern, replacement in self._rules:
            texts = pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
        return texts

    def _without_users(self, events: pa.RecordBatch) -> dict[str, pa.Array]:
        coded = events.column("user_id").dictionary_encode()
        # A user is hashed once a batch.
        found = [_Person(user, self.hashed(user)) for user in coded.dictionary.to_pylist()]
        persons = [found[code] for code in coded.indices.to_numpy().tolist()]
        metadata = events.column("metadata")
        offsets = metadata.offsets.to_numpy()
        first, last = int(offsets[0]), int(offsets[-1])
        owners = np.repeat(np.arange(len(persons)), np.diff(offsets)).tolist()
        items = _replaced(_listed(metadata.items.slice(first, last - first)), [persons[row] for row in owners])
        # A payload is JSON of any shape, in which a user may stand anywhere: it is read one by one.
        payloads = list(map(self._payload, _listed(events.column("raw_payload")), persons))
        return {
            "id": pa.array(_replaced(_listed(events.column("id")), persons), pa.string()),
            "user_id": pa.array([person.name for person in found], pa.string()).take(coded.indices),
            "raw_payload": pa.array(payloads, pa.binary()),
            "metadata": pa.MapArray.from_arrays(
                pa.array(offsets - first), metadata.keys.slice(first, last - first), pa.array(items, pa.string())
            ).cast(EVENT.field(6).type),
        }

    def _payload(self, raw: bytes, person: _Person) -> bytes:
        # Behind an escape anything may be hidden.
        wanted = [person.user.encode(), *self._user_keys_written] if person.user else self._user_keys_written
        if b"\\" not in raw and not any(part in raw for part in wanted):
            return raw
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return person.out_of(raw.decode(errors="replace")).encode()
        return orjson.dumps(self._walked(document, person))

    def _walked(self, value: Any, person: _Person) -> Any:  # noqa: ANN401 any JSON
        kind = type(value)
        if kind is str:
            return person.out_of(value)
        if kind is dict:
            keys = self._user_keys
            return {
                person.out_of(key): self.hashed(str(item))
                if key in keys and isinstance(item, str | int)
                else self._walked(item, person)
                for key, item in value.items()
            }
        if kind is list:
            return [self._walked(item, person) for item in value]
        return person.name if kind is int and str(value) == person.user else value


def _replaced(texts: list[str], persons: Sequence[_Person]) -> list[str]:
    return [person.out_of(text) for text, person in zip(texts, persons, strict=True)]


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _listed(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
    return values
