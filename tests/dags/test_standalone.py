"""The loop under a real `airflow standalone`: drift on Kafka, its watcher, training, promotion by the gates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from confluent_kafka import Producer

from echopulse.gateway.topics_admin import ensure_topics
from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack, Registry
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka
from echopulse.stack.processes import record_of, terminate
from echopulse.stack.spec import child_environ
from infra.airflow_service import Airflow as Service
from schemas.topics import MODEL_DRIFT
from tests.dags.conftest import ROOT
from tests.ports import free_ports
from tests.system.own_stack import left_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.dags.conftest import Airflow

_COMES_UP_S, _RUNS_S = 150, 90
#: How long a run of `retrain` lasts at least in the test, and the drifts that are told meanwhile.
_PAUSE_S, _STORM, _BETWEEN_S = 45, 4, 3

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(400)]


def test_drift_on_kafka_leads_to_a_promotion(airflow: Airflow, tmp_path: Path) -> None:
    """A drift is told; a model is trained, registered and promoted. What is no drift is passed over."""
    # Airflow takes the two ports above its web page's, too.
    kafka, controller, web, *_ = free_ports(5)
    settings = Settings(
        home=tmp_path / "home",
        stack=EmbeddedStack(kafka_port=kafka, kafka_controller_port=controller, airflow_port=web),
        registry=Registry(roles={"lead": ["ada"]}),
        training_data=Path("/labelled texts"),
    )
    registered = [{"task": "toxicity", "role": "challenger"}]
    airflow.answer("registry register", {"digest": "sha256:abcd", "registered": registered})
    airflow.answer("registry gates", {"role": ""})
    airflow.answer("registry shadow", {"events": 5, "wanted": 5})
    services = stack_settings(settings)
    with Stack(services, lambda _: None, [Kafka(services)]).bring_up():
        ensure_topics(settings.kafka.bootstrap)
        began = time.monotonic()
        with _standalone(settings, airflow):
            _tell(settings.kafka.bootstrap, b"no drift", _drift("5f0c"))
            _until(lambda: _times(airflow, "train ") == 1, _COMES_UP_S)
            trained = time.monotonic()
            # A storm: each drift by itself, while the first run lasts.
            for number in range(_STORM):
                _tell(settings.kafka.bootstrap, _drift(f"{number}"))
                time.sleep(_BETWEEN_S)
            assert _times(airflow, "train ") == 1
            _until(lambda: _times(airflow, "registry promote ") == 1, _RUNS_S)
            done = time.monotonic()
            _until(lambda: _times(airflow, "train ") == 2, _PAUSE_S + _RUNS_S)
            again = time.monotonic()
            _until(lambda: _times(airflow, "registry promote ") == 2, _RUNS_S)
            # All drifts of the storm together were one run.
            time.sleep(_BETWEEN_S)
    # The nightly one runs where its time has just passed when the server starts.
    calls = [" ".join(call.split()[:2]) for call in airflow.calls if not call.startswith("feature compact ")]
    once = [
        *("train sentiment", "registry register", "registry gates", "registry shadow"),
        *("registry judge", "registry promote"),
    ]
    assert Counter(calls) == dict.fromkeys(once, 2)
    assert calls[: len(once) - 1] == once[:-1]
    assert any(call.startswith("registry promote toxicity@sha256:abcd --data ") for call in airflow.calls)
    told = f"from start to training {trained - began:.0f} s, on to the promotion {done - trained:.0f} s"
    print(f"{told}; the next training {again - trained:.0f} s after the first")  # noqa: T201 - figures, not limits


def test_it_ends_with_all_that_it_started(airflow: Airflow, tmp_path: Path) -> None:
    """What `make airflow` runs: it comes up, and SIGTERM leaves nothing of it."""
    kafka, controller, web, *_ = free_ports(5)
    stack = EmbeddedStack(kafka_port=kafka, kafka_controller_port=controller, airflow_port=web)
    settings = Settings(home=tmp_path / "home", stack=stack)
    config = tmp_path / "mine.yaml"
    ports = {name: port for name, port in stack.model_dump().items() if name.endswith("_port")}
    config.write_text(json.dumps({"home": str(settings.home), "stack": ports}), encoding="utf-8")
    services = stack_settings(settings)
    with (
        Stack(services, lambda _: None, [Kafka(services)]).bring_up(),
        (airflow.folder / "airflow.log").open("wb") as log,
    ):
        command = [sys.executable, str(ROOT / "infra" / "airflow_service.py"), "--config", str(config)]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
        try:
            _until(lambda: _healthy(f"http://127.0.0.1:{web}"), _COMES_UP_S)
            assert left_running(settings.home / "airflow")
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait(10)
    assert left_running(settings.home / "airflow") == []
    assert (settings.home / "airflow" / "airflow.db").is_file()


def _healthy(address: str) -> bool:
    try:
        parts = httpx.get(f"{address}/api/v2/monitor/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return all(parts[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "triggerer"))


@contextmanager
def _standalone(settings: Settings, airflow: Airflow) -> Iterator[None]:
    """Start the server that `make airflow` starts, with the recording `echopulse` before the real one."""
    service = Service(settings, None)
    launch = service.launch()
    environment = child_environ(launch.environ, service.home) | {
        "PATH": os.pathsep.join([str(airflow.folder), launch.environ["PATH"]]),
        "AIRFLOW_VAR_ECHOPULSE_RETRAIN_PAUSE": str(_PAUSE_S / 60),
        **{name: airflow.environment[name] for name in ("CALLS", "ANSWERS", "AIRFLOW_VAR_ECHOPULSE_FOLDER")},
    }
    with (airflow.folder / "airflow.log").open("wb") as log:
        process = subprocess.Popen(
            launch.argv, env=environment, cwd=service.home, stdout=log, stderr=log, start_new_session=True
        )
    record = record_of(process, service.home)
    try:
        yield
    finally:
        assert terminate(record, service.patience_s) == []
        process.wait(10)


def _tell(bootstrap: str, *records: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for record in records:
        producer.produce(MODEL_DRIFT, record)
    assert producer.flush(30) == 0


def _drift(name: str) -> bytes:
    return json.dumps({"id": name, "task": "toxicity"}).encode()


def _times(airflow: Airflow, command: str) -> int:
    """Return how often a command has been called."""
    calls = airflow.calls if (airflow.folder / "calls").exists() else []
    return sum(call.startswith(command) for call in calls)


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
