"""The analysis pass: good events, poison, and rows that keep to themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import ANALYSED
from schemas.avro import decode_analysis
from schemas.avro_columns import encode_analysis
from schemas.codec import decode_events
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from transforms.analysis import Analyser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Encode = Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]

GOOD: dict[str, Any] = {"raw_payload": b'{"text": "I love this lovely day, thanks @friend"}'}


def test_good_event(analyser: Analyser, encode: Encode) -> None:
    """An event in order gets its labels, its scores and the digest of the model that gave them."""
    row = analyser.analyse(*encode(GOOD)).to_pylist()[0]
    assert row["stage"] == row["reason"] == ""
    assert (row["event_id"], row["channel_id"], row["user_id"], row["source"]) == ("e0", "c", "u", "test")
    assert (row["kind"], row["sentiment"], row["sentiment_score"], row["toxic"]) == ("message", "positive", 1, 0)
    assert row["score_negative"] + row["score_neutral"] + row["score_positive"] == pytest.approx(1)
    assert row["entities"] == ["@friend"]
    assert row["entity_links"] == [""]
    assert row["model_sentiment"] == row["model_toxicity"]
    assert row["model_sentiment"].startswith("sha256:")
    assert row["text_key"] != 0
    assert len(row["cluster"]) == 16


def _poison(encode: Encode) -> list[tuple[bytes, int, str, str]]:
    """Bytes, record time, and the stage and part of the reason they must meet."""

    def one(record_ts_ms: int | None = None, **change: Any) -> tuple[bytes, int]:  # noqa: ANN401 - any field's value
        values, times = encode(change)
        return values[0].as_py(), times[0].as_py() if record_ts_ms is None else record_ts_ms

    good, at = one()
    no_time = SocialEvent(id="x", channel_id="c", raw_payload=b"{}").SerializeToString()
    return [
        (good[: len(good) // 2], at, "decode", ""),
        (b"\xff\xff\xff", at, "decode", ""),
        (good.replace(b"e0", b"\xff\xfe"), at, "decode", ""),
        (*one(id=""), "validate", "id is empty"),
        (*one(channel_id=""), "validate", "channel_id is empty"),
        (b"", at, "validate", "id is empty"),
        (no_time, at, "time", "ts is missing"),
        (*one(ts=datetime(1970, 1, 1, tzinfo=UTC)), "time", "1970-01-01T00:00:00.000Z is not between"),
        (*one(ts=datetime(2100, 1, 1, tzinfo=UTC)), "time", "2100-01-01T00:00:00.000Z is not between"),
        (*one(record_ts_ms=at + 1), "time", "is not the record's time 2026-01-01T00:00:00.046Z"),
        (*one(raw_payload=b"hello"), "extract", "payload is not JSON"),
        (*one(raw_payload=b""), "extract", "payload is not JSON"),
        (*one(raw_payload=b'["text"]'), "extract", "not an object: list"),
        (*one(raw_payload=b'{"text": "\xff\xfe"}'), "extract", "UTF-8"),
        (*one(raw_payload=b'{"text": "\\ud800"}'), "extract", "surrogate"),
        (*one(raw_payload=b'{"text": "a"'), "extract", "payload is not JSON"),
        (*one(raw_payload=b'{"text": "a"}{"text": "b"}'), "extract", "payload is not JSON"),
    ]


def test_poison_is_isolated(analyser: Analyser, encode: Encode) -> None:
    """Each kind of bad record is one row with its stage and reason, between good rows that are as they are alone."""
    poison = _poison(encode)
    good, times = encode(GOOD)
    values: list[bytes] = []
    record_times: list[int] = []
    for value, at, _, _ in poison:
        values += [good[0].as_py(), value]
        record_times += [times[0].as_py(), at]
    rows = analyser.analyse(pa.array(values, pa.binary()), pa.array(record_times)).to_pylist()
    alone = analyser.analyse(good, times).to_pylist()[0]
    assert all(row == alone for row in rows[::2])
    for row, (_, _, stage, reason) in zip(rows[1::2], poison, strict=True):
        assert row["stage"] == stage
        assert row["reason"]
        assert reason in row["reason"]
        assert (row["sentiment"], row["toxicity"], row["entities"], row["model_toxicity"]) == ("", 0, [], "")


def test_poison_alone(analyser: Analyser, encode: Encode) -> None:
    """A bad record says the same by itself as in a batch."""
    for value, at, stage, reason in _poison(encode):
        row = analyser.analyse(pa.array([value], pa.binary()), pa.array([at])).to_pylist()[0]
        assert row["stage"] == stage
        assert reason in row["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "\\u0000",
        "a\\u0000b",
        "مرحبا",
        "\\u202eabc",
        "👨‍👩‍👧‍👦",
        "x" * 1_000_000,
        "ﷺ" * 5_000,
        "\\ud83d\\ude00",
        "a\\nb",
    ],
)
def test_hostile_texts_are_analysed(analyser: Analyser, encode: Encode, text: str) -> None:
    """NUL, right-to-left, joined emoji, a megabyte and exploding ligatures are texts like others."""
    batch = analyser.analyse(*encode({"raw_payload": f'{{"text": "{text}"}}'.encode()}, GOOD))
    batch.validate(full=True)
    assert batch.column("stage").to_pylist() == ["", ""]


def test_missing_value(analyser: Analyser, encode: Encode) -> None:
    """A record without a value (a tombstone) is a row of stage decode."""
    values, times = encode({}, {})
    values = pa.array([None, values[1].as_py()], pa.binary())
    assert analyser.analyse(values, times).column("stage").to_pylist() == ["decode", ""]


def test_heartbeat(analyser: Analyser, encode: Encode) -> None:
    """A heartbeat belongs to no channel; a message that calls itself one is an event and does not vanish."""
    beat = {"metadata": [("kind", "heartbeat")], "channel_id": "", "raw_payload": b""}
    rows = analyser.analyse(*encode(beat, beat | {"channel_id": "c"}, GOOD)).to_pylist()
    assert [row["stage"] for row in rows] == ["heartbeat", "", ""]
    assert rows[1]["sentiment"] == "unknown"


@pytest.mark.parametrize("kind", ["join", "delete", "something-new"])
def test_kinds_without_text(analyser: Analyser, encode: Encode, kind: str) -> None:
    """Joins and deletes pass unscored, whatever their payload, and name no model."""
    row = analyser.analyse(*encode({"metadata": [("kind", kind)], "raw_payload": b"not JSON"})).to_pylist()[0]
    assert (row["stage"], row["kind"], row["sentiment"], row["toxicity"]) == ("", kind, "unknown", 0)
    assert (row["model_sentiment"], row["model_toxicity"], row["text_key"], row["entities"]) == ("", "", 0, [])


def test_events_about_another(analyser: Analyser, encode: Encode) -> None:
    """An edit is scored anew, a delete is not scored; both name their target, as the metadata or the payload does."""
    love = [("text", "i love this lovely thing")]
    edit = {"metadata": [("kind", "edit"), ("target", "m1"), *love]}
    delete = {"metadata": [("kind", "delete"), ("target", "m1")]}
    unnamed = {"source": "discord", "metadata": [], "raw_payload": _DISCORD_DELETE}
    answer = {"metadata": [("kind", "message"), ("reply_to", "m1"), *love]}
    rows = analyser.analyse(*encode(edit, delete, unnamed, answer)).to_pylist()
    assert [(row["kind"], row["target"], row["reply_to"], row["sentiment"]) for row in rows] == [
        ("edit", "m1", "", "positive"),
        ("delete", "m1", "", "unknown"),
        ("delete", "123", "", "unknown"),
        ("message", "", "m1", "positive"),
    ]


_DISCORD_DELETE = b'{"op": 0, "t": "MESSAGE_DELETE", "s": 3, "d": {"id": "123", "channel_id": "c", "guild_id": "g"}}'


def test_a_language_that_the_model_does_not_know(analyser: Analyser, encode: Encode) -> None:
    """It abstains and says so, whoever told the language; entities and cluster are found in any."""
    german = "Ich habe gestern mit meinen Freunden einen sehr schönen Abend im Garten verbracht"
    told = {"metadata": [("text", "gg wp"), ("language", "de-AT")]}
    plain = {"metadata": [("text", "gg wp")]}
    rows = analyser.analyse(*encode({"metadata": [("text", german)]}, told, plain)).to_pylist()
    for row in rows[:2]:
        assert (row["language"], row["sentiment"], row["toxicity"]) == ("de", "unknown", 0)
        assert row["model_sentiment"] == row["model_toxicity"] == "abstained:de"
        assert (row["model_entities"], row["model_cluster"]) == ("strategy:aliases", "strategy:signature")
    assert rows[2]["model_sentiment"].startswith("sha256:")


_MOOD = """
import pyarrow as pa
from transforms.strategy import Strategy

