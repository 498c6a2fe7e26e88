"""The three calls, through a real server and client."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import pyarrow as pa
import pytest

from echopulse.feature_query import service
from echopulse.feature_query.server import FeatureServer
from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.encrypted_rows import encryption
from features.machinery.online_writer import OnlineWriter
from schemas import feature_query_pb2 as messages
from schemas.feature_query_pb2_grpc import FeatureQueryStub
from tests.echopulse.feature_query.conftest import DELAY_MS, SEATS, TALK
from tests.echopulse.feature_query.lakes import write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.feature_query.service import Sources

DEADLINE_S = 30
AT_MS = 1_700_000_000_000
NAMES = {
    messages.PRESENT: "present",
    messages.NULL_VALUE: "null",
    messages.ABSENT: "absent",
    messages.EXPIRED: "expired",
}


def _entity(channel: str, **more: str) -> messages.Entity:
    return messages.Entity(keys={"channel_id": channel, **more})


def _told(value: messages.Value) -> tuple[object, int | None]:
    """A value, or the word for why there is none, and its time in ms."""
    which = value.WhichOneof("value")
    stamp = value.event_timestamp.ToMilliseconds() if value.HasField("event_timestamp") else None
    return (getattr(value, which) if which else NAMES[value.presence]), stamp


def _rows(table: messages.FeatureTable | messages.HistoryRows) -> list[list[tuple[object, int | None]]]:
    return [[_told(value) for value in row.values] for row in table.rows]


def _stamp(time_ms: int) -> dict[str, int]:
    return {"seconds": time_ms // 1_000, "nanos": time_ms % 1_000 * 1_000_000}


def _batch(*rows: tuple[object, ...]) -> pa.RecordBatch:
    columns = [list(column) for column in zip(*rows, strict=True)]
    types = [pa.string(), pa.int64(), pa.float64(), pa.string(), pa.timestamp("ms", "UTC")]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, list(TALK.columns))


def test_online_values_come_with_time_and_presence(query: FeatureQueryStub, writer: OnlineWriter) -> None:
    """One row an entity, in order; missing, null and outlived values are told apart."""
    now_ms = time.time_ns() // 1_000_000
    old_ms = now_ms - 90_000_000
    writer.write(
        TALK, _batch(("c:1", 7, 0.5, "hi", now_ms), ("c:2", 8, None, "", now_ms), ("c:3", 9, 0.1, "x", old_ms))
    )
    request = messages.OnlineRequest(
        features=messages.Features(view="talk_1m"), entities=[_entity(f"c:{number}") for number in (3, 1, 4, 2)]
    )
    answer = query.ReadOnline(request, timeout=DEADLINE_S)
    assert [(column.view, column.name, column.type) for column in answer.columns] == [
        ("talk_1m", "n", "int64"),
        ("talk_1m", "x", "float64"),
        ("talk_1m", "word", "string"),
    ]
    assert _rows(answer) == [
        [("expired", old_ms)] * 3,
        [(7, now_ms), (0.5, now_ms), ("hi", now_ms)],
        [("absent", None)] * 3,
        [(8, now_ms), ("null", now_ms), ("", now_ms)],
    ]


def test_a_service_is_read_across_its_views(query: FeatureQueryStub, writer: OnlineWriter) -> None:
    """Each view by its own keys, its values with their own time."""
    now_ms = time.time_ns() // 1_000_000
    writer.write(TALK, _batch(("c:1", 7, 0.5, "hi", now_ms)))
    seats = [pa.array(["c:1"]), pa.array([4]), pa.array([2]), pa.array([AT_MS], pa.timestamp("ms", "UTC"))]
    writer.write(SEATS, pa.RecordBatch.from_arrays(seats, list(SEATS.columns)))
    features = messages.Features(service="live")
    request = messages.OnlineRequest(features=features, entities=[_entity("c:1", seat="4"), _entity("c:1", seat="5")])
    assert _rows(query.ReadOnline(request, timeout=DEADLINE_S)) == [
        [(7, now_ms), (0.5, now_ms), (2, AT_MS)],
        [(7, now_ms), (0.5, now_ms), ("absent", None)],
    ]


def test_the_past_is_read_as_a_reader_had_it_then(query: FeatureQueryStub, tmp_path: Path) -> None:
    """A window that had ended but could not be read yet is not looked into, nor one that had outlived its view."""
    lake = tmp_path / "lake"
    ends = [AT_MS - 86_400_001, AT_MS - 86_400_000, AT_MS - DELAY_MS, AT_MS - DELAY_MS + 1, AT_MS + 60_000]
    for channel, own in (("c:1", ends), ("c:2", ends[:2]), ("c:3", ends[:1]), ("c:4", ends[3:])):
        write_rows(lake, TALK, *((channel, ends.index(end), 0.5, None, end) for end in own))
    write_rows(lake, TALK, ("c:1", 77, 0.5, None, ends[2]), written_ms=5, name="again")
    request = messages.AsOfRequest(
        features=messages.Features(view="talk_1m", names=["n", "word"]),
        entities=[_entity(f"c:{number}") for number in (1, 2, 3, 4, 5)],
        at=_stamp(AT_MS),
    )
    assert _rows(query.ReadAsOf(request, timeout=DEADLINE_S)) == [
        [(77, ends[2]), ("null", ends[2])],
        [(1, ends[1]), ("null", ends[1])],
        [("absent", None)] * 2,
        [("absent", None)] * 2,
        [("absent", None)] * 2,
    ]


def test_history_streams_every_window_of_a_span_once(
    query: FeatureQueryStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first, in messages of bounded size; begin is in it and end is not."""
    monkeypatch.setattr(service, "ROWS_A_MESSAGE", 3)
    ends = [AT_MS + place * 60_000 for place in range(10)]
    write_rows(tmp_path / "lake", TALK, *(("c:1", place, 0.5, "w", end) for place, end in enumerate(ends)))
    write_rows(tmp_path / "lake", TALK, ("c:1", 99, 0.5, "w", ends[4]), written_ms=9, name="again")
    write_rows(tmp_path / "lake", TALK, ("c:2", 5, 0.5, "w", ends[4]))
    request = messages.HistoryRequest(
        view="talk_1m", names=["n"], entity=_entity("c:1"), begin=_stamp(ends[1]), end=_stamp(ends[9])
    )
    parts = list(query.ReadHistory(request, timeout=DEADLINE_S))
    assert [len(part.rows) for part in parts] == [3, 3, 2]
    assert [[column.name for column in part.columns] for part in parts] == [["n"], [], []]
    found = [row for part in parts for row in _rows(part)]
    assert found == [[(99 if place == 4 else place, ends[place])] for place in range(1, 9)]

    nothing = messages.HistoryRequest(view="talk_1m", entity=_entity("c:9"), begin=_stamp(ends[1]), end=_stamp(ends[9]))
    (only,) = query.ReadHistory(nothing, timeout=DEADLINE_S)
    assert ([column.name for column in only.columns], len(only.rows)) == (["n", "x", "word"], 0)


