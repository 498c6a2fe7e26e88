"""The gRPC service against a real client: the suite's questions, asked from the other side."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
import trustme
import yaml

from echopulse.gateway import source_run
from echopulse.gateway.gateway import Gateway
from schemas.errors import EchoPulseError
from schemas.ingest_pb2 import SendReply, SendRequest
from schemas.ingest_pb2_grpc import IngestStub
from schemas.social_event_pb2 import SocialEvent
from tests.echopulse.gateway.live import Broker, until
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_TOKEN = "a token"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_TOKEN", _TOKEN)


@asynccontextmanager
async def _served(
    folder: Path,
    broker: Broker,
    source: dict[str, Any] | None = None,
    **options: Any,  # noqa: ANN401 any option
) -> AsyncIterator[str]:
    port = free_port()
    path = folder / "gateway.yaml"
    own = {"connector": "grpc", "options": {"token": "env:INGEST_TOKEN", "port": port, **options}, **(source or {})}
    path.write_text(yaml.safe_dump({"state": str(folder / "state"), "sources": {"own": own}}))
    stop = asyncio.Event()
    task = asyncio.create_task(Gateway(path, [], broker).run(stop, asyncio.Event()))
    try:
        yield f"127.0.0.1:{port}"
    finally:
        stop.set()
        await task


def _event(number: int, **more: Any) -> SocialEvent:  # noqa: ANN401 any field
    event = SocialEvent(id=f"e{number}", channel_id="lobby", user_id="ann", raw_payload=b'{"text": "hello"}')
    event.ts.FromSeconds(int(time.time()))
    event.MergeFrom(SocialEvent(**more))
    return event


async def _sent(address: str, *events: SocialEvent, token: str = _TOKEN) -> SendReply:
    async with grpc.aio.insecure_channel(address) as channel:
        call = IngestStub(channel).Send(
            SendRequest(events=events),
            metadata=(("authorization", f"Bearer {token}"),),
            wait_for_ready=True,
            timeout=20,
        )
        reply: SendReply = await call
        return reply


async def test_every_kind_is_answered_when_safe(tmp_path: Path) -> None:
    """Whole, with the source that it names; what is no event is a dead letter."""
    broker = Broker()
    async with _served(tmp_path, broker) as address:
        edit = _event(2, metadata={"kind": "edit", "target": "e1"}, source="forum")
        reply = await _sent(address, _event(1), edit, SocialEvent(id="bad"))
    assert [(outcome.id, outcome.safe, outcome.reason) for outcome in reply.outcomes] == [
        ("e1", True, ""),
        ("e2", True, ""),
        ("bad", True, ""),
    ]
    assert [(event.id, event.source, event.user_id) for event in broker.events()] == [
        ("e1", "grpc", "ann"),
        ("e2", "forum", "ann"),
    ]
    assert broker.events()[1].metadata["target"] == "e1"
    assert len(broker.records) == 3


async def test_what_is_not_safe_is_to_be_sent_again(tmp_path: Path) -> None:
    """While Kafka is away; over the rate."""
    broker = Broker(here=False)
    async with _served(tmp_path, broker, answer_s=0.2) as address:
        refused = await _sent(address, _event(1))
        broker.back()
        taken = await _sent(address, _event(1))
    assert [(outcome.safe, outcome.reason) for outcome in refused.outcomes] == [(False, "not known to be safe yet")]
    assert taken.outcomes[0].safe
    assert broker.ids() == ["e1", "e1"]


async def test_what_is_over_the_rate_is_told(tmp_path: Path) -> None:
    """Each event by itself."""
    async with _served(tmp_path, Broker(), {"rate": {"per_second": 0.01, "burst": 1, "over": "drop"}}) as address:
        reply = await _sent(address, _event(1), _event(2))
    assert [outcome.reason for outcome in reply.outcomes] == ["", "more than the source's rate"]


async def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    """UNAUTHENTICATED."""
    async with _served(tmp_path, Broker()) as address:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _sent(address, _event(1), token="another")
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_too_many_calls_are_told_when_to_come_again(tmp_path: Path) -> None:
    """RESOURCE_EXHAUSTED with gRPC's own pushback; those that wait are answered in the end."""
    broker = Broker(here=False)
    async with _served(tmp_path, broker, waiting=1, retry_after_s=7) as address:
        first = asyncio.create_task(_sent(address, _event(1)))
        await until(lambda: bool(broker.waiting))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _sent(address, _event(2))
        broker.back()
        assert (await first).outcomes[0].safe
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ("grpc-retry-pushback-ms", "7000") in list(refused.value.trailing_metadata())