MOOD = pa.struct([("tone", pa.string()), ("strength", pa.float64()), ("loud", pa.bool_())])

class Mood(Strategy):
    kind, name, type = "mood", "capitals", MOOD

    def analyze(self, batch):
        texts = batch["text"].to_pylist()
        return pa.array([{"tone": t[:1], "strength": len(t) / 2, "loud": t.isupper()} for t in texts], MOOD)
"""


def test_a_kind_of_the_users_own(encode: Encode, tmp_path: Path) -> None:
    """Its numbers, texts and model are in the result; an event without text has none of them."""
    (tmp_path / "mood.py").write_text(_MOOD)
    own = Analyser({"mood": "capitals"}, [tmp_path])
    own.open()
    values, times = encode({"metadata": [("text", "HEY")]}, {"metadata": [("kind", "join")]})
    analysed = own.analyse(values, times)
    rows = analysed.to_pylist()
    assert dict(rows[0]["other_scores"]) == {"mood.strength": 1.5, "mood.loud": 1.0}
    assert dict(rows[0]["other_labels"]) == {"mood.tone": "H"}
    assert rows[1]["other_scores"] == rows[1]["other_labels"] == rows[1]["other_models"] == []
    result = decode_analysis(encode_analysis(analysed, times)[0].as_py())
    assert result["models"]["mood"] == "strategy:capitals"
    assert result["scores"]["mood.strength"] == 1.5
    assert result["labels"] == {"mood.tone": "H"}


@pytest.mark.parametrize(
    "payload", [b"{}", b'{"text": ""}', b'{"text": null}', b'{"text": 5}', '{"text": "\u200b"}'.encode()]
)
def test_no_text(analyser: Analyser, encode: Encode, payload: bytes) -> None:
    """A message without a text is analysed as unknown."""
    row = analyser.analyse(*encode({"raw_payload": payload})).to_pylist()[0]
    assert (row["stage"], row["sentiment"], row["toxicity"], row["model_sentiment"]) == ("", "unknown", 0, "")


def test_text_in_metadata(analyser: Analyser, encode: Encode) -> None:
    """The text of the metadata goes before the payload's; an event without a kind is a message."""
    rows = analyser.analyse(*encode({"metadata": [("text", "#meta")], "raw_payload": b"not JSON"}, {})).to_pylist()
    assert rows[0]["entities"] == ["#meta"]
    assert [row["kind"] for row in rows] == ["message", "message"]


