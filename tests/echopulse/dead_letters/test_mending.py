"""Letters tried again without Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.dead_letters.mending import try_again
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.original_form import OriginalForm
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import MAX_MESSAGE_BYTES
from tests.echopulse.dead_letters.letters import NOW_MS, event, letter

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = TimeRange.around(NOW_MS)
YEAR_2100_MS = 4_102_444_800_000


def _row(name: str, **change: object) -> bytes:
    return orjson.dumps({"id": name, "ts": NOW_MS, "channel": "c:1", "raw": '{"text": "fine"}'} | change)


def test_an_event_whose_record_had_another_time_goes_with_its_own() -> None:
    """Its bytes are the original ones."""
    one = letter(event("e", ts_ms=NOW_MS - 5))
    (mended,) = try_again([one], LIMITS).mended
    assert mended == (one, "c:1", one.content.original, NOW_MS - 5)


@pytest.mark.parametrize(
    ("original", "stage", "reason"),
    [
        (b"\xff\x00garbage", "decode", "wire type"),
        (event(""), "validate", "id is empty"),
        (event("e", channel=""), "validate", "channel_id is empty"),
        (event("e", ts_ms=0), "time", "ts 1970-01-01T00:00:00.000Z is not between 1990 and 2100"),
        (event("e", ts_ms=NOW_MS + 7_200_000), "time", "the limit of social.events"),
        (event("e", ts_ms=YEAR_2100_MS - 1), "time", "the limit of social.events"),
        (event("e", raw=b"hello"), "extract", "payload is not JSON"),
        (event("e", raw=b'"' + b"x" * MAX_MESSAGE_BYTES + b'"'), "extract", "not an object"),
        (
            event("e", raw=b'{"text": "' + b"x" * MAX_MESSAGE_BYTES + b'"}'),
            "produce",
            f"it is above the {MAX_MESSAGE_BYTES} bytes that social.events takes",
        ),
        (SocialEvent(id="b", metadata={"kind": "heartbeat"}).SerializeToString(), "heartbeat", "a heartbeat"),
    ],
)
def test_what_no_replay_mends_still_fails(original: bytes, stage: str, reason: str) -> None:
    """With the stage and the reason of now, beside one that goes through."""
    trial = try_again([letter(event("good")), letter(original, 1), letter(event("good too"), 2)], LIMITS)
    assert [mended.letter.id.offset for mended in trial.mended] == [0, 2]
    (failing,) = trial.failing
    assert (failing.letter.id.offset, failing.stage) == (1, stage)
    assert reason in failing.reason


def test_rows_are_read_through_the_same_columns_and_moved_as_their_file_was() -> None:
    """JSON and CSV; what is still wrong is told by the gateway's own stages."""
    lines = OriginalForm("object", "id=message", shift_ms=1_000)
    table = OriginalForm("csv", "raw=body", ("id", "ts", "channel", "body"))
    cells = f'r,{NOW_MS},c:2,"{{""text"": ""hi, you""}}"\n'.encode()
    trial = try_again(
        [
            letter(_row("x", message="m"), 0, form=lines),
            letter(_row("only an id"), 1, form=lines),
            letter(b'{"cut": ', 2, form=lines),
            letter(cells, 3, form=table),
            letter(b"r,1\n", 4, form=table),
            letter(b'r,"1\n', 5, form=table),
        ],
        LIMITS,
    )
    found = {each.letter.id.offset: (SocialEvent.FromString(each.value), each.ts_ms) for each in trial.mended}
    assert {place: (one.id, one.channel_id, one.source, ts) for place, (one, ts) in found.items()} == {
        0: ("m", "c:1", "replay", NOW_MS + 1_000),
        3: ("r", "c:2", "replay", NOW_MS),
    }
    assert found[3][0].raw_payload == b'{"text": "hi, you"}'
    assert {(each.letter.id.offset, each.stage, each.reason) for each in trial.failing} == {
        (1, "validate", "id is missing"),
        (2, "parse", "not JSON: unexpected end of data at column 9"),
        (4, "parse", "2 cells where the header has 4"),
        (5, "parse", "not CSV: unexpected end of data"),
    }


MAPPING = """
source: mine
when: [{path: kind, equals: chat}]
id: {path: ID}
ts: {path: at, format: ms}
channel: {path: room}
user: {path: who, default: ""}
text: {path: said}
"""


def test_frames_go_through_their_mapping_as_it_is_now(tmp_path: Path) -> None:
    """One that it leaves out by now is neither an event nor a failure."""
    path = tmp_path / "mine.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    form = OriginalForm("frame", str(path))
    frames = [
        orjson.dumps({"kind": kind, "ID": name, "at": NOW_MS, "room": "r", "said": "hello"})
        for kind, name in (("chat", "a"), ("noise", "b"), ("chat", None))
    ]
    letters = [letter(frame, place, form=form, origin=f"mine:{place}") for place, frame in enumerate(frames)]
    trial = try_again(letters, LIMITS)
    assert [SocialEvent.FromString(each.value).id for each in trial.mended] == ["a"]
    assert [each.id.offset for each in trial.filtered] == [1]
    assert [(each.stage, each.reason) for each in trial.failing] == [("validate", "id is missing: no value at ID")]


def test_a_mapping_that_is_gone_or_unknown_is_told_and_another_may_be_named(tmp_path: Path) -> None:
    """The letters stay."""
    frame = orjson.dumps({"kind": "chat", "ID": "a", "at": NOW_MS, "room": "r"})
    lost = letter(frame, 0, form=OriginalForm("frame", str(tmp_path / "gone.yaml")), stage="validate")
    nameless = letter(frame, 1, form=OriginalForm("frame"), stage="validate")
    unknown = letter(frame, 2, origin="mine:3", stage="validate")
    trial = try_again([lost, nameless, unknown], LIMITS)
    assert {(each.letter.id.offset, each.stage, each.reason) for each in trial.failing} == {
        (0, "validate", f"{tmp_path}/gone.yaml cannot be read: No such file or directory"),
        (1, "validate", "the mapping of its source is not known (name it: --mapping FILE)"),
        (2, "validate", "it does not say how its original is read"),
    }
    path = tmp_path / "mine.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    assert len(try_again([lost, nameless], LIMITS, mapping=str(path)).mended) == 2


def test_every_letter_is_in_the_outcome_once() -> None:
    """Also where all of a batch is broken, or nothing is there."""
    assert try_again([], LIMITS).mended == []
    broken = [letter(b"\xff", place) for place in range(5)]
    assert len(try_again(broken, LIMITS).failing) == 5
