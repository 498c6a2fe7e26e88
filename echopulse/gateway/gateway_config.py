"""The gateway's configuration: its sources, and what each may bring in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from echopulse.gateway.access import Channels
from echopulse.gateway.connector_discovery import ConnectorType, discover
from echopulse.gateway.declaration import check_declaration, read_declaration
from echopulse.gateway.mapping import Mapping, load_mapping
from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.redaction_rules import Redact
from echopulse.gateway.secret_text import checked_secrets, with_secrets
from echopulse.gateway.source import Limits
from schemas.errors import EchoPulseError, did_you_mean

_MEBIBYTE = 1024 * 1024
#: A frame may be as large as Limits.frame_bytes, and has to fit into a sixteenth of what is free.
_LEAST_SPOOL = 64 * _MEBIBYTE


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rate(_Part):
    """At most so many frames a second on average; what is over waits, where the platform can, or is dropped."""

    per_second: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(ge=1)] = 1_000
    over: Literal["pause", "drop"] = "pause"


class Queue(_Part):
    """What may wait in memory: between socket and mapping, and again between mapping and Kafka's acknowledgement.

    One takes some 40 ms: 10,000 events would be a bound of 250,000 a second.
    """

    events: Annotated[int, Field(ge=1)] = 50_000
    bytes: Annotated[int, Field(ge=1)] = 64 * _MEBIBYTE


class SpoolRoom(_Part):
    """The disk's share: `enabled` by default where the platform does not wait."""

    enabled: bool | None = None
    bytes: Annotated[int, Field(ge=_LEAST_SPOOL)] = 1024 * _MEBIBYTE
    when_full: Literal["block", "drop-oldest"] = "block"
    fsync: Literal["always", "second", "never"] = "second"


class SourceConfig(_Part):
    """One source."""

    connector: str
    options: dict[str, Any] = {}
    channels: Channels = Channels()
    kinds: list[str] = []
    rate: Rate | None = None
    redact: Redact = Redact()
    queue: Queue = Queue()
    spool: SpoolRoom = SpoolRoom()
    attempts: Annotated[int, Field(ge=1)] = 1_000
    connect_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    read_timeout_s: Annotated[float, Field(gt=0)] = 60.0

    @field_validator("redact", mode="before")
    @classmethod
    def _secret_key(cls, value: Any) -> Any:  # noqa: ANN401 any YAML
        return checked_secrets(value, Redact)

    def limits(self) -> Limits:
        """Return the bounds of its connections."""
        return Limits(
            queued_frames=self.queue.events,
            queued_bytes=self.queue.bytes,
            attempts=self.attempts,
            connect_timeout_s=self.connect_timeout_s,
            read_timeout_s=self.read_timeout_s,
        )


SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class GatewayConfig(_Part):
    """All of it; `state` holds spools and places to resume, `nats` is read where `bus` says so."""

    bus: Literal["kafka", "nats"] = "kafka"
    nats: NatsConfig = NatsConfig()
    state: Path = Path(".echopulse/gateway")
    connector_paths: list[Path] = []
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 18_096
    sources: Annotated[dict[SourceName, SourceConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _at_home(self) -> Self:
        return self.model_copy(update={"state": self.state.expanduser()})


@dataclass(frozen=True)
class Source:
    """A source that can be started: all that it names is found, all that it says is checked."""

    name: str
    config: SourceConfig
    connector: ConnectorType
    options: Any
    mapping: Mapping | None

    @property
    def spooled(self) -> bool:
        """Whether what Kafka does not take goes to disk."""
        wanted = self.config.spool.enabled
        return not self.connector.pausable if wanted is None else wanted


def load_config(path: Path) -> tuple[GatewayConfig, dict[str, Source]]:
    """Read and check everything, or nothing. Raises EchoPulseError in one line: file, source, key, near miss."""
    config = read_declaration(path, GatewayConfig)
    known = discover(path.parent / folder.expanduser() for folder in config.connector_paths)
    return config, {name: _source(name, source, known, path) for name, source in config.sources.items()}


def _source(name: str, config: SourceConfig, known: dict[str, ConnectorType], path: Path) -> Source:
    where = f"{path}: sources.{name}"
    connector = known.get(config.connector)
    if connector is None:
        raise EchoPulseError(f"{where}: no connector '{config.connector}'", did_you_mean(config.connector, known))
    for kind in config.kinds:
        if kind not in connector.kinds:
            raise EchoPulseError(f"{where}: {connector.name} gives no '{kind}'", did_you_mean(kind, connector.kinds))
    try:
        document = with_secrets(config.options, connector.options)
    except ValueError as error:
        raise EchoPulseError(f"{where}.options.{error}") from None
    options = check_declaration(document, connector.options, f"{where}.options")
    mapping = load_mapping(options.mapping) if options.mapping else None
    connector(options, config.limits())
    return Source(name=name, config=config, connector=connector, options=options, mapping=mapping)