def _refused(call: object, request: object, **options: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as raised:
        list(answer if hasattr(answer := call(request, timeout=DEADLINE_S, **options), "__iter__") else [answer])  # type: ignore[operator]
    return raised.value.code(), raised.value.details()


def test_what_cannot_be_answered_has_a_status_and_a_line(query: FeatureQueryStub) -> None:
    """NOT_FOUND with the near miss, INVALID_ARGUMENT with what is missing."""
    view, one = messages.Features(view="talk_1m"), _entity("c:1")
    online, as_of, history = messages.OnlineRequest, messages.AsOfRequest, messages.HistoryRequest
    assert _refused(query.ReadOnline, online(features=messages.Features(view="talk_2m"), entities=[one])) == (
        grpc.StatusCode.NOT_FOUND,
        "no feature view 'talk_2m' (did you mean 'talk_1m'?)",
    )
    assert _refused(query.ReadHistory, history(view="talk_1m", names=["m"], entity=one))[0] == (
        grpc.StatusCode.NOT_FOUND
    )
    for call, request, told in [
        (query.ReadOnline, online(features=view), "no entity was asked for"),
        (query.ReadOnline, online(entities=[one]), "neither a view nor a service was asked for"),
        (query.ReadAsOf, as_of(features=view, entities=[one]), "the instant is missing (set at)"),
        (query.ReadAsOf, as_of(features=view, entities=[one], at={"seconds": -1}), "at is -1 s since 1970"),
        (query.ReadHistory, history(view="talk_1m", entity=one), "the span of time is missing (set begin and end)"),
        (
            query.ReadHistory,
            history(view="talk_1m", entity=one, begin=_stamp(5), end=_stamp(5)),
            "begin is not before end",
        ),
    ]:
        code, details = _refused(call, request)
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert details.startswith(told)


def test_what_is_too_large_is_refused(query: FeatureQueryStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions, messages and answers."""
    many = messages.OnlineRequest(
        features=messages.Features(view="talk_1m"), entities=[_entity(f"c:{number}") for number in range(1_001)]
    )
    assert _refused(query.ReadOnline, many) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "1001 entities were asked for, 1000 are the most at once",
    )
    huge = messages.OnlineRequest(features=messages.Features(view="x" * 2_000_000))
    assert _refused(query.ReadOnline, huge)[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    monkeypatch.setattr(service, "MOST_ROWS", 2)
    write_rows(tmp_path / "lake", TALK, *(("c:1", place, 0.5, "w", AT_MS + place) for place in range(3)))
    request = messages.HistoryRequest(view="talk_1m", entity=_entity("c:1"), begin=_stamp(AT_MS), end=_stamp(AT_MS + 9))
    assert _refused(query.ReadHistory, request) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "more than 2 rows would have to be read (ask for a shorter span)",
    )


def test_a_store_that_is_away_is_unavailable(sources: Sources) -> None:
    """The past can still be read."""
    with connect(OnlineStoreSettings("127.0.0.1:1", timeout_s=1)) as nowhere:
        lost = service.Sources(sources.catalogue, nowhere, sources.project, sources.past, sources.delay_ms)
        with (
            FeatureServer(lost, "127.0.0.1", 0) as server,
            grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
        ):
            query = FeatureQueryStub(channel)
            view, one = messages.Features(view="talk_1m"), _entity("c:1")
            code, told = _refused(query.ReadOnline, messages.OnlineRequest(features=view, entities=[one]))
            assert code == grpc.StatusCode.UNAVAILABLE
            assert told.startswith("view 'talk_1m': cannot read the online store: ")
            past = messages.AsOfRequest(features=view, entities=[one], at=_stamp(AT_MS))
            assert _rows(query.ReadAsOf(past, timeout=DEADLINE_S)) == [[("absent", None)] * 3]


def test_an_encrypted_store_is_read_with_its_keys_alone(
    sources: Sources, writer: OnlineWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them the values are there; without, the answer says what is missing."""
    monkeypatch.setenv("STORE_KEYS", f"one={base64.b64encode(bytes(32)).decode()}")
    keys = "env:STORE_KEYS"
    secret = OnlineWriter(replace(writer.settings, keys=keys))
    now_ms = time.time_ns() // 1_000_000
    secret.write(TALK, _batch(("c:1", 7, 0.5, "hi", now_ms)))
    secret.close()
    request = messages.OnlineRequest(
        features=messages.Features(view="talk_1m", names=["n", "word"]), entities=[_entity("c:1")]
    )
    with (
        FeatureServer(replace(sources, cipher=encryption(keys)), "127.0.0.1", 0) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        table = FeatureQueryStub(channel).ReadOnline(request, timeout=DEADLINE_S)
    assert _rows(table) == [[(7, now_ms), ("hi", now_ms)]]
    with (
        FeatureServer(sources, "127.0.0.1", 0) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
        pytest.raises(grpc.RpcError) as raised,
    ):
        FeatureQueryStub(channel).ReadOnline(request, timeout=DEADLINE_S)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "online_store.keys" in raised.value.details()


def test_deadlines_are_kept(query: FeatureQueryStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own, and the server's where the client has set none."""
    write_rows(tmp_path / "lake", TALK, ("c:1", 1, 0.5, "w", AT_MS))
    request = messages.HistoryRequest(view="talk_1m", entity=_entity("c:1"), begin=_stamp(AT_MS), end=_stamp(AT_MS + 9))
    with pytest.raises(grpc.RpcError) as raised:
        list(query.ReadHistory(request, timeout=1e-4))
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    monkeypatch.setattr(service, "LONGEST_CALL_S", -1.0)
    with pytest.raises(grpc.RpcError) as raised:
        list(query.ReadHistory(request))
    assert (raised.value.code(), raised.value.details()) == (
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "the answer took longer than its deadline",
    )


def test_what_nobody_foresaw_is_internal_and_tells_nothing_of_itself(sources: Sources) -> None:
    """The log has it."""
    broken = service.Sources(sources.catalogue, sources.online, sources.project, None, 0)  # type: ignore[arg-type]
    with FeatureServer(broken, "127.0.0.1", 0) as server, grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        request = messages.AsOfRequest(
            features=messages.Features(view="talk_1m"), entities=[_entity("c:1")], at=_stamp(AT_MS)
        )
        assert _refused(FeatureQueryStub(channel).ReadAsOf, request) == (
            grpc.StatusCode.INTERNAL,
            "unexpected AttributeError; the server's log has it",
        )
