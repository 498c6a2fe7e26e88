"""Airflow beside the stack, in the foreground: its web page, scheduler and triggerer, over the DAGs of this folder.

`airflow standalone` of .venv-airflow, told by environment where everything is; nothing of Airflow's is read or written
outside the stack's home. Ctrl-C and SIGTERM end it with all that it started.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.cli.stop_signal import stopped_by_signal
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.settings import load
from echopulse.stack.preflight import check_ports
from echopulse.stack.processes import record_of, terminate
from echopulse.stack.settings import HOST
from echopulse.stack.spec import Launch, Port, child_environ
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-airflow" / "bin"
_PATIENCE_S = 30.0
_POLL_S = 0.5


class Airflow:
    """The server as a service: its ports, and how it is started."""

    name = "airflow"
    jar_groups: tuple[str, ...] = ()
    patience_s = _PATIENCE_S

    def __init__(self, settings: Settings, config: Path | None) -> None:
        """Keep the settings, and the file that they were read from, which tasks shall read too."""
        self.settings, self.config = settings, config
        self.home = settings.home.absolute() / "airflow"

    @property
    def address(self) -> str:
        """The web page."""
        return f"http://{HOST}:{self.settings.stack.airflow_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """The web page, and behind it the logs of tasks and of the triggerer."""
        first = self.settings.stack.airflow_port
        return tuple(Port(first + place, "stack.airflow_port") for place in range(3))

    def unready(self) -> str:
        """Nothing waits for it."""
        return ""

    def launch(self) -> Launch:
        """Return the command; raises EchoPulseError where the environment is missing."""
        if not (ENVIRONMENT / "airflow").is_file():
            raise EchoPulseError(f"{ENVIRONMENT.parent} is missing", "make airflow-environment")
        self.home.mkdir(parents=True, exist_ok=True)
        return Launch((str(ENVIRONMENT / "airflow"), "standalone"), self._configuration() | self._tasks())

    def _configuration(self) -> dict[str, str]:
        web, task_logs, trigger_logs = (str(port.number) for port in self.ports)
        approvers = sorted({name for names in self.settings.registry.roles.values() for name in names} - {"admin"})
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            # Who may approve a promotion answers under the name that the role lists.
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(["admin:admin", *(f"{one}:op" for one in approvers)]),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": web,
            "AIRFLOW__API__BASE_URL": self.address,
            # It shares a machine with the stack: a task whose first call is not answered in time fails.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": task_logs,
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs,
            # The parent of `dags`, for the triggerer; `airflow` and Python are this environment's, `echopulse` is ours.
            "PYTHONPATH": str(ROOT),
            "PATH": os.pathsep.join([str(ENVIRONMENT), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }

    def _tasks(self) -> dict[str, str]:
        kafka = {
            "bootstrap.servers": self.settings.kafka.bootstrap,
            "group.id": "echopulse-airflow",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
        return {
            "AIRFLOW_CONN_ECHOPULSE_KAFKA": json.dumps({"conn_type": "kafka", "extra": kafka}),
            "AIRFLOW_VAR_ECHOPULSE_FOLDER": str(Path.cwd()),
            "AIRFLOW_VAR_ECHOPULSE_CONFIG": "" if self.config is None else str(self.config.absolute()),
            "AIRFLOW_VAR_ECHOPULSE_DATA": str(self.settings.training_data.absolute()),
            "AIRFLOW_VAR_ECHOPULSE_HOME": str(self.settings.home.absolute()),
        }


def run(config: Path | None) -> None:
    """Start it and stay until a signal or its end. Raises EchoPulseError where something is missing, or it ends."""
    service, stop = Airflow(load(config), config), threading.Event()
    launch = service.launch()
    check_ports([service])
    # The watcher of the DAG `retrain` wants the topic to be there.
    ensure_topics(service.settings.kafka.bootstrap, replication=service.settings.kafka.replication)
    with stopped_by_signal(stop.set):
        process = subprocess.Popen(
            launch.argv,
            env=child_environ(launch.environ, service.home),
            cwd=service.home,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        record = record_of(process, service.home)
        passwords = service.home / "simple_auth_manager_passwords.json.generated"
        sys.stderr.write(f"Airflow comes up at {service.address}; passwords: {passwords}\n")
        try:
            while process.poll() is None and not stop.wait(_POLL_S):
                pass
        finally:
            # Children of `standalone` outlive it.
            terminate(record, service.patience_s)
            process.wait()
    if not stop.is_set():
        raise EchoPulseError(f"Airflow ended by itself with status {process.returncode}", "see its output above")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Airflow beside the stack, until Ctrl-C")
    parser.add_argument("--config", type=Path, help="file of settings, for Airflow's tasks too")
    try:
        run(parser.parse_args().config)
    except EchoPulseError as error:
        sys.exit(f"airflow: {error}")
