"""Mappings at work: sample frames of public streams, filters, and frames that do not fit."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.framed import Frame
from echopulse.gateway.mapper import Mapper
from echopulse.gateway.mapping import Mapping, TimeFormat, load_mapping
from echopulse.gateway.mapping_times import to_milliseconds

if TYPE_CHECKING:
    from echopulse.gateway.mapped_rows import Mapped

_SMALL: dict[str, Any] = {"source": "s", "id": "id", "ts": {"path": "t", "format": "ms"}, "channel": "c", "user": "u"}

_POST: dict[str, Any] = {
    "did": "did:plc:abc",
    "time_us": 1_767_225_600_123_456,
    "kind": "commit",
    "commit": {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "3kxyz",
        "record": {
            "$type": "app.bsky.feed.post",
            "createdAt": "2026-01-01T00:00:00.100Z",
            "langs": ["pt", "en"],
            "text": 'bom dia "a todos" 🌞',
            "reply": {"root": {"uri": "at://r"}, "parent": {"uri": "at://p"}},
        },
    },
}


def _map(mapping: Mapping, *documents: Any) -> Mapped:  # noqa: ANN401 - any JSON
    frames = [Frame(document if isinstance(document, bytes) else orjson.dumps(document)) for document in documents]
    return Mapper(mapping).apply(frames)


def _row(mapped: Mapped) -> dict[str, Any]:
    assert mapped.rows.faults == {}
    (row,) = mapped.rows.columns.to_pylist()
    return {**row, "meta": dict(row["meta"])}


def test_a_bluesky_post_is_an_event() -> None:
    """Text, language and thread are found; the frame is kept whole."""
    row = _row(_map(load_mapping("bluesky"), _POST))

    assert row == {
        "id": "did:plc:abc/3kxyz",
        "ts": 1_767_225_600_123,
        "source": "bluesky",
        "channel": "bluesky-pt",
        "user": "did:plc:abc",
        "raw": orjson.dumps(_POST),
        "meta": {
            "kind": "message",
            "language": "pt",
            "reply_to": "at://p",
            "thread": "at://r",
            "created_at": "2026-01-01T00:00:00.100Z",
            "text": 'bom dia "a todos" 🌞',
        },
    }


#: As EventStreams sends it (schema mediawiki/recentchange/1.0.0), with a comment of our own.
_EDIT: dict[str, Any] = {
    "$schema": "/mediawiki/recentchange/1.0.0",
    "meta": {
        "uri": "https://en.wikipedia.org/wiki/Tea",
        "request_id": "7f0c",
        "id": "b0caf18d",
        "dt": "2026-01-01T00:00:00.250Z",
        "domain": "en.wikipedia.org",
        "stream": "mediawiki.recentchange",
        "topic": "eqiad.mediawiki.recentchange",
        "partition": 0,
        "offset": 12,
    },
    "id": 1,
    "type": "edit",
    "namespace": 0,
    "title": "Tea",
    "comment": "a typo",
    "timestamp": 1_767_225_600,
    "user": "Ann",
    "bot": False,
    "minor": True,
    "length": {"old": 10, "new": 11},
    "revision": {"old": 1, "new": 2},
    "wiki": "enwiki",
}


def test_a_wikimedia_edit_is_an_event() -> None:
    """The edit's comment is the text; its time is that of the event, not the whole second of the edit."""
    row = _row(_map(load_mapping("wikimedia"), _EDIT))

    assert row == {
        "id": "b0caf18d",
        "ts": 1_767_225_600_250,
        "source": "wikimedia",
        "channel": "wikimedia-enwiki",
        "user": "Ann",
        "raw": orjson.dumps(_EDIT),
        "meta": {
            "kind": "message",
            "title": "Tea",
            "bot": "false",
            "page": "https://en.wikipedia.org/wiki/Tea",
            "text": "a typo",
        },
    }


def test_other_wikimedia_frames_are_filtered() -> None:
    """A log entry, a categorisation and a canary event (by its domain) are no failures."""
    canary = {**_EDIT, "meta": {**_EDIT["meta"], "domain": "canary"}}

    mapped = _map(load_mapping("wikimedia"), {**_EDIT, "type": "log"}, {**_EDIT, "type": "categorize"}, canary)

    assert (mapped.filtered, len(mapped.rows.columns), mapped.rows.faults) == (3, 0, {})