def test_decoded_events(analyser: Analyser, encode: Encode) -> None:
    """Events that are decoded already are analysed as their bytes are."""
    values, times = encode(GOOD, {"raw_payload": b"x"}, {"channel_id": ""})
    assert analyser.analyse_events(decode_events(values).events).equals(analyser.analyse(values, times))


def test_options(encode: Encode, tmp_path: Path) -> None:
    """A strategy has the options of its kind: here a knowledge base of the user's own."""
    line = '{"id":"own:zorp","name":"Zorp","type":"t","description":"d","prior":1}'
    (tmp_path / "own.jsonl").write_text(line)
    own = Analyser({}, options={"entities": {"knowledge": str(tmp_path / "own.jsonl")}})
    own.open()
    row = own.analyse(*encode({"metadata": [("text", "zorp in London")]})).to_pylist()[0]
    assert row["entity_links"] == ["own:zorp", "place:london"]


def test_empty_batch(analyser: Analyser) -> None:
    """No records give no rows, in the same schema."""
    batch = analyser.analyse(pa.array([], pa.binary()), pa.array([], pa.int64()))
    assert batch.num_rows == 0
    assert batch.schema == ANALYSED


@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=8), data=st.data())
def test_rows_do_not_depend_on_their_batch(
    analyser: Analyser, encode: Encode, texts: list[str], data: st.DataObject
) -> None:
    """Any texts in any order and company give each row what it gets alone; nothing is ever null."""
    values, times = encode(*({"id": text, "metadata": [("text", text)]} for text in texts))
    together = analyser.analyse(values, times)
    together.validate(full=True)
    assert not any(column.null_count for column in together.columns)
    row = data.draw(st.integers(0, len(texts) - 1))
    assert analyser.analyse(values[row : row + 1], times[row : row + 1]).to_pylist()[0] == together.to_pylist()[row]


@given(values=st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes(analyser: Analyser, values: list[bytes]) -> None:
    """Whatever bytes come, each is one row, and none raises."""
    batch = analyser.analyse(pa.array(values, pa.binary()), pa.array([0] * len(values), pa.int64()))
    assert batch.num_rows == len(values)
    assert "" not in batch.column("stage").to_pylist()


_BREAKS = """
import pyarrow as pa
from transforms.kinds import TOXICITY
from transforms.strategy import Strategy

class Breaks(Strategy):
    kind, name, type = "toxicity", "breaks", TOXICITY

    def analyze(self, batch):
        if "poison" in batch["text"].to_pylist():
            raise ValueError("poisoned")
        said = {"probability": 0.5, "toxic": 1, "hate": 0.1, "offensive": 0.2, "model": "m"}
        return pa.array([said] * batch.num_rows, TOXICITY)
"""


def test_strategy_of_the_users_own(encode: Encode, tmp_path: Path) -> None:
    """A file in a folder of the user's is used; a row it breaks on is refused at `analyse`, the others are analysed."""
    (tmp_path / "breaks.py").write_text(_BREAKS)
    own = Analyser({"toxicity": "breaks"}, [tmp_path])
    own.open()
    texts = ["a", "poison", "b", "c"]
    rows = own.analyse(*encode(*({"metadata": [("text", text)]} for text in texts))).to_pylist()
    assert [row["stage"] for row in rows] == ["", "analyse", "", ""]
    assert rows[1]["reason"] == "toxicity by 'breaks': ValueError: poisoned"
    assert (rows[1]["sentiment"], rows[1]["event_id"]) == ("", "e1")
    assert [row["model_toxicity"] for row in rows] == ["m", "", "m", "m"]


def test_unknown_strategy() -> None:
    """A misspelt strategy or kind names the near miss."""
    with pytest.raises(EchoPulseError, match="did you mean 'aliases'"):
        Analyser({"entities": "alias"}).open()
    with pytest.raises(EchoPulseError, match="did you mean 'sentiment'"):
        Analyser({"sentimnt": "bag"}).open()
