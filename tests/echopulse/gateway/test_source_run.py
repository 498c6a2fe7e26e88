"""Whole sources against servers on this machine and a Kafka that is slow, away or gone."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml
from websockets.asyncio.server import ServerConnection, serve

from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.gateway import Gateway
from echopulse.gateway.gateway_config import load_config
from schemas.avro import decode_dead_letter
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ
from tests.echopulse.gateway.live import Broker, http_server, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.echopulse.gateway.live import Request

_MAPPING = {
    "source": "test",
    "id": "id",
    "ts": {"path": "t", "format": "ms"},
    "channel": "c",
    "user": "u",
    "text": {"path": "text", "default": ""},
    "metadata": {"kind": {"constant": "message"}},
}


def _frame(number: int, channel: str = "c", **more: Any) -> str:  # noqa: ANN401 any JSON
    return orjson.dumps({"id": f"e{number}", "t": now_ms(), "c": channel, "u": "ann", **more}).decode()


def _written(folder: Path, sources: dict[str, Any]) -> Path:
    (folder / "m.yaml").write_text(yaml.safe_dump(_MAPPING))
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump({"state": str(folder / "state"), "sources": sources}))
    return path


def _ws(url: str, folder: Path, **more: Any) -> dict[str, Any]:  # noqa: ANN401 any setting
    return {"connector": "websocket", "options": {"url": url, "mapping": str(folder / "m.yaml")}, **more}


async def _ended(gateway: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    await gateway


async def test_allowed_events_arrive_and_the_rest_is_counted(tmp_path: Path) -> None:
    """Channels, redaction and a poisoned frame; a server that refuses does not slow the other source."""

    async def handle(socket: ServerConnection) -> None:
        await socket.send(_frame(1, text="mail ann@example.org"))
        await socket.send(_frame(2, channel="secret"))
        await socket.send("{ ann@example.org")
        await socket.wait_closed()

    async def refuse(request: Request) -> None:
        await request.answer("401 Unauthorized")

    broker, stop = Broker(), asyncio.Event()
    async with serve(handle, "127.0.0.1", 0, close_timeout=1) as server, http_server(refuse) as dead:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        path = _written(
            tmp_path,
            {
                "good": _ws(url, tmp_path, channels={"deny": ["sec*"]}, redact={"email": True}),
                "dead": {"connector": "sse", "options": {"url": dead, "mapping": str(tmp_path / "m.yaml")}},
            },
        )
        gateway = Gateway(path, [], broker)
        running = asyncio.create_task(gateway.run(stop, asyncio.Event()))
        await until(lambda: len(broker.records) == 2 and gateway.figures()["dead"].state == "lost")
        figures = gateway.figures()
        await _ended(running, stop)
    event = SocialEvent.FromString(broker.records[0].value)
    letter = decode_dead_letter(next(r for r in broker.records if r.topic == DLQ).value)
    assert broker.ids() == ["e1"]
    assert b"ann@example.org" not in event.raw_payload
    assert event.metadata["text"] == "mail [email]"
    assert (letter.stage, letter.origin, letter.original) == ("parse", "good:3", b"{ [email]")
    assert figures["good"].dropped == {"channel": 1}
    assert "401 Unauthorized" in figures["dead"].trouble


async def test_kafka_away_loses_nothing_and_keeps_the_order(tmp_path: Path) -> None:
    """A small memory, and a spool behind it."""
    sent = 400

    async def handle(socket: ServerConnection) -> None:
        for number in range(sent):
            await socket.send(_frame(number))
        await socket.wait_closed()

    broker, stop = Broker(here=False), asyncio.Event()
    async with serve(handle, "127.0.0.1", 0, close_timeout=1) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        queue = {"events": 20, "bytes": 1_000_000}
        path = _written(tmp_path, {"chat": _ws(url, tmp_path, queue=queue, spool={"enabled": True})})
        gateway = Gateway(path, [], broker)
        running = asyncio.create_task(gateway.run(stop, asyncio.Event()))
        await until(lambda: "chat" in gateway.figures() and gateway.figures()["chat"].events == sent)
        await until(lambda: gateway.figures()["chat"].spool_bytes > 0)
        assert gateway.figures()["chat"].delivered == 0
        broker.back()
        await until(lambda: len(broker.records) == sent)
        await _ended(running, stop)
    assert broker.ids() == [f"e{number}" for number in range(sent)]


async def test_a_pausable_source_is_no_longer_read(tmp_path: Path) -> None:
    """Without a spool the socket is left alone: the server cannot send more than the bounds and the sockets hold."""
    sent = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal sent
        while True:
            await socket.send(_frame(sent, text="x" * 50_000))
            sent += 1

    broker, stop = Broker(here=False), asyncio.Event()
    async with serve(handle, "127.0.0.1", 0, close_timeout=1, compression=None) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        path = _written(tmp_path, {"chat": _ws(url, tmp_path, queue={"events": 20, "bytes": 500_000})})
        gateway = Gateway(path, [], broker)
        running = asyncio.create_task(gateway.run(stop, asyncio.Event()))
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.5)
        assert gateway.figures()["chat"].queue_bytes < 3_000_000
        broker.back()
        await until(lambda: sent > before)
        await _ended(running, stop)
    ids = broker.ids()
    assert ids == [f"e{number}" for number in range(len(ids))]


async def test_a_stream_is_resumed_in_the_next_process(tmp_path: Path) -> None:
    """Behind the last frame that Kafka has."""
    asked: list[str] = []

    async def handle(request: Request) -> None:
        asked.append(request.headers.get("last-event-id", ""))
        await request.stream()
        await request.send(f"id: {len(asked)}\ndata: {_frame(len(asked))}\n\n".encode())
        await asyncio.sleep(30)

    broker = Broker()
    async with http_server(handle) as url:
        options = {"url": url, "mapping": str(tmp_path / "m.yaml")}
        path = _written(tmp_path, {"feed": {"connector": "sse", "options": options}})
        for turn in (1, 2):
            stop = asyncio.Event()
            running = asyncio.create_task(Gateway(path, [], broker).run(stop, asyncio.Event()))
            await until(lambda turn=turn: len(broker.records) == turn)  # type: ignore[misc]
            await _ended(running, stop)
    assert asked == ["", "1"]


@pytest.mark.parametrize(("text", "sources"), [("sources: {}", ["a"]), (None, ["b"])])
async def test_the_configuration_is_read_again(tmp_path: Path, text: str | None, sources: list[str]) -> None:
    """A valid one is taken, an invalid one is refused as a whole."""
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, close_timeout=1) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        path = _written(tmp_path, {"a": _ws(url, tmp_path)})
        stop, changed = asyncio.Event(), asyncio.Event()
        gateway = Gateway(path, [], Broker())
        running = asyncio.create_task(gateway.run(stop, changed))
        await until(lambda: list(gateway.figures()) == ["a"])
        if text:
            path.write_text(text)
        else:
            _written(tmp_path, {"b": _ws(url, tmp_path)})
        changed.set()
        await until(lambda: not changed.is_set() and list(gateway.figures()) == sources)
        await _ended(running, stop)


async def test_a_spool_that_cannot_be_opened_refuses_the_reload(tmp_path: Path) -> None:
    """As a whole: what runs goes on, what could be opened is let go, and once mended the same file is taken."""
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, close_timeout=1) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        path = _written(tmp_path, {"a": _ws(url, tmp_path)})
        stop, changed = asyncio.Event(), asyncio.Event()
        gateway = Gateway(path, [], Broker())
        running = asyncio.create_task(gateway.run(stop, changed))
        await until(lambda: list(gateway.figures()) == ["a"])
        config = gateway.config
        blocked = tmp_path / "state" / "spool" / "c"
        blocked.parent.mkdir(parents=True, exist_ok=True)
        blocked.write_text("a file where a folder should be")
        spooled = {name: _ws(url, tmp_path, spool={"enabled": True}) for name in ("b", "c")}
        _written(tmp_path, spooled)
        with pytest.raises(EchoPulseError, match=r"the spool .*/c cannot be opened: File exists"):
            await gateway._apply(load_config(path)[1])
        await gateway._reload()
        assert list(gateway.figures()) == ["a"]
        assert gateway.config is config
        assert not running.done()
        blocked.unlink()
        changed.set()
        await until(lambda: list(gateway.figures()) == ["b", "c"])
        await _ended(running, stop)


async def test_a_killed_gateway_loses_nothing_that_it_had_spooled(tmp_path: Path) -> None:
    """SIGKILL with a spool in use; a second process's gateway drains it in order before what is new."""
    sent, connections = 300, 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        for number in range(sent) if connections == 1 else [sent]:
            await socket.send(_frame(number))
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, close_timeout=1) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        queue = {"events": 10, "bytes": 1_000_000}
        path = _written(tmp_path, {"chat": _ws(url, tmp_path, queue=queue, spool={"enabled": True})})
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(FilePath(__file__).parent / "killed_gateway.py"), str(path), str(sent)),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(FilePath(__file__).parents[3])},
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            in_memory = int(await process.stdout.readline())
        process.kill()
        await process.communicate()
        broker, stop = Broker(), asyncio.Event()
        running = asyncio.create_task(Gateway(path, [], broker).run(stop, asyncio.Event()))
        await until(lambda: f"e{sent}" in broker.ids())
        await _ended(running, stop)
    assert 0 < in_memory < sent
    assert broker.ids() == [f"e{number}" for number in range(sent + 1)], "what memory held had a copy on disk"
    assert not list((tmp_path / "state").rglob("cursor.new"))