def test_other_bluesky_frames_are_filtered() -> None:
    """A like and an account event are no failures."""
    like = {**_POST, "commit": {**_POST["commit"], "collection": "app.bsky.feed.like"}}

    mapped = _map(load_mapping("bluesky"), like, {"kind": "identity", "did": "x", "time_us": 1}, _POST)

    assert (mapped.filtered, mapped.rows.columns.num_rows, mapped.rows.numbers) == (2, 1, [3])


def test_a_wikimedia_change_is_an_event() -> None:
    """ISO time, truth values as text."""
    change = {
        "$schema": "/mediawiki/recentchange/1.0.0",
        "meta": {
            "uri": "https://en.wikipedia.org/wiki/A",
            "id": "u-1",
            "domain": "en.wikipedia.org",
            "dt": "2026-01-01T00:00:01Z",
        },
        "type": "edit",
        "title": "A",
        "comment": "typo",
        "user": "Somebody",
        "bot": False,
        "wiki": "enwiki",
    }

    row = _row(_map(load_mapping("wikimedia"), change))

    assert (row["id"], row["ts"], row["channel"], row["user"]) == (
        "u-1",
        1_767_225_601_000,
        "wikimedia-enwiki",
        "Somebody",
    )
    assert row["meta"] == {
        "kind": "message",
        "title": "A",
        "bot": "false",
        "page": "https://en.wikipedia.org/wiki/A",
        "text": "typo",
    }


def test_a_mastodon_status_is_an_event() -> None:
    """A null language takes the default; the bare id of a delete is filtered."""
    status = {
        "id": "1",
        "uri": "https://m.example/users/a/statuses/1",
        "created_at": "2026-01-01T00:00:02.500Z",
        "content": "<p>salut</p>",
        "language": None,
        "in_reply_to_id": None,
        "visibility": "public",
        "url": "https://m.example/@a/1",
        "account": {"acct": "a"},
    }

    mapped = _map(load_mapping("mastodon"), status, b"113")
    row = _row(mapped)

    assert mapped.filtered == 1
    assert (row["channel"], row["ts"], row["meta"]["language"]) == ("mastodon-und", 1_767_225_602_500, "und")
    assert "reply_to" not in row["meta"]


def test_a_frame_that_does_not_fit_spoils_itself_only() -> None:
    """Each fault has its stage and names the path; the good frame between them is whole."""
    mapping = Mapping.model_validate(_SMALL)
    good = {"id": 7, "t": 1, "c": "c", "u": "u"}

    mapped = _map(mapping, b"{", {**good, "id": None}, good, {**good, "t": "soon"}, {**good, "c": [1]}, b'"\\ud800"')

    assert {place: stage for place, (stage, _) in mapped.rows.faults.items()} == {
        0: "parse",
        1: "validate",
        3: "validate",
        4: "validate",
        5: "parse",
    }
    assert mapped.rows.faults[1][1] == "id is missing: no value at id"
    assert mapped.rows.faults[3][1] == "ts at t: 'soon' is not a number of ms"
    assert mapped.rows.faults[4][1] == "channel is a list, not text"
    assert mapped.rows.columns.to_pylist()[2]["id"] == "7"
    assert mapped.rows.original(0) == b"{"


def test_a_frame_cut_short_keeps_its_reason() -> None:
    """What the source could not take whole is a parse fault."""
    mapped = Mapper(Mapping.model_validate(_SMALL)).apply([Frame(b"{}", "too large")], 9)

    assert mapped.rows.faults == {0: ("parse", "too large")}
    assert list(mapped.rows.numbers) == [9]


def test_no_frames_are_no_rows() -> None:
    """An empty batch and one that is all filtered."""
    mapping = Mapping.model_validate({**_SMALL, "when": [{"path": "id", "exists": True}]})

    assert _map(mapping).rows.columns.num_rows == 0
    assert _map(mapping, {}).filtered == 1


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"equals": "a"}, [True, False, False, False]),
        ({"equals": None}, [False, False, True, True]),
        ({"not_in": ["a"]}, [False, True, True, True]),
        ({"in": ["a", 2]}, [True, True, False, False]),
        ({"exists": True}, [True, True, False, False]),
        ({"exists": False}, [False, False, True, True]),
    ],
)
def test_conditions(condition: dict[str, Any], kept: list[bool]) -> None:
    """Equals, in and exists; null is not there."""
    mapping = Mapping.model_validate({**_SMALL, "when": [{"path": "k", **condition}]})

    found = [_map(mapping, document).filtered == 0 for document in ({"k": "a"}, {"k": 2}, {"k": None}, {})]

    assert found == kept