async def test_a_stop_answers_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told that it is not safe."""
    monkeypatch.setattr(source_run, "GRACE_S", 2)
    broker = Broker(here=False)
    async with _served(tmp_path, broker, answer_s=1) as address:
        waiting = asyncio.create_task(_sent(address, _event(1)))
        await until(lambda: bool(broker.waiting))
    assert not (await waiting).outcomes[0].safe


async def test_tls(tmp_path: Path) -> None:
    """By the certificate that is named."""
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    files: dict[str, Any] = {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    async with _served(tmp_path, Broker(), **files) as address:
        credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        async with grpc.aio.secure_channel(address, credentials) as channel:
            metadata = (("authorization", f"Bearer {_TOKEN}"),)
            call = IngestStub(channel).Send(SendRequest(events=[_event(1)]), metadata=metadata, wait_for_ready=True)
            assert (await call).outcomes[0].safe


async def test_a_certificate_wants_its_key(tmp_path: Path) -> None:
    """Told before anything starts."""
    with pytest.raises(EchoPulseError, match="go together"):
        async with _served(tmp_path, Broker(), certificate="cert.pem"):
            pass


async def test_a_certificate_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """One that is not there; the source is lost and says why."""
    files: dict[str, Any] = {"certificate": str(tmp_path / "none.pem"), "key": str(tmp_path / "none.key")}
    path = tmp_path / "gateway.yaml"
    own = {"connector": "grpc", "options": {"token": "env:INGEST_TOKEN", "port": 0, **files}}
    path.write_text(yaml.safe_dump({"state": str(tmp_path / "state"), "sources": {"own": own}}))
    stop, gateway = asyncio.Event(), Gateway(path, [], Broker())
    task = asyncio.create_task(gateway.run(stop, asyncio.Event()))
    await until(lambda: "own" in gateway.figures() and gateway.figures()["own"].state == "lost")
    assert "none.key cannot be read: No such file or directory" in gateway.figures()["own"].trouble
    stop.set()
    await task


async def test_who_has_no_certificate_of_the_authority_is_refused(tmp_path: Path) -> None:
    """Where clients must show one."""
    authority, other = trustme.CA(), trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files: dict[str, Any] = {name: str(tmp_path / f"{file}.pem") for name, file in _FILES.items()}
    broker = Broker()
    async with _served(tmp_path, broker, **files) as address:
        for signer, taken in ((authority, True), (other, False)):
            client = signer.issue_cert("client@example.org")
            credentials = grpc.ssl_channel_credentials(
                authority.cert_pem.bytes(), client.private_key_pem.bytes(), client.cert_chain_pems[0].bytes()
            )
            async with grpc.aio.secure_channel(address, credentials) as channel:
                metadata = (("authorization", f"Bearer {_TOKEN}"),)
                request = SendRequest(events=[_event(int(taken))])
                call = IngestStub(channel).Send(request, metadata=metadata, wait_for_ready=taken, timeout=20)
                if taken:
                    assert (await call).outcomes[0].safe
                else:
                    with pytest.raises(grpc.aio.AioRpcError) as refused:
                        await call
                    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert broker.ids() == ["e1"]


_FILES = {"certificate": "cert", "key": "key", "client_authority": "ca"}


async def test_ten_megabytes_and_slow_clients_do_not_stop_the_others(tmp_path: Path) -> None:
    """RESOURCE_EXHAUSTED for the one; the other says HTTP/2's preface for ever."""
    broker = Broker()
    async with _served(tmp_path, broker) as address:
        assert (await _sent(address, _event(1))).outcomes[0].safe
        host, _, port = address.partition(":")
        slow = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
        for _, writer in slow:
            writer.write(b"PRI * HT")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _sent(address, _event(2, raw_payload=b"x" * 10_000_000))
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await _sent(address, _event(3))).outcomes[0].safe
        for _, writer in slow:
            writer.close()
    assert broker.ids() == ["e1", "e3"]
