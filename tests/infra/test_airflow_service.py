"""How Airflow is started beside the stack, and what stands in its way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack, Kafka, Registry
from infra import airflow_service
from infra.airflow_service import Airflow
from schemas.errors import EchoPulseError
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with an `airflow` in it."""
    folder = tmp_path / ".venv-airflow" / "bin"
    folder.mkdir(parents=True)
    (folder / "airflow").touch()
    monkeypatch.setattr(airflow_service, "ENVIRONMENT", folder)
    return folder


def test_everything_it_keeps_is_in_the_home(environment: Path, tmp_path: Path) -> None:
    """Ports and brokers are those of the settings; who may approve has a user; tasks find settings, data and home."""
    settings = Settings(
        home=tmp_path / "home",
        kafka=Kafka(bootstrap="kafka-1:9092"),
        stack=EmbeddedStack(airflow_port=28600),
        registry=Registry(roles={"lead": ["grace", "ada"], "other": ["ada", "admin"]}),
        training_data=tmp_path / "data",
    )
    launch = Airflow(settings, Path("mine.yaml")).launch()
    home = tmp_path / "home" / "airflow"
    assert launch.argv == (str(environment / "airflow"), "standalone")
    told = launch.environ
    assert (told["AIRFLOW_HOME"], told["AIRFLOW__API__PORT"]) == (str(home), "28600")
    assert told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{home}/airflow.db"
    assert told["AIRFLOW__CORE__DAGS_FOLDER"] == str(ROOT / "dags")
    assert told["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,ada:op,grace:op"
    assert told["PATH"].split(os.pathsep)[:2] == [str(environment), str(Path(sys.executable).parent)]
    kafka = json.loads(told["AIRFLOW_CONN_ECHOPULSE_KAFKA"])["extra"]
    assert (kafka["bootstrap.servers"], kafka["enable.auto.commit"]) == ("kafka-1:9092", False)
    assert {name.removeprefix("AIRFLOW_VAR_ECHOPULSE_"): told[name] for name in told if "_VAR_" in name} == {
        "FOLDER": str(Path.cwd()),
        "CONFIG": str(Path.cwd() / "mine.yaml"),
        "DATA": str(tmp_path / "data"),
        "HOME": str(tmp_path / "home"),
    }


def test_without_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target that makes it is named."""
    monkeypatch.setattr(airflow_service, "ENVIRONMENT", tmp_path / "bin")
    with pytest.raises(EchoPulseError) as error:
        Airflow(Settings(home=tmp_path), None).launch()
    assert str(error.value) == f"{tmp_path} is missing (make airflow-environment)"


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("place", [0, 2])
def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    """The web page's, or one of those above it."""
    ports = free_ports(3)
    port = ports[place]
    with socket.create_server(("127.0.0.1", port)):
        monkeypatch.setenv("ECHOPULSE_STACK__AIRFLOW_PORT", str(ports[0]))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(EchoPulseError, match=rf"^airflow: port {port} is taken .*set stack.airflow_port or"):
            airflow_service.run(None)


@pytest.mark.usefixtures("environment")
def test_without_a_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic of its watcher has to be there."""
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr("echopulse.gateway.topics_admin.TIMEOUT_S", 1.0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EchoPulseError, match=r"^no Kafka broker answers at 127\.0\.0\.1:1"):
        airflow_service.run(None)


def test_a_missing_file_of_settings_is_one_line(tmp_path: Path) -> None:
    """As a program."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "infra" / "airflow_service.py"), "--config", "none.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "airflow: none.yaml: no such settings file (--config names a YAML file; see echopulse.example.yaml)\n"
    )