_PUBLIC: dict[str, dict[str, Any]] = {
    "bluesky": {
        "did": "did:plc:a",
        "time_us": "us",
        "kind": "commit",
        "commit": {
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "3k",
            "record": {"text": "hello", "langs": ["en"], "createdAt": "2026-01-01T00:00:00Z"},
        },
    },
    "mastodon": {
        "uri": "https://m.example/1",
        "created_at": "iso",
        "language": "en",
        "content": "<p>hello</p>",
        "account": {"acct": "ann"},
    },
}


@pytest.mark.parametrize(("mapping", "channel"), [("bluesky", "bluesky-en"), ("mastodon", "mastodon-en")])
async def test_public_streams(tmp_path: Path, mapping: str, channel: str) -> None:
    """Frames as Jetstream (a websocket) and Mastodon (named SSE events with comments between) send them."""
    document = dict(_PUBLIC[mapping])
    stamp = datetime.now(UTC)
    document |= {"time_us": int(stamp.timestamp() * 1e6)} if mapping == "bluesky" else {"created_at": stamp.isoformat()}
    text = orjson.dumps(document).decode()

    async def jetstream(socket: ServerConnection) -> None:
        await socket.send(text)
        await socket.wait_closed()

    async def mastodon(request: Request) -> None:
        await request.stream()
        await request.send(f":)\nevent: update\ndata: {text}\n\nevent: delete\ndata: 12\n\n:thump\n".encode())
        await asyncio.sleep(30)

    broker, stop = Broker(), asyncio.Event()
    async with serve(jetstream, "127.0.0.1", 0, close_timeout=1) as server, http_server(mastodon) as sse:
        ws = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/subscribe"
        connector, url = ("websocket", ws) if mapping == "bluesky" else ("sse", sse)
        path = _written(tmp_path, {"public": {"connector": connector, "options": {"url": url, "mapping": mapping}}})
        running = asyncio.create_task(Gateway(path, [], broker).run(stop, asyncio.Event()))
        await until(lambda: len(broker.records) == 1)
        await _ended(running, stop)
    event = SocialEvent.FromString(broker.records[0].value)
    assert (event.channel_id, event.source) == (channel, mapping)


