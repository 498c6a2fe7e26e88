"""Reach the online store: settings as plain data, and a client with time-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import redis

from schemas.errors import EchoPulseError

_DEFAULT_PORT = 6379


@dataclass(frozen=True)
class OnlineStoreSettings:
    """Where the online store is and how long to bear with it; plain data, so that it travels to a worker.

    `connection` is Feast's form `host:port,parameter=value,...`; `key_ttl_s` 0 keeps keys for ever. A command may take
    `timeout_s`; while the store is away, a write is tried again for `retry_s` in all. `rows_per_call` bounds how long
    one call holds the server.
    """

    connection: str = "127.0.0.1:16379"
    project: str = "echopulse"
    key_ttl_s: int = 172_800
    timeout_s: float = 5.0
    retry_s: float = 180.0
    rows_per_call: int = 256


def connect(settings: OnlineStoreSettings) -> redis.Redis:
    """Return a client, not yet connected. Raises EchoPulseError where `connection` cannot be read."""
    address, *parameters = settings.connection.split(",")
    host, _, port = address.strip().rpartition(":")
    if not host:
        host, port = port, str(_DEFAULT_PORT)
    if not host or not port.isdigit():
        raise EchoPulseError(
            f"online store connection '{_masked(settings.connection)}' is not host:port[,parameter=value]",
            "online_store.connection in the settings",
        )
    defaults: dict[str, Any] = {"socket_timeout": settings.timeout_s, "socket_connect_timeout": settings.timeout_s}
    return redis.Redis(**(defaults | {"host": host, "port": int(port)} | _parameters(parameters, settings.connection)))


def _parameters(parts: list[str], connection: str) -> dict[str, Any]:
    """Read `name=value` parts; a value is JSON where it reads as JSON, else text, as Feast has it."""
    found: dict[str, Any] = {}
    for part in parts:
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise EchoPulseError(f"online store connection '{_masked(connection)}': '{name}' has no value")
        try:
            found[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            found[name] = value
    return found


def _masked(connection: str) -> str:
    """Return the connection without its parameters, which may hold a password."""
    return connection.split(",", 1)[0]
