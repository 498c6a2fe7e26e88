"""The sections of the settings, each with its defaults and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

MAX_PORT = 65_535
MINUTE_MS = 60_000
#: SeaweedFS's master, volume, filer and S3 each listen for gRPC too.
S3_GRPC_PORTS = 4
#: Airflow serves logs of tasks and of its triggerer by ports of their own.
AIRFLOW_LOG_PORTS = 2
Port = Annotated[int, Field(ge=1, le=MAX_PORT)]
Positive = Annotated[int, Field(ge=1)]
Delivery = Literal["exactly-once", "at-least-once"]


class _Section(BaseModel):
    """A part of the settings: fixed once read, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kafka(_Section):
    """Where the broker is; `bootstrap` follows `stack.kafka_port` unless it is set."""

    bootstrap: str = "127.0.0.1:19092"
    replication: Positive = 1


class Flink(_Section):
    """Where the cluster is and how the job runs on it; `rest` follows `stack.flink_rest_port` unless it is set."""

    rest: str = "http://127.0.0.1:18081"
    parallelism: Positive = 2
    #: Exactly-once results can be read after a checkpoint, so this is their latency. Every second would cost two thirds
    #: of a core while nothing happens (some forty tasks with state and files); `delivery: at-least-once` does not wait.
    checkpoint_interval_ms: Positive = 5_000
    delivery: Delivery = "exactly-once"


class OnlineStore(_Section):
    """The Redis or Valkey behind Feast; `connection` follows `stack.valkey_port` unless it is set."""

    connection: str = "127.0.0.1:16379"
    redis_type: Literal["redis", "redis_cluster", "redis_sentinel"] = "redis"
    #: The name by which Sentinel knows the server.
    sentinel_master: str = "mymaster"
    #: A key that is not written for this long leaves the store, unless a view's time to live is longer.
    key_ttl_seconds: Positive = 172_800
    #: Where the keys are that values are encrypted under, never the keys themselves; empty leaves values open.
    keys: Annotated[str, Field(pattern=r"^$|^file:.+|^env:.+")] = ""

    @field_validator("keys", mode="after")
    @classmethod
    def _absolute(cls, keys: str) -> str:
        """Name a file so that a worker in another folder finds it."""
        kind, _, name = keys.partition(":")
        return f"file:{Path(name).expanduser().absolute()}" if kind == "file" else keys


class Lake(_Section):
    """The offline store: a folder or an S3 prefix; `endpoint` follows `stack.s3_port` unless it is set.

    The keys' defaults are those of the embedded server, which listens on this machine only.
    """

    path: str = "s3://echopulse/lake"
    endpoint: str = "http://127.0.0.1:18333"
    access_key: str = "echopulse"
    secret_key: SecretStr = SecretStr("echopulse-embedded")
    region: str = "us-east-1"
    #: Days that a table is kept for, by its name or, for all features, by `features`; what is not named stays.
    retention_days: dict[str, Positive] = {}

    @field_validator("retention_days", mode="after")
    @classmethod
    def _tables(cls, days: dict[str, int]) -> dict[str, int]:
        """Refuse what can be no table's name."""
        for table in days:
            if table not in {"events", "features"} and not re.fullmatch(r"features/\w+", table):
                raise ValueError(f"'{table}' is no table; events, features and features/VIEW are")
        return days


class Job(_Section):
    """Times and sizes of the job `signals`, in ms and rows."""

    watermark_delay_ms: Annotated[int, Field(ge=0)] = 5_000
    #: A partition that is silent for so long no longer holds the watermark back. Long, because a partition that a busy
    #: worker has not come to yet must not be taken for a silent one; the simulator and replays send heartbeats.
    idle_timeout_ms: Positive = 60_000
    repeat_ttl_ms: Positive = 600_000
    bundle_size: Positive = 20_000
    bundle_time_ms: Positive = 100


class Crowd(_Section):
    """Trends, conversations and health: whether they are computed, and the step in which trends and health move on."""

    enabled: bool = True
    #: In ms; a minute is made of whole ones.
    pane_ms: Annotated[int, Field(ge=1_000, le=60_000)] = 10_000

    @field_validator("pane_ms", mode="after")
    @classmethod
    def _divides_a_minute(cls, pane_ms: int) -> int:
        """Refuse a step that a minute is no multiple of."""
        if MINUTE_MS % pane_ms:
            raise ValueError(f"{pane_ms} does not divide a minute; 10000 does, or 5000, 20000, 30000")
        return pane_ms