async def test_wikimedia_goes_on_behind_its_last_id(tmp_path: Path) -> None:
    """EventStreams ends a connection after some minutes; its ids are JSON: one Kafka position per data centre."""
    asked: list[str] = []
    ids = [f'[{{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":{number}}}]' for number in range(2)]

    async def stream(request: Request) -> None:
        number = len(asked)
        asked.append(request.headers.get("last-event-id", ""))
        meta = {"id": f"e{number}", "dt": datetime.now(UTC).isoformat(), "domain": "en.wikipedia.org"}
        edit = {"meta": meta, "type": "edit", "title": "Tea", "user": "Ann", "comment": "a typo", "wiki": "enwiki"}
        await request.stream()
        if number < len(ids):
            await request.send(
                f":ok\n\nevent: message\nid: {ids[number]}\ndata: ".encode() + orjson.dumps(edit) + b"\n\n"
            )
        else:
            await asyncio.sleep(30)

    broker, stop = Broker(), asyncio.Event()
    async with http_server(stream) as url:
        source = {"connector": "sse", "options": {"url": url, "mapping": "wikimedia"}}
        running = asyncio.create_task(
            Gateway(_written(tmp_path, {"wiki": source}), [], broker).run(stop, asyncio.Event())
        )
        await until(lambda: len(asked) == len(ids) + 1 and len(broker.records) == len(ids))
        await _ended(running, stop)
    assert asked == ["", *ids]
    assert broker.ids() == ["e0", "e1"]
