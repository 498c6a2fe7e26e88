"""No person in what is written."""

from __future__ import annotations

import hmac
import json
import re

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echopulse.gateway.redaction import Redaction
from echopulse.gateway.redaction_rules import Redact, Rule
from schemas.arrow import EVENT
from schemas.avro import DeadLetter

_KEY = "k" * 32
_ANN = hmac.digest(_KEY.encode(), b"ann", "sha256").hex()[:32]


def _events(*rows: tuple[str, str, bytes, str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "id": name,
                "ts": 0,
                "source": "s",
                "channel_id": "c",
                "user_id": user,
                "raw_payload": raw,
                "metadata": [("text", text)],
            }
            for name, user, raw, text in rows
        ],
        schema=EVENT,
    )


def test_users_are_hashed_wherever_they_stand() -> None:
    """In the column, the id, the payload's keys and values and the metadata; parts of other words are left."""
    raw = orjson.dumps(
        {"author": {"name": "ann", "uid": 7}, "text": "hi @ann, annual", "by": {"ann": [True, 1, "ann"]}}
    )
    redaction = Redaction(Redact(users=_KEY, user_keys=["uid"]))
    (row,) = redaction.apply(_events(("ann/1", "ann", raw, "ann says"))).to_pylist()
    assert (row["id"], row["user_id"], row["metadata"]) == (f"{_ANN}/1", _ANN, [("text", f"{_ANN} says")])
    assert orjson.loads(row["raw_payload"]) == {
        "author": {"name": _ANN, "uid": redaction.hashed("7")},
        "text": f"hi @{_ANN}, annual",
        "by": {_ANN: [True, 1, _ANN]},
    }


@given(st.lists(st.tuples(st.sampled_from(["", "ann", "bob", "12"]), st.text(max_size=20)), max_size=8))
@settings(deadline=None)
def test_a_batch_is_its_rows_one_by_one(rows: list[tuple[str, str]]) -> None:
    """Also as a slice of a larger batch."""
    redaction = Redaction(Redact(users=_KEY, email=True))
    batch = _events(
        *((f"e{n}", user, orjson.dumps({"u": user, "t": text}), text) for n, (user, text) in enumerate(rows))
    )
    whole = redaction.apply(batch).to_pylist()
    assert whole == [row for n in range(len(rows)) for row in redaction.apply(batch.slice(n, 1)).to_pylist()]


@given(st.text("ab_ é-1٣ß", max_size=12), st.text("ab_é-1", min_size=1, max_size=3))
@settings(deadline=None)
def test_a_user_is_a_word_as_a_pattern_would_find_it(text: str, user: str) -> None:
    """In id, metadata and payload, of any script; where it is written with escapes too."""
    redaction = Redaction(Redact(users=_KEY))
    name = redaction.hashed(user)
    clean = re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", name, text)
    for raw in (orjson.dumps([text, {text: 1}]), json.dumps([text, {text: 1}]).encode()):
        (row,) = redaction.apply(_events((text, user, raw, text))).to_pylist()
        assert (row["id"], row["metadata"]) == (clean, [("text", clean)])
        assert orjson.loads(row["raw_payload"]) == [clean, {clean: 1}] or user == "1"


def test_a_payload_without_the_user_is_left_as_it_is() -> None:
    """Byte by byte; one that may hide it behind an escape, or a user's key, is read."""
    redaction = Redaction(Redact(users=_KEY, user_keys=["uid"]))
    (row,) = redaction.apply(_events(("e", "ann", b'{ "text" : "hi" }', ""))).to_pylist()
    assert row["raw_payload"] == b'{ "text" : "hi" }'
    (row,) = redaction.apply(_events(("e", "ann", b'{"text":"\\u0061nn","uid":"bob"}', ""))).to_pylist()
    assert orjson.loads(row["raw_payload"]) == {"text": _ANN, "uid": redaction.hashed("bob")}
    (row,) = redaction.apply(_events(("e", "12", b'{"n":12,"m":-12,"f":12.0,"t":true}', ""))).to_pylist()
    assert orjson.loads(row["raw_payload"]) == {"n": redaction.hashed("12"), "m": -12, "f": 12.0, "t": True}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mail a.b+c@example.co.uk now", "mail [email] now"),
        ("call +49 30 1234567!", "call [phone]!"),
        ("call 555-123-4567", "call [phone]"),
        ("at 12:00:00.123-0500 (030) 123-4567,555 123 4567", "at 12:00:00.123-0500 [phone],[phone]"),
        ("+49 300 1234 567, tel:555 123 4567, tel:030.123-4567", "[phone], tel:[phone], tel:[phone]"),
        ("1:555.123.4567 me.555-123-4567", "1:[phone] me.[phone]"),
        ("on 2026-01-31 for 12.50", "on 2026-01-31 for 12.50"),
        ("card 1234", "card ****"),
    ],
)
def test_texts_by_rule(text: str, clean: str) -> None:
    """In payload and metadata alike."""
    wanted = Redact(email=True, phone=True, rules=[Rule(pattern="card [0-9]+", replacement="card ****")])
    (row,) = Redaction(wanted).apply(_events(("e", "u", text.encode(), text))).to_pylist()
    assert (row["raw_payload"].decode(), row["metadata"]) == (clean, [("text", clean)])


def test_a_letter_tells_no_more_than_an_event() -> None:
    """With hashed users an original is withheld; with rules alone it is cleaned."""
    letter = DeadLetter("parse", "not JSON", "s:1", "ann/1", 0, b"{ann a@b.cd")
    assert Redaction(Redact(email=True)).letter(letter).original == b"{ann [email]"
    hashed = Redaction(Redact(users=_KEY)).letter(letter)
    assert hashed.original.startswith(b"withheld: 11 bytes, HMAC-SHA256 ")
    assert "ann" not in hashed.event_id
