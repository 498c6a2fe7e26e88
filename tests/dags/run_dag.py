"""Run one DAG by `dag.test()`, in Airflow's environment: `run_dag.py DAG CONF [ANSWER USER]`.

Prints, as the last line, what became of it. There is no pause before a task is tried again. Where a person is waited
for, USER answers ANSWER by Airflow's REST API.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.app import create_app
from airflow.configuration import AIRFLOW_HOME
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from fastapi import FastAPI

_DEADLINE_S = 90


def main(dag_id: str, conf: str, answer: str = "", user: str = "") -> None:
    """Run it and print its state, the states of its tasks, and the runs of others that it asked for."""
    dag = importlib.import_module(f"dags.{dag_id}").dag
    for task in dag.tasks:
        if not task.is_mapped:
            task.retry_delay = timedelta(0)
    if answer:
        # Made here: two threads that import parts of Airflow at once wait for each other.
        application = create_app()
        threading.Thread(target=respond, args=(application, dag_id, answer, user), daemon=True).start()
    run = dag.test(run_conf=json.loads(conf))
    with create_session() as session:
        others = session.query(DagRun).filter(DagRun.dag_id != dag_id, DagRun.state == "queued").all()
        asked = [[other.dag_id, other.conf] for other in others]
    tasks = {
        one.task_id if one.map_index < 0 else f"{one.task_id}[{one.map_index}]": str(one.state)
        for one in run.get_task_instances()
    }
    sys.stdout.write(json.dumps({"state": str(run.state), "tasks": tasks, "asked": asked}) + "\n")


def respond(application: FastAPI, dag_id: str, answer: str, user: str) -> None:
    """Answer the first question, as soon as it is asked."""
    with TestClient(application) as client:
        passwords = json.loads((Path(AIRFLOW_HOME) / "simple_auth_manager_passwords.json.generated").read_text())
        token = client.post("/auth/token", json={"username": user, "password": passwords[user]}).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        deadline = time.monotonic() + _DEADLINE_S
        questions: list[dict[str, Any]] = []
        while not questions and time.monotonic() < deadline:
            time.sleep(0.5)
            found = client.get(f"/api/v2/dags/{dag_id}/dagRuns/~/hitlDetails?response_received=false", headers=headers)
            questions = found.json()["hitl_details"]
        ti = questions[0]["task_instance"]
        path = f"/api/v2/dags/{dag_id}/dagRuns/{ti['dag_run_id']}/taskInstances/{ti['task_id']}/{ti['map_index']}"
        done = client.patch(
            f"{path}/hitlDetails", headers=headers, json={"chosen_options": [answer], "params_input": {}}
        )
        done.raise_for_status()


if __name__ == "__main__":
    main(*sys.argv[1:])