class Consistency(_Section):
    """How often the running job holds online values against the lake, and for how many entities; 0 s is never."""

    check_every_seconds: Annotated[int, Field(ge=0)] = 0
    sample: Positive = 100


class Tracking(_Section):
    """Where MLflow is, which keeps runs and models; `uri` follows `stack.mlflow_port` unless it is set."""

    uri: Annotated[str, Field(pattern=r"^https?://")] = "http://127.0.0.1:18500"
    experiment: Annotated[str, Field(min_length=1)] = "echopulse"
    #: Sent as a bearer's, where the server asks for one.
    token: SecretStr = SecretStr("")


class Registry(_Section):
    """How models become champions: the gates, who may approve, what signs, and how long ahead a change is set."""

    #: A YAML file of gates; empty takes those that ship.
    gates: str = ""
    #: Names by role, for the gates that ask for an approver.
    roles: dict[str, list[str]] = {}
    #: An Ed25519 key in PEM that verdicts are signed with; empty makes one in the home.
    signing_key: str = ""
    lead_ms: Positive = 5_000


class Drift(_Section):
    """How results and texts are watched for drift; a pane is so many values of a group of channels."""

    #: Patterns of channel ids by the name of a group; a channel in none belongs to its source.
    groups: dict[str, list[str]] = {}
    pane_events: Positive = 1_000
    baseline_panes: Annotated[int, Field(ge=10)] = 40
    #: How likely an alarm is at one pane of a group where nothing changed, all its measures together.
    false_alarm_rate: Annotated[float, Field(gt=0, lt=1)] = 0.0001
    #: What a pane must differ by to count, as a population stability index.
    least_psi: Annotated[float, Field(ge=0)] = 0.1
    #: What a mean must move by to count, in standard deviations of the baseline.
    least_shift: Annotated[float, Field(ge=0)] = 0.2
    #: So many panes in a row must differ.
    persist: Positive = 3
    #: A model whose training's words are the known ones: a name or a folder; else they are those of the first texts.
    reference: str = ""
    #: How many texts those are.
    vocabulary_texts: Positive = 50_000
    #: Where `drift watch` shows its metrics.
    metrics_port: Port = 18_096


class EmbeddedStack(_Section):
    """Ports on this machine of the servers that `echopulse up` starts; S3's gRPC has the four above `s3_filer_port`."""

    kafka_port: Port = 19_092
    kafka_controller_port: Port = 19_093
    flink_rest_port: Port = 18_081
    flink_rpc_port: Port = 18_123
    valkey_port: Port = 16_379
    s3_port: Port = 18_333
    s3_master_port: Port = 18_334
    s3_volume_port: Port = 18_335
    s3_filer_port: Port = 18_336
    #: Whether `up` starts a tracking server beside the others: some 430 MB of memory.
    mlflow: bool = True
    mlflow_port: Port = 18_500
    #: Airflow's web page, of `make airflow`; logs of its tasks and its triggerer have the two above it.
    airflow_port: Port = 18_600
    #: Where `up`, `run` and `pipeline run` show their metrics.
    metrics_port: Port = 18_095
    start_timeout_s: Positive = 120

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        """Refuse two servers on one port."""
        taken = {name: getattr(self, name) for name in type(self).model_fields if name.endswith("_port")}
        taken |= {f"s3_filer_port + {n}": self.s3_filer_port + n for n in range(1, S3_GRPC_PORTS + 1)}
        taken |= {f"airflow_port + {n}": self.airflow_port + n for n in range(1, AIRFLOW_LOG_PORTS + 1)}
        seen: dict[int, str] = {}
        for name, port in taken.items():
            if port > MAX_PORT:
                raise ValueError(f"{name} is {port}; a port is at most {MAX_PORT}")
            if seen.setdefault(port, name) != name:
                raise ValueError(f"{seen[port]} and {name} are both {port}; each server needs a port of its own")
        return self
