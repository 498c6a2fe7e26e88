"""Payloads as platforms send them, and what is read in them; hostile ones of the same shapes."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EVENT
from transforms.extraction import Extracted, extract, lookup
from transforms.payloads.catalogue import PLANS, PLATFORMS, plan_for, platforms_of
from transforms.payloads.declaration import KINDS

SAID = ("texts", "kinds", "target", "reply_to", "thread", "language", "emotes")
#: So many alike are parsed together.
MANY = 30
NAMES = ("generic", "twitch", "discord", "slack", "x", "youtube", "mastodon")


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(__file__).parent / f"{name}.jsonl").read_text("utf-8").splitlines()]


#: What it is, its source, the payload, and what it says: all that is not ''.
EXAMPLES = [(line["what"], name, line["payload"], line["says"]) for name in NAMES for line in _lines(name)]


def _extracted(*rows: tuple[str, bytes]) -> Extracted:
    events = pa.RecordBatch.from_pylist(
        [
            {"id": "e", "source": source, "channel_id": "c", "user_id": "u", "raw_payload": payload, "metadata": []}
            for source, payload in rows
        ],
        schema=EVENT,
    )
    return extract(events, lookup(events.column("metadata"), "kind"))


def _said(extracted: Extracted) -> list[dict[str, str]]:
    """What each row says."""
    columns = {name: getattr(extracted, name).to_pylist() for name in SAID}
    return [{name: columns[name][row] for name in SAID if columns[name][row]} for row in range(len(columns["texts"]))]


@pytest.mark.parametrize(("what", "source", "payload", "says"), EXAMPLES, ids=[f"{e[1]}: {e[0]}" for e in EXAMPLES])
def test_examples_alone(what: str, source: str, payload: dict[str, Any], says: dict[str, str]) -> None:
    """Each payload says what is written beside it, however its JSON is laid out."""
    for written in (orjson.dumps(payload), json.dumps(payload, indent=1).encode()):
        extracted = _extracted((source.capitalize(), written))
        assert _said(extracted) == [says], what
        assert extracted.reasons == []


def test_examples_together() -> None:
    """In one batch, many times over and with bad ones between, each says what it says alone."""
    rows = [(source, orjson.dumps(payload)) for _, source, payload, _ in EXAMPLES] * MANY
    rows[100:100] = [("slack", b"no"), ("discord", b"[1]"), ("x", b'{"data": {"text": "\xff"}}')]
    says = [says for *_, says in EXAMPLES] * MANY
    says[100:100] = [{"kinds": "message"}] * 3
    extracted = _extracted(*rows)
    assert _said(extracted) == says
    assert extracted.bad_rows.tolist() == [100, 101, 102]
    assert [reason.split(":")[0] for reason in extracted.reasons] == [
        "payload is not JSON",
        "payload is JSON but not an object",
        "payload is not JSON",
    ]


def _parts(document: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else []
    return [document, *(part for value in inner for part in _parts(value))]


_PIECES = st.sampled_from([part for *_, payload, _ in EXAMPLES for part in _parts(payload)])
_HOSTILE: st.SearchStrategy[Any] = st.one_of(
    _PIECES,
    st.sampled_from([None, True, 7, -1, 2.5, "", [], {}, [None], [[]], [{}], "\x1e\x1f:a:", "<@U1>:", "\ud83d\ude00"]),
    st.integers(),
    st.text(max_size=5),
).map(deepcopy)


@st.composite
def _mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A payload with values anywhere replaced, and now and then bytes."""
    source = draw(st.sampled_from([*NAMES, "elsewhere"]))
    _, _, document, _ = draw(st.sampled_from(EXAMPLES))
    document = deepcopy(document)
    for _ in range(draw(st.integers(0, 3))):
        node: Any = document
        while isinstance(node, dict | list) and node:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = draw(st.sampled_from(keys))
            if not isinstance(node[key], dict | list) or not node[key] or draw(st.integers(0, 3)) == 0:
                node[key] = draw(_HOSTILE)
                break
            node = node[key]
    written = json.dumps(document, indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
    payload = bytearray(written.encode("utf-8", "replace"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(payload) - 1))
        payload[place : place + draw(st.integers(0, 2))] = draw(
            st.sampled_from(
                [b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u0041", b"1", b" ", b"\xff", b"N"]
            )
        )
    return source, bytes(payload)


@given(st.lists(_mutated(), min_size=1, max_size=6))
def test_rows_keep_to_themselves(rows: list[tuple[str, bytes]]) -> None:
    """Read by itself or parsed with its like, a payload says the same; it is bad if and only if it is no object."""
    together = _extracted(*rows * MANY)
    alone = [_extracted(row) for row in rows]
    assert _said(together) == [said for each in alone for said in _said(each)] * MANY
    assert together.reasons == [reason for each in alone for reason in each.reasons] * MANY
    bad = []
    for row, (_, payload) in enumerate(rows):
        try:
            if not isinstance(orjson.loads(payload), dict):
                bad.append(row)
        except orjson.JSONDecodeError:
            bad.append(row)
    assert together.bad_rows.tolist() == [row + len(rows) * turn for turn in range(MANY) for row in bad]
    assert set(together.kinds.to_pylist()) <= set(KINDS)


def test_many_rows_at_fault() -> None:
    """More rows of wrong types than the parser is started again for are read one by one, with the same outcome."""
    good = orjson.dumps({"d": {"id": "1", "content": "a"}, "t": "MESSAGE_CREATE"})
    wrong = orjson.dumps({"d": {"id": 1, "content": "b"}, "t": "MESSAGE_UPDATE"})
    twice = b'{"t": "MESSAGE_CREATE", "d": {"content": "c", "content": "d"}}'
    extracted = _extracted(*[("discord", payload) for _ in range(100) for payload in (good, wrong, twice)])
    assert extracted.texts.to_pylist() == ["a", "b", "d"] * 100
    assert extracted.target.to_pylist() == ["", "1", ""] * 100


def test_deep_long_and_wide() -> None:
    """Brackets to the limit, a megabyte of text, a hundred thousand items: read; brackets beyond it: refused."""
    fine = b'{"text":"x","a":' + b"[" * 900 + b"]" * 900 + b"}"
    deep = b'{"content":"x","a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
    long = orjson.dumps({"content": "y" * 1_000_000})
    wide = orjson.dumps({"message": {"text": "z", "fragments": [{"type": "emote", "text": "E"}] * 100_000}})
    extracted = _extracted(("s", fine), ("discord", long), ("twitch", wide), ("discord", deep))
    assert [len(text) for text in extracted.texts.to_pylist()] == [1, 1_000_000, 1, 0]
    assert len(extracted.emotes[2].as_py()) == 199_999
    assert extracted.bad_rows.tolist() == [3]


def test_declarations_are_sound() -> None:
    """Sources are named once in lower case, kinds exist, and the names at the top fit the bits of a mask."""
    sources = [source for platform in PLATFORMS for source in platform.sources]
    assert sources == [source.lower() for source in dict.fromkeys(sources)]
    for place, plan in enumerate(PLANS):
        kinds = [*PLATFORMS[place].kinds.values(), *(kind for kind, _ in plan.shapes), *PLATFORMS[place].target]
        assert set(kinds) <= set(KINDS)
        assert plan_for(place, (1 << 64) - 1) == plan
        assert len({name for path in (*plan.words, *plan.ids) for name in path.top}) <= 64
    assert platforms_of(pa.array(["X", "twitter", "nobody", ""])).tolist() == [4, 4, 0, 0]


def test_plain_payloads_are_read_alike() -> None:
    """The same names at the top mean the same places to look at, so that all platforms' plain payloads go together."""
    assert len({plan.within(frozenset({"text"})) for plan in PLANS}) == 1
