"""A connection, or one line that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from echopulse.gateway.nats_config import NatsConfig, NatsTls
from echopulse.gateway.nats_connection import NatsAwayError, connect, disconnect
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.nats_server import nats_running
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

_HINT = "(nats.token, nats.user, nats.credentials and nats.tls in gateway.yaml say who it is)"


async def test_nobody_answers() -> None:
    """The address is named; another attempt may find one."""
    url = f"nats://127.0.0.1:{free_port()}"
    with pytest.raises(NatsAwayError) as raised:
        await connect(NatsConfig(servers=[url]))
    assert str(raised.value).startswith(f"no NATS server answers at {url}: ")
    assert str(raised.value).endswith(" (nats.servers in gateway.yaml names them)")


async def test_any_of_several_servers_will_do(tmp_path: Path) -> None:
    """Those that are away are passed over."""
    away = [f"nats://127.0.0.1:{free_port()}" for _ in range(4)]
    with nats_running(tmp_path) as server:
        for _ in range(5):
            await disconnect(await connect(NatsConfig(servers=[*away, server.url])))


async def test_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right one opens, a wrong one is refused and not tried again."""
    with nats_running(tmp_path, 'authorization { token: "right" }') as server:
        monkeypatch.setenv("TOKEN", "right")
        document = {"servers": [server.url], "token": "env:TOKEN"}
        await disconnect(await connect(NatsConfig.model_validate(document)))
        monkeypatch.setenv("TOKEN", "wrong")
        with pytest.raises(EchoPulseError) as raised:
            await connect(NatsConfig.model_validate(document))
    assert not isinstance(raised.value, NatsAwayError)
    assert str(raised.value) == f"NATS at {server.url} refuses this client: nats: 'Authorization Violation' {_HINT}"


async def test_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its password."""
    with nats_running(tmp_path, 'authorization { user: "me", password: "word" }') as server:
        monkeypatch.setenv("WORD", "word")
        document = {"servers": [server.url], "user": "me", "password": "env:WORD"}
        await disconnect(await connect(NatsConfig.model_validate(document)))


async def test_certificates(tmp_path: Path) -> None:
    """Both ends show theirs; an unknown authority is refused, and so is a file that is none."""
    authority, other = trustme.CA(), trustme.CA()
    pair, mine = authority.issue_cert("127.0.0.1"), authority.issue_cert("client")
    for name, blob in (("cert", pair.cert_chain_pems[0]), ("key", pair.private_key_pem), ("ca", authority.cert_pem)):
        blob.write_to_path(tmp_path / name)
    for name, blob in (("my", mine.cert_chain_pems[0]), ("my.key", mine.private_key_pem), ("other", other.cert_pem)):
        blob.write_to_path(tmp_path / name)
    lines = ", ".join(f'{kind}_file: "{tmp_path / kind}"' for kind in ("cert", "key", "ca"))
    with nats_running(tmp_path, f"tls {{ {lines}, verify: true }}") as server:
        url = server.url.replace("nats://", "tls://")
        tls = NatsTls(ca=tmp_path / "ca", cert=tmp_path / "my", key=tmp_path / "my.key")
        await disconnect(await connect(NatsConfig(servers=[url], tls=tls)))
        with pytest.raises(EchoPulseError, match="certificate verify failed"):
            await connect(NatsConfig(servers=[url], tls=tls.model_copy(update={"ca": tmp_path / "other"})))
        with pytest.raises(EchoPulseError, match=r"^nats\.tls: .*/gone cannot be used"):
            await connect(NatsConfig(servers=[url], tls=NatsTls(ca=tmp_path / "gone")))


async def test_credentials_that_are_no_file(tmp_path: Path) -> None:
    """Said before anything is sent."""
    path = tmp_path / "gone.creds"
    with pytest.raises(EchoPulseError) as raised:
        await connect(NatsConfig(credentials=path))
    assert str(raised.value) == f"nats.credentials: {path} is no file (`nsc generate creds` writes one)"
