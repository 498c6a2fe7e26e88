"""Airflow of its own environment over a database of the tests, and an `echopulse` that takes down how it is called."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
_TIMEOUT_S = 110

#: Says the document that its words name, else that of its first word or an empty one; fails where it is none.
_RECORDING = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
echo "something on stderr" >&2
answer="$ANSWERS/$1_$2"
if [[ -e "$answer" ]]; then cat "$answer"; else echo '{}'; fi
[[ ! -e "$answer.fails" ]]
"""


@dataclass(frozen=True)
class Airflow:
    """Runs DAGs by `dag.test()`; their commands are answered from files and taken down."""

    folder: Path
    environment: dict[str, str]

    def answer(self, command: str, document: object) -> None:
        """Let the command of these two words say a document."""
        (self.folder / command.replace(" ", "_")).write_text(json.dumps(document) + "\n", encoding="utf-8")

    def refuse(self, command: str) -> None:
        """Let the command of these two words fail."""
        (self.folder / f"{command.replace(' ', '_')}.fails").touch()

    def run(self, dag: str, conf: dict[str, Any] | None = None, *answer: str) -> dict[str, Any]:
        """Run a DAG to its end."""
        done = subprocess.run(
            [str(PYTHON), str(Path(__file__).with_name("run_dag.py")), dag, json.dumps(conf or {}), *answer],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told

    @property
    def calls(self) -> list[str]:
        """The commands that were called, in order."""
        return (self.folder / "calls").read_text(encoding="utf-8").splitlines()


def airflow_environment(home: Path, first_on_path: Path) -> dict[str, str]:
    """The environment of an Airflow of the tests: database and passwords in `home`, the project's DAGs."""
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(first_on_path), str(PYTHON.parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,ada:op",
    }


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database; skip where a user has no Airflow, fail where CI lacks it."""
    if not (ROOT / ".venv-airflow" / ".bootstrapped").is_file():
        reason = "Airflow is not installed; make airflow-environment installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("airflow")
    migrate = [str(PYTHON), "-m", "airflow", "db", "migrate"]
    subprocess.run(
        migrate, env=airflow_environment(home, home), check=True, timeout=_TIMEOUT_S, capture_output=True, cwd=home
    )
    return home


@pytest.fixture
def airflow(airflow_home: Path, tmp_path: Path) -> Airflow:
    """Airflow whose `echopulse` is the recording one."""
    program = tmp_path / "echopulse"
    program.write_text(_RECORDING, encoding="utf-8")
    program.chmod(0o755)
    environment = airflow_environment(airflow_home, tmp_path) | {
        "CALLS": str(tmp_path / "calls"),
        "ANSWERS": str(tmp_path),
        "AIRFLOW_VAR_ECHOPULSE_FOLDER": str(tmp_path),
        "AIRFLOW_VAR_ECHOPULSE_HOME": "/home of it",
        "AIRFLOW_VAR_ECHOPULSE_DATA": "/labelled texts",
        "AIRFLOW_VAR_ECHOPULSE_CONFIG": "my settings.yaml",
        "AIRFLOW_VAR_ECHOPULSE_RETRAIN_PAUSE": "0",
    }
    return Airflow(tmp_path, environment)