def test_templates_constants_and_joined_paths() -> None:
    """A hole without value takes the default of the whole."""
    document = {
        **_SMALL,
        "id": {"paths": ["a", "b"], "join": ":"},
        "channel": {"template": "{a}-{x}", "default": "none"},
        "user": {"constant": "someone"},
        "metadata": {"nested": "o", "gone": "x"},
    }

    row = _row(_map(Mapping.model_validate(document), {"a": 1, "b": "2", "t": 5, "o": {"k": [1]}}))

    assert (row["id"], row["channel"], row["user"]) == ("1:2", "none", "someone")
    assert row["meta"] == {"nested": '{"k":[1]}'}


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("2026-01-01T00:00:00Z", "iso", 1_767_225_600_000),
        ("2026-01-01T01:00:00.1239+01:00", "iso", 1_767_225_600_123),
        (1_767_225_600, "s", 1_767_225_600_000),
        (1_767_225_600.001, "s", 1_767_225_600_001),
        ("1767225600.5", "s", 1_767_225_600_500),
        ("1767225600123", "ms", 1_767_225_600_123),
        (1_767_225_600_123_999, "us", 1_767_225_600_123),
        (-1, "us", -1),
    ],
)
def test_times_are_read(value: Any, form: TimeFormat, expected: int) -> None:  # noqa: ANN401 - any JSON
    """Finer fractions are cut."""
    assert to_milliseconds(value, form) == expected


@pytest.mark.parametrize(
    ("value", "form"),
    [
        *product((True, None, "soon", [], 1e300, float("inf"), "9" * 400, "²"), ("s", "us")),
        *product((5, "5", "soon", None), ("iso",)),
    ],
)
def test_what_is_no_time_is_refused(value: Any, form: TimeFormat) -> None:  # noqa: ANN401 - any JSON
    """The value is named, never an overflow."""
    with pytest.raises(ValueError, match=r"is not|beyond|no value"):
        to_milliseconds(value, form)


def test_seconds_as_floats_lose_no_millisecond() -> None:
    """All milliseconds of a second, written as seconds, come back."""
    start = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())

    assert [to_milliseconds(start + ms / 1_000, "s") - start * 1_000 for ms in range(1_000)] == list(range(1_000))


@given(st.lists(st.integers(0, 9), max_size=60))
def test_scanned_frames_are_mapped_as_parsed_ones(kinds: list[int]) -> None:
    """Rows, numbers, faults, originals and those filtered, whatever stands between the frames that can be scanned."""
    frames = [
        [
            b'{"id":"%d","t":1767225600000,"c":"ch","u":"ann","text":"hi \\u00e9"}' % place,
            b'{"id":%d,"t":1767225600001,"c":"ch","u":"bob","truth":true,"n":1.50}' % place,
            b'{"id":"%d","t":1767225600002.5,"c":"ch","u":"ann"}' % place,
            b'{"id":"%d","t":1767225600003,"u":"ann"}' % place,
            b'{"id":"%d","t":1767225600004,"c":true,"u":"ann"}' % place,
            b'{"id":"%d","t":"soon","c":"ch","u":"ann"}' % place,
            b'{"id":"%d","t":1e999' % place,
            b'{"id":"%d","t":1767225600005,"c":"ch","u":"ann","left":"out"}' % place,
            b'{"id":"%d","t":1767225600006,"c":"ch","u":"ann","text":{"not":"text"},"truth":false}' % place,
            b'{"id":"%d","t":9007199254740993,"c":"ch","u":null}' % place,
        ][kind]
        for place, kind in enumerate(kinds)
    ]
    mapping = Mapping.model_validate(
        _SMALL
        | {
            "when": [{"path": "left", "exists": False}],
            "text": {"path": "text", "default": "-"},
            "metadata": {"kind": {"constant": "message"}, "truth": "truth", "both": {"paths": ["c", "u"]}, "n": "n"},
        }
    )
    scanning, parsing = Mapper(mapping), Mapper(mapping)
    parsing._scan = None
    ours, theirs = (mapper.apply([Frame(frame) for frame in frames], 5) for mapper in (scanning, parsing))
    assert ours.filtered == theirs.filtered
    assert ours.rows.columns.to_pylist() == theirs.rows.columns.to_pylist()
    assert list(ours.rows.numbers) == list(theirs.rows.numbers)
    assert ours.rows.faults == theirs.rows.faults
    rows = range(ours.rows.columns.num_rows)
    assert [ours.rows.original(row) for row in rows] == [theirs.rows.original(row) for row in rows]
