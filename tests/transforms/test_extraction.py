"""What events say, out of metadata and payloads."""

from __future__ import annotations

import json

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EVENT
from transforms.extraction import TEXT_FIELDS, Extracted, extract, lookup, lookups

SAID = ("texts", "kinds", "target", "reply_to", "thread", "language", "emotes")

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TEXT_FIELDS, "other"]), inner, max_size=4)
    ),
    max_leaves=8,
)
_PAYLOADS = st.one_of(
    _JSON.map(lambda value: json.dumps(value).encode()),
    _JSON.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")),
    st.binary(max_size=20),
    st.sampled_from(
        [b"{}", b'{"a":[{', b"}]}", b'{"text":"a"}{"text":"b"}', b'{"text":"a"},', b'"{}"', b"{}\n{}", b"[{}]"]
    ),
)


def _events(*rows: tuple[str, bytes, dict[str, str]]) -> pa.RecordBatch:
    """Events of a source with a payload and metadata."""
    return pa.RecordBatch.from_pylist(
        [
            {
                "id": str(place),
                "source": source,
                "channel_id": "c",
                "user_id": "u",
                "raw_payload": payload,
                "metadata": list(metadata.items()),
            }
            for place, (source, payload, metadata) in enumerate(rows)
        ],
        schema=EVENT,
    )


def _extracted(*rows: tuple[str, bytes, dict[str, str]]) -> Extracted:
    events = _events(*rows)
    return extract(events, lookup(events.column("metadata"), "kind"))


def _said(extracted: Extracted, row: int) -> dict[str, str]:
    return {name: value for name in SAID if (value := getattr(extracted, name)[row].as_py())}


def _oracle(payload: bytes) -> str | None:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    return next((document[name] for name in TEXT_FIELDS if isinstance(document.get(name), str) and document[name]), "")


@given(st.lists(_PAYLOADS, max_size=8))
def test_plain_payloads_against_one_at_a_time(payloads: list[bytes]) -> None:
    """Reading a batch together gives what reading each payload alone gives, faults and neighbours included."""
    extracted = _extracted(*(("test", payload, {}) for payload in payloads))
    expected = [_oracle(payload) for payload in payloads]
    assert extracted.texts.to_pylist() == [text or "" for text in expected]
    assert extracted.bad_rows.tolist() == [row for row, text in enumerate(expected) if text is None]
    assert len(extracted.reasons) == len(extracted.bad_rows)


def test_slices() -> None:
    """Batches that begin within a buffer are read from where they begin."""
    events = _events(
        *(("s", payload, {"n": "1"}) for payload in (b'{"text":"a"}', b'{"text":"b"}', b'{"text":"c"}', b"x"))
    )
    kinds = lookup(events.column("metadata"), "kind")
    assert extract(events[1:3], kinds[1:3]).texts.to_pylist() == ["b", "c"]
    assert extract(events[2:], kinds[2:]).bad_rows.tolist() == [1]


_MAPS = st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=3)), max_size=3), max_size=6)


@given(maps=_MAPS, low=st.integers(0, 3), key=st.sampled_from("abc"))
def test_lookup_against_a_loop(maps: list[list[tuple[str, str]]], low: int, key: str) -> None:
    """The first value of a key, or null, for whole arrays and slices."""
    metadata = pa.array(maps, pa.map_(pa.string(), pa.string()))[low:]
    expected = [next((value for name, value in pairs if name == key), None) for pairs in maps[low:]]
    assert lookup(metadata, key).to_pylist() == expected
    assert lookups(metadata, tuple({"d", key, "a"}))[key].to_pylist() == expected


def test_metadata_first() -> None:
    """What the metadata says is final, and a payload whose text is not wanted may be anything."""
    told = {"text": "m", "kind": "edit", "target": "t", "reply_to": "r", "thread": "h", "language": "de", "emotes": "E"}
    whole = orjson.dumps({"id": "1", "content": "p <:own:123>", "message_reference": {"message_id": "9"}})
    extracted = _extracted(
        ("discord", whole, told), ("test", b"x", {"text": "m"}), ("discord", b"y", {"text": "n"}), ("test", b"z", {})
    )
    expected = {"texts": "m", "kinds": "edit", **{name: told[name] for name in SAID[2:]}}
    assert _said(extracted, 0) == expected
    assert _said(extracted, 1) == {"texts": "m", "kinds": "message"}
    assert _said(extracted, 2) == {"texts": "n", "kinds": "message"}
    assert extracted.bad_rows.tolist() == [3]


def test_payload_where_metadata_is_silent() -> None:
    """Beside a supplied text, a payload of a known platform says the rest."""
    payload = orjson.dumps({"id": "1", "content": "p <:own:123>", "message_reference": {"message_id": "9"}})
    assert _said(_extracted(("discord", payload, {"text": "m"})), 0) == {
        "texts": "m",
        "kinds": "message",
        "reply_to": "9",
        "emotes": "own",
    }


@pytest.mark.parametrize("kind", ["edit", "delete", "reaction"])
def test_an_event_about_another_that_names_it_as_answered(kind: str) -> None:
    """Without a target, the id that an edit, a delete or a reaction replies to is its target: the simulator's form."""
    said = _said(_extracted(("twitch", b'{"text":""}', {"kind": kind, "reply_to": "9"})), 0)
    assert said == {"kinds": kind, "target": "9", "reply_to": "9"}


def test_kinds_without_text() -> None:
    """A delete or join has no text, whatever is in it, and its payload may be anything; so has a kind of one's own."""
    extracted = _extracted(
        ("test", b"x", {"kind": "delete"}),
        ("test", b'{"text": "a", "target": "9"}', {"kind": "delete"}),
        ("test", b"x", {"kind": "join", "text": "a"}),
        ("test", b'{"text": "a"}', {"kind": "own"}),
    )
    assert [_said(extracted, row) for row in range(4)] == [
        {"kinds": "delete"},
        {"kinds": "delete", "target": "9"},
        {"kinds": "join"},
        {"kinds": "own"},
    ]
    assert extracted.bad_rows.tolist() == []


def test_nothing_at_all() -> None:
    """An empty batch has empty columns."""
    extracted = _extracted()
    assert all(len(getattr(extracted, name)) == 0 for name in SAID)
    assert extracted.reasons == []
