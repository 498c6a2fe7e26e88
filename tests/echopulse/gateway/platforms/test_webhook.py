"""The webhook against a real HTTP client: the suite's questions, asked from the other side."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
import yaml

from echopulse.gateway import source_run
from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.gateway import Gateway
from echopulse.gateway.platforms.webhook_signature import SIGNATURE_HEADER, TIME_HEADER, refusal, signature
from tests.echopulse.gateway.live import Broker, until
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_KEY = b"a key that both know"
_MAPPING = {
    "source": "shop",
    "id": "id",
    "ts": {"path": "t", "format": "ms"},
    "channel": "c",
    "user": "u",
    "text": {"path": "text", "default": ""},
    "metadata": {"kind": {"path": "kind", "default": "message"}},
}


@asynccontextmanager
async def _served(
    folder: Path,
    broker: Broker,
    source: dict[str, Any] | None = None,
    **options: Any,  # noqa: ANN401 any option
) -> AsyncIterator[str]:
    port = free_port()
    (folder / "m.yaml").write_text(yaml.safe_dump(_MAPPING))
    chosen = {"mapping": str(folder / "m.yaml"), "key": "env:HOOK_KEY", "port": port, **options}
    path = folder / "gateway.yaml"
    hook = {"connector": "webhook", "options": chosen, **(source or {})}
    path.write_text(yaml.safe_dump({"state": str(folder / "state"), "sources": {"hook": hook}}))
    stop = asyncio.Event()
    task = asyncio.create_task(Gateway(path, [], broker).run(stop, asyncio.Event()))
    try:
        yield f"http://127.0.0.1:{port}/events"
    finally:
        stop.set()
        await task


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", _KEY.decode())


def _body(number: int, **more: Any) -> bytes:  # noqa: ANN401 any JSON
    return orjson.dumps({"id": f"e{number}", "t": now_ms(), "c": "lobby", "u": "ann", **more})


async def _post(url: str, body: bytes, *, late_s: float = 0.0, key: bytes = _KEY) -> httpx.Response:
    stamp = str(int(time.time() - late_s))
    headers = {TIME_HEADER: stamp, SIGNATURE_HEADER: signature(key, stamp, body)}
    transport = httpx.AsyncHTTPTransport(retries=5)  # until it listens
    async with httpx.AsyncClient(transport=transport, timeout=20) as client:
        return await client.post(url, content=body, headers=headers)


async def test_every_kind_is_answered_when_safe(tmp_path: Path) -> None:
    """The mapping says what a body is; a repeat has the same id."""
    broker = Broker()
    async with _served(tmp_path, broker) as url:
        answers = [
            await _post(url, body)
            for body in (_body(1), _body(2, kind="edit"), _body(3, kind="delete"), _body(1), b"{ none")
        ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert broker.ids() == ["e1", "e2", "e3", "e1"]
    assert [event.source for event in broker.events()] == ["shop"] * 4
    assert len(broker.records) == 5


async def test_what_is_not_safe_is_to_be_sent_again(tmp_path: Path) -> None:
    """503 with Retry-After while Kafka is away; nothing is answered by 2xx before Kafka has it."""
    broker = Broker(here=False)
    async with _served(tmp_path, broker, answer_s=0.2, retry_after_s=7) as url:
        refused = await _post(url, _body(1))
        broker.back()
        taken = await _post(url, _body(2))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert refused.text == "not known to be safe yet"
    assert taken.status_code == 200
    assert broker.ids() == ["e1", "e2"]


async def test_who_does_not_know_the_key_is_refused(tmp_path: Path) -> None:
    """As is who sends what is too old, and what is altered."""
    broker = Broker()
    async with _served(tmp_path, broker) as url:
        wrong = await _post(url, _body(1), key=b"another")
        old = await _post(url, _body(1), late_s=301)
        async with httpx.AsyncClient() as client:
            bare = await client.post(url, content=_body(1))
    assert [answer.status_code for answer in (wrong, old, bare)] == [401] * 3
    assert wrong.text == "X-EchoPulse-Signature does not fit X-EchoPulse-Timestamp and the body"
    assert old.text == "X-EchoPulse-Timestamp is more than 300 s from this server's clock"
    assert broker.records == []


async def test_what_is_too_much_is_refused(tmp_path: Path) -> None:
    """A body too large by 413, what is over the rate and too many at once by 429, both told when to come again."""
    broker = Broker()
    async with _served(
        tmp_path, broker, {"rate": {"per_second": 0.01, "burst": 1, "over": "drop"}}, body_bytes=200
    ) as url:
        large = await _post(url, _body(1, text="x" * 200))
        first, second = await _post(url, _body(1)), await _post(url, _body(2))
    assert [answer.status_code for answer in (large, first, second)] == [413, 200, 429]
    assert second.headers["Retry-After"] == "5"


async def test_ten_megabytes_are_not_read(tmp_path: Path) -> None:
    """Refused by 413 as soon as they are too many, and the next body is taken."""
    broker = Broker()
    async with _served(tmp_path, broker) as url:
        await _post(url, _body(1))
        port, sent = int(url.split(":")[2].split("/")[0]), 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
        while sent < 2_000_000:
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000
        async with asyncio.timeout(20):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        writer.close()
        assert (await _post(url, _body(2))).status_code == 200
    assert broker.ids() == ["e1", "e2"]


async def test_slow_clients_are_left(tmp_path: Path) -> None:
    """One whose head or body comes byte by byte (slow loris): closed, or told by 408; others are answered meanwhile."""
    broker = Broker()
    async with _served(tmp_path, broker, {"read_timeout_s": 0.5}) as url:
        await _post(url, _body(1))
        port = int(url.split(":")[2].split("/")[0])

        async def drip(begin: bytes, *, before: bytes = b"") -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(before)
            answer = await reader.read(65_536) if before else b""
            writer.write(begin)
            answering = asyncio.create_task(reader.read(65_536))
            with suppress(ConnectionError):
                async with asyncio.timeout(20):
                    while not answering.done():
                        writer.write(b"x")
                        await writer.drain()
                        await asyncio.sleep(0.02)
            writer.close()
            try:
                return answer + await answering
            except ConnectionError:
                return answer

        whole = b"GET /other HTTP/1.1\r\nHost: h\r\n\r\n"
        slow = asyncio.gather(
            drip(b"POST /events HTTP/1.1\r\nX-Slow: "),
            drip(b"POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"),
            drip(b"POST /events HTTP/1.1\r\nX-Slow: ", before=whole),
        )
        assert (await _post(url, _body(2))).status_code == 200
        head, body, second = await slow
    assert head == b""
    assert body.startswith(b"HTTP/1.1 408 ")
    assert second.startswith(b"HTTP/1.1 404 ")
    assert second.count(b"HTTP/1.1") == 1
    assert broker.ids() == ["e1", "e2"]


async def test_too_many_at_once_are_refused(tmp_path: Path) -> None:
    """Those beyond `waiting`; the others are answered in the end."""
    broker = Broker(here=False)
    async with _served(tmp_path, broker, waiting=1) as url:
        first = asyncio.create_task(_post(url, _body(1)))
        await until(lambda: bool(broker.waiting))
        second = await _post(url, _body(2))
        broker.back()
        assert (await first).status_code == 200
    assert (second.status_code, second.text) == (429, "too many requests wait for their answer")


async def test_other_requests_are_refused(tmp_path: Path) -> None:
    """By method and path."""
    async with _served(tmp_path, Broker()) as url:
        await _post(url, _body(1))
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).status_code == 405
            assert (await client.post(url + "/other")).status_code == 404


async def test_a_stop_answers_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Kafka away and no spool, they are told to send it again, and the port is free for the next start."""
    monkeypatch.setattr(source_run, "GRACE_S", 2)
    broker = Broker(here=False)
    async with _served(tmp_path, broker, answer_s=1) as url:
        waiting = asyncio.create_task(_post(url, _body(1)))
        await until(lambda: bool(broker.waiting))
    assert (await waiting).status_code == 503


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """With its address."""
    broker = Broker()
    async with _served(tmp_path, broker) as url:
        await _post(url, _body(1))
        port = int(url.split(":")[2].split("/")[0])
        chosen = {"mapping": str(tmp_path / "m.yaml"), "key": "env:HOOK_KEY", "port": port}
        path = tmp_path / "second.yaml"
        hook = {"connector": "webhook", "options": chosen}
        path.write_text(yaml.safe_dump({"state": str(tmp_path / "second"), "sources": {"hook": hook}}))
        stop, gateway = asyncio.Event(), Gateway(path, [], broker)
        task = asyncio.create_task(gateway.run(stop, asyncio.Event()))
        await until(lambda: "hook" in gateway.figures() and gateway.figures()["hook"].state == "lost")
        assert gateway.figures()["hook"].trouble == f"127.0.0.1:{port} cannot be listened at: Address already in use"
        stop.set()
        await task


@pytest.mark.parametrize(
    ("stamp", "now", "good"), [("1000", 1300, True), ("1000", 1301, False), ("1301", 1000, False), ("x", 0, False)]
)
def test_the_window(stamp: str, now: float, *, good: bool) -> None:
    """Five minutes, in either direction."""
    assert (refusal(_KEY, stamp, signature(_KEY, stamp, b"{}"), b"{}", now) == "") is good
