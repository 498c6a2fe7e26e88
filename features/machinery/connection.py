"""Reach the online store: settings as plain data, and a client with time-outs for one server, Sentinel or a cluster."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
import redis
from redis.cluster import ClusterNode, RedisCluster
from redis.sentinel import Sentinel

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    Client = redis.Redis | RedisCluster

RedisType = Literal["redis", "redis_cluster", "redis_sentinel"]
_DEFAULT_PORT = 6379


@dataclass(frozen=True)
class OnlineStoreSettings:
    """Where the online store is and how long to bear with it; plain data, so that it travels to a worker.

    `connection` is Feast's form `host:port,...,parameter=value,...`, or a redis:// or rediss:// address; `redis_type`
    says what is behind it, `sentinel_master` which one Sentinel is asked for. `keys` says where the keys are that
    values are encrypted under, '' leaves them open. `key_ttl_s` 0 keeps keys for ever. A command may take `timeout_s`;
    while the store is away, a write is tried again for `retry_s` in all. `rows_per_call` bounds how long one call
    holds the server.
    """

    connection: str = "127.0.0.1:16379"
    project: str = "echopulse"
    key_ttl_s: int = 172_800
    timeout_s: float = 5.0
    retry_s: float = 180.0
    rows_per_call: int = 256
    redis_type: RedisType = "redis"
    sentinel_master: str = "mymaster"
    keys: str = ""


def connect(settings: OnlineStoreSettings) -> Client:
    """Return a client; that of a cluster has asked it for its nodes, others have not connected yet.

    Raises EchoPulseError where `connection` cannot be read, and redis' errors where a cluster does not answer.
    """
    parts = [part.strip() for part in feast_form(settings.connection).split(",")]
    addresses = [_address(part, settings.connection) for part in parts if "=" not in part]
    if not addresses:
        raise _unreadable(settings.connection)
    if len(addresses) > 1 and settings.redis_type == "redis":
        raise EchoPulseError(
            f"online store connection '{_masked(settings.connection)},...': {len(addresses)} addresses for one server",
            "online_store.redis_type: redis_cluster or redis_sentinel",
        )
    defaults: dict[str, Any] = {"socket_timeout": settings.timeout_s, "socket_connect_timeout": settings.timeout_s}
    options = defaults | _parameters([part for part in parts if "=" in part], settings.connection)
    if settings.redis_type == "redis_cluster":
        nodes = [ClusterNode(host, port) for host, port in addresses]  # type: ignore[no-untyped-call] # redis has few types here
        cluster: RedisCluster = RedisCluster(startup_nodes=nodes, **options)
        return cluster
    if settings.redis_type == "redis_sentinel":
        master: redis.Redis = Sentinel(addresses, **options).master_for(settings.sentinel_master)  # type: ignore[no-untyped-call]
        return master
    [(host, port)] = addresses
    return redis.Redis(host=host, port=port, **options)


def feast_form(connection: str) -> str:
    """Return a redis:// or rediss:// address in Feast's form, `host:port,parameter=value,...`; others as they are.

    rediss is `ssl=true`. The query holds redis-py's parameters, such as ssl_ca_certs. Raises EchoPulseError.
    """
    if "://" not in connection:
        return connection
    try:
        url = urlsplit(connection)
        port = url.port or _DEFAULT_PORT
    except ValueError as error:
        raise EchoPulseError("online store connection: the address has no readable host and port") from error
    if url.scheme not in {"redis", "rediss"} or not url.hostname:
        raise EchoPulseError(
            f"online store connection '{url.scheme}://...' is neither redis:// nor rediss://host:port",
            "online_store.connection in the settings",
        )
    given = {
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "db": url.path.strip("/"),
    }
    given |= dict(parse_qsl(url.query)) | ({"ssl": "true"} if url.scheme == "rediss" else {})
    if any("," in value for value in given.values()):
        raise EchoPulseError("online store connection: a parameter holds a comma, which Feast's form has no place for")
    return ",".join([f"{url.hostname}:{port}", *(f"{name}={value}" for name, value in given.items() if value)])


def refused(error: BaseException | None) -> str | None:
    """Return why no connection is possible however long one waits (certificates, missing files); None where it is."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return str(getattr(error, "verify_message", "") or error.reason or error)
        if isinstance(error, FileNotFoundError):
            return str(error.strerror)
        error = error.__cause__ or error.__context__
    return None


def _address(text: str, connection: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        host, port = port, str(_DEFAULT_PORT)
    if not host or not port.isdigit():
        raise _unreadable(connection)
    return host, int(port)


def _unreadable(connection: str) -> EchoPulseError:
    return EchoPulseError(
        f"online store connection '{_masked(connection)}' is not host:port[,parameter=value]",
        "online_store.connection in the settings",
    )


def _parameters(parts: list[str], connection: str) -> dict[str, Any]:
    """Read `name=value` parts; a value is JSON where it reads as JSON, else text, as Feast has it."""
    found: dict[str, Any] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if not name:
            raise _unreadable(connection)
        try:
            found[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            found[name] = value
    return found


def _masked(connection: str) -> str:
    """Return the connection without its parameters, which may hold a password."""
    return connection.split(",", 1)[0]
