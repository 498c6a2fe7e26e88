"""The part `nats` of a gateway.yaml: where the servers are, who is asking, and what the stream is like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from echopulse.gateway.secret_text import checked_secrets

_GIBIBYTE = 1024**3


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NatsTls(_Part):
    """Files in PEM: the authority that signed the server's certificate, the client's own certificate and its key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        return self


class NatsConfig(_Part):
    """How to reach JetStream, and the stream that it is to have; sizes in bytes, times in seconds."""

    servers: Annotated[list[Annotated[str, Field(pattern=r"^(nats|tls)://[^@\s]+$")]], Field(min_length=1)] = [
        "nats://127.0.0.1:4222"
    ]
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "social-events"
    token: SecretStr | None = None
    user: str | None = None
    password: SecretStr | None = None
    credentials: Path | None = None
    tls: NatsTls | None = None
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    max_bytes: Annotated[int, Field(ge=1024 * 1024)] = 4 * _GIBIBYTE
    duplicate_window_s: Annotated[float, Field(ge=1)] = 120.0
    in_flight: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    connect_timeout_s: Annotated[float, Field(gt=0)] = 5.0
    ack_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    attempts: Annotated[int, Field(ge=1)] = 1_000
    bridge_metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 18_099

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, document: Any) -> Any:  # noqa: ANN401 any YAML
        return checked_secrets(document, cls)

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if sum(each is not None for each in (self.token, self.user, self.credentials)) > 1:
            raise ValueError("one of token, user and credentials says who is asking")
        return self

    @property
    def address(self) -> str:
        """The servers as errors name them."""
        return ", ".join(self.servers)
