"""The settings: `echopulse.yaml`, overridden by ECHOPULSE_* variables (`__` between levels), checked at start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from echopulse.settings_errors import read_yaml, refuse_unknown_variables, told_plainly
from echopulse.settings_sections import (
    Consistency,
    Crowd,
    Drift,
    EmbeddedStack,
    Flink,
    Job,
    Kafka,
    Lake,
    OnlineStore,
    Registry,
    Tracking,
)
from schemas.errors import MISSPELT, EchoPulseError, did_you_mean, near

ENV_PREFIX = "ECHOPULSE_"
DEFAULT_FILE = Path("echopulse.yaml")

S = TypeVar("S", bound=BaseModel)
#: Which strategy does each part of the analysis; a setting replaces single entries.
STRATEGIES = {
    "sentiment": "bag",
    "toxicity": "bag",
    "stance": "bag",
    "entities": "aliases",
    "cluster": "signature",
}


class Settings(BaseSettings):
    """All settings. `home` holds the embedded stack's data/, logs/ and run/; `cache` jars and compiled kernels."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid")

    home: Path = Path(".echopulse")
    cache: Path = Path("~/.cache/echopulse")
    kafka: Kafka = Kafka()
    flink: Flink = Flink()
    online_store: OnlineStore = OnlineStore()
    lake: Lake = Lake()
    job: Job = Job()
    crowd: Crowd = Crowd()
    consistency: Consistency = Consistency()
    strategies: dict[str, str] = Field(default_factory=lambda: dict(STRATEGIES))
    strategy_paths: list[Path] = []
    strategy_options: dict[str, dict[str, str]] = {}
    shadow: dict[str, list[str]] = {}
    #: Folder of labelled Parquet files, for what is given none.
    training_data: Path = Path("data")
    tracking: Tracking = Tracking()
    registry: Registry = Registry()
    drift: Drift = Drift()
    stack: EmbeddedStack = EmbeddedStack()

    @field_validator("home", "cache", "training_data", mode="after")
    @classmethod
    def _at_home(cls, path: Path) -> Path:
        """Read `~` as the shell does."""
        return path.expanduser()

    @field_validator("strategies", mode="after")
    @classmethod
    def _known_kinds(cls, chosen: dict[str, str]) -> dict[str, str]:
        """Refuse a misspelt kind; the kinds not named keep their defaults."""
        for kind in chosen:
            _check_kind(kind)
        return STRATEGIES | chosen

    @field_validator("strategy_options", mode="after")
    @classmethod
    def _options_of_kinds(cls, options: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """Refuse options of a misspelt kind; a key is a kind, or kind/name for one strategy alone."""
        for key in options:
            _check_kind(key.partition("/")[0])
        return options

    @model_validator(mode="after")
    def _shadow_stands_beside(self) -> Self:
        """Refuse a strategy in shadow whose kind has no active one, and the active one itself."""
        for kind, names in self.shadow.items():
            _check_kind(kind)
            if kind not in self.strategies:
                raise ValueError(f"shadow.{kind} has no active strategy beside it; name one in strategies.{kind}")
            if self.strategies[kind] in names:
                raise ValueError(f"shadow.{kind} names '{self.strategies[kind]}', which is the active one")
        return self

    @model_validator(mode="after")
    def _addresses_follow_ports(self) -> Self:
        """Point every address that was not set at the embedded server's port."""
        self.kafka = _default(self.kafka, "bootstrap", f"127.0.0.1:{self.stack.kafka_port}")
        self.flink = _default(self.flink, "rest", f"http://127.0.0.1:{self.stack.flink_rest_port}")
        self.online_store = _default(self.online_store, "connection", f"127.0.0.1:{self.stack.valkey_port}")
        self.lake = _default(self.lake, "endpoint", f"http://127.0.0.1:{self.stack.s3_port}")
        self.tracking = _default(self.tracking, "uri", f"http://127.0.0.1:{self.stack.mlflow_port}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which `load` passes in; read nothing else."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def _check_kind(kind: str) -> None:
    if kind not in STRATEGIES and (near(kind, STRATEGIES, MISSPELT) or not re.fullmatch(r"[a-z][a-z0-9_]*", kind)):
        raise ValueError(f"no such kind '{kind}', {did_you_mean(kind, STRATEGIES)}")


def _default(section: S, key: str, value: str) -> S:
    return section if key in section.model_fields_set else section.model_copy(update={key: value})


def load(config: Path | None = None) -> Settings:
    """Read `config` (else echopulse.yaml in the current folder, where there is one), then the environment.

    Raises EchoPulseError that names the file or variable, the key, the value (never a secret) and the near miss.
    """
    if config is not None and not config.is_file():
        raise EchoPulseError(
            f"{config}: no such settings file", "--config names a YAML file; see echopulse.example.yaml"
        )
    file = config or DEFAULT_FILE
    document = read_yaml(file) if file.is_file() else {}
    refuse_unknown_variables(Settings.model_fields, ENV_PREFIX)
    try:
        return Settings(**document)
    except ValidationError as error:
        raise told_plainly(error, Settings, file, document, ENV_PREFIX) from error
    except SettingsError as error:
        raise EchoPulseError(f"environment: {error}", "lists and maps in a variable are written as JSON") from error
