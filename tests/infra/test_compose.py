"""The containers agree with the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from echopulse.settings import Settings, load
from echopulse.stack.settings import GRPC_PORTS

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text(encoding="utf-8"))
SERVERS = ("kafka", "jobmanager", "taskmanager", "valkey", "s3")


@pytest.mark.parametrize("name", SERVERS)
def test_server_is_pinned_and_checked(name: str) -> None:
    """No server floats on `latest`, and each says when it is ready."""
    service: dict[str, Any] = COMPOSE["services"][name]
    assert re.fullmatch(r"[a-z/]+:(?:[0-9]+\.[0-9]+[a-z0-9.-]*|\$\{VERSION:-dev\})", service["image"])
    assert service["healthcheck"]["test"][0] == "CMD"


def test_addresses_are_the_settings_defaults() -> None:
    """What `echopulse` expects without a settings file is where the containers listen."""
    settings, text = Settings(), yaml.safe_dump(COMPOSE, width=2**16)
    environment = COMPOSE["services"]["taskmanager"]["environment"]
    assert environment["ECHOPULSE_KAFKA__BOOTSTRAP"] == settings.kafka.bootstrap
    assert environment["ECHOPULSE_FLINK__REST"] == settings.flink.rest
    assert environment["ECHOPULSE_ONLINE_STORE__CONNECTION"] == settings.online_store.connection
    assert environment["ECHOPULSE_LAKE__ENDPOINT"] == settings.lake.endpoint
    assert settings.lake.secret_key.get_secret_value() in environment["ECHOPULSE_LAKE__SECRET_KEY"]
    ports = settings.stack
    for port in (ports.kafka_port, ports.kafka_controller_port, ports.valkey_port, ports.flink_rest_port):
        assert str(port) in text
    for part, port in {"s3": ports.s3_port, "master": ports.s3_master_port, "volume": ports.s3_volume_port}.items():
        assert f"-{part}.port={port} " in COMPOSE["services"]["s3"]["command"]
    for place, part in enumerate(GRPC_PORTS, start=1):
        assert f"-{part}.port.grpc={ports.s3_filer_port + place}" in COMPOSE["services"]["s3"]["command"]


def test_every_variable_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The names in the file are names that the settings know."""
    monkeypatch.chdir(tmp_path)
    for name, value in COMPOSE["services"]["cli"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert load().lake.path == "s3://echopulse/lake"
