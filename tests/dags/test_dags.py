"""Each DAG from its beginning to its end by `dag.test()`, with an `echopulse` that takes down how it is called."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from packaging.requirements import Requirement

from tests.dags.conftest import PYTHON, ROOT, airflow_environment

if TYPE_CHECKING:
    from tests.dags.conftest import Airflow

DAGS = ("backfill", "compact_and_retain", "drift_check", "promote", "retrain")
_END = "--config my settings.yaml --json"
system = pytest.mark.system

_DECLARED = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
times = {name: getattr(dag.timetable, "timetable", dag.timetable) for name, dag in bag.dags.items()}
late = {name: getattr(each, "run_immediately", None) for name, each in times.items()}
ours = [name for name in sys.modules if name.split(".")[0] in ("echopulse", "schemas", "transforms", "features")]
tasks = {
    name: {task.task_id: [task.retries, task.execution_timeout and task.execution_timeout.total_seconds()]
           for task in dag.tasks}
    for name, dag in bag.dags.items()
}
seconds = {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats}
print(json.dumps({"errors": bag.import_errors, "ours": ours, "tasks": tasks, "seconds": seconds,
    "late": {name: str(value) for name, value in late.items() if value is not None},
    "catchup": [name for name, dag in bag.dags.items() if dag.catchup],
    "paused": {name: dag.is_paused_upon_creation for name, dag in bag.dags.items()}}))
"""


def test_the_lock_names_no_place_and_checks_every_file() -> None:
    """Versions and digests alone; whoever installs chooses the index."""
    text = (ROOT / "infra" / "airflow.txt").read_text(encoding="utf-8")
    packages = {Requirement(line).name for line in re.findall(r"^[\w.-]+==[^\s\\;]+", text, re.MULTILINE)}
    assert {"apache-airflow", "apache-airflow-providers-apache-kafka"} <= packages
    assert text.count("--hash=sha256:") >= len(packages)
    assert "://" not in text


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda path: path.name)
def test_dags_import_airflow_and_each_other_alone(path: Path) -> None:
    """They run where EchoPulse is not installed."""
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"airflow", "dags", *sys.stdlib_module_names}


@system
def test_all_are_found_and_every_task_has_a_limit(airflow_home: Path) -> None:
    """Without an error; a task has tries of its own and ends by itself, but for the one that waits for a person."""
    done = subprocess.run(
        [str(PYTHON), "-c", _DECLARED, str(ROOT / "dags")],
        env=airflow_environment(airflow_home, airflow_home),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
        cwd=airflow_home,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["errors"], found["ours"]) == ({}, [])
    assert sorted(found["tasks"]) == list(DAGS)
    limits = {(dag, task): each for dag, tasks in found["tasks"].items() for task, each in tasks.items()}
    assert limits.pop(("promote", "approve")) == [0, None]
    assert all(retries > 0 and limit for retries, limit in limits.values()), limits
    # A server that comes up hours after a DAG's time does not make up for it.
    assert found["late"] == dict.fromkeys(("compact_and_retain", "drift_check", "retrain"), "0:05:00")
    assert found["catchup"] == []
    assert found["paused"] == dict.fromkeys(DAGS) | {"drift_check": True}
    print("seconds to load:", found["seconds"])  # noqa: T201 - a figure, not a limit


@system
def test_retrain(airflow: Airflow) -> None:
    """A model is trained and registered, and its promotion asked for in each of its tasks."""
    roles = {"hate": "challenger", "stance": "challenger", "toxicity": "champion"}
    registered = [{"task": task, "role": role} for task, role in roles.items()]
    airflow.answer("registry register", {"digest": "sha256:abcd", "registered": registered})
    done = airflow.run("retrain", {"tasks": ["hate", "stance; touch here"], "data": "/other texts"})
    assert done["state"] == "success"
    assert all(dag == "promote" for dag, _ in done["asked"])
    assert sorted(done["asked"], key=str) == [
        ["promote", {"task": task, "digest": "sha256:abcd", "data": "/other texts"}] for task in ("hate", "stance")
    ]
    train, register = airflow.calls
    folder = re.fullmatch(
        rf"train hate stance; touch here --data /other texts --output (/home of it/trained/\S+) --overwrite {_END}",
        train,
    )
    assert folder is not None
    assert register == f"registry register {folder[1]} hate stance; touch here {_END}"
    assert not (airflow.folder / "here").exists()


@system
def test_retrain_on_what_the_champion_knows(airflow: Airflow) -> None:
    """The same files give the same model: nothing is to be promoted, and nothing has failed."""
    registered = [{"task": task, "role": "champion"} for task in ("sentiment", "toxicity")]
    airflow.answer("registry register", {"digest": "sha256:beef", "registered": registered})
    done = airflow.run("retrain")
    assert done["state"] == "success"
    assert [conf for _, conf in done["asked"] if conf["digest"] == "sha256:beef"] == []
    assert done["tasks"] == {"pause": "success", "train": "success", "register": "success", "promote": "skipped"}
    assert airflow.calls[0].startswith("train sentiment toxicity --data /labelled texts --output ")


@system
def test_promote_where_nobody_is_asked(airflow: Airflow) -> None:
    """Shadow, gates, promotion; the task that asks a person is skipped."""
    airflow.answer("registry gates", {"role": ""})
    airflow.answer("registry shadow", {"events": 5, "wanted": 5})
    done = airflow.run("promote", {"task": "hate", "digest": "sha256:abcd"})
    assert done["state"] == "success"
    assert done["tasks"]["approve"] == "skipped"
    assert airflow.calls == [
        f"registry gates hate {_END}",
        f"registry shadow hate@sha256:abcd --wait 240 {_END}",
        f"registry judge hate@sha256:abcd --data /labelled texts {_END}",
        f"registry promote hate@sha256:abcd --data /labelled texts {_END}",
    ]


@system
def test_promote_one_that_another_has_followed(airflow: Airflow) -> None:
    """It will score no more events: its promotion ends at once instead of asking for a day."""
    airflow.answer("registry gates", {"role": ""})
    airflow.answer("registry shadow", {"events": 4, "wanted": 5, "challenger": False})
    done = airflow.run("promote", {"task": "hate", "digest": "sha256:abcd", "data": "/other texts"})
    assert done["tasks"]["shadow"] == "failed"
    assert done["tasks"]["judge"] == "upstream_failed"
    assert airflow.calls == [f"registry gates hate {_END}", f"registry shadow hate@sha256:abcd --wait 240 {_END}"]


@system
@pytest.mark.parametrize("answer", ["Approve", "Reject"])
def test_promote_where_a_person_is_asked(airflow: Airflow, answer: str) -> None:
    """Who approves is named in the promotion; without an approval there is none."""
    airflow.answer("registry gates", {"role": "lead"})
    airflow.answer("registry shadow", {"events": 5, "wanted": 5})
    done = airflow.run("promote", {"task": "hate"}, answer, "ada")
    assert done["tasks"]["approve"] == "success"
    approved = f"registry promote hate@challenger --data /labelled texts --approver ada {_END}"
    if answer == "Approve":
        assert done["tasks"]["promote"] == "success"
        assert airflow.calls[-1] == approved
    else:
        assert done["tasks"]["promote"] == "skipped"
        assert airflow.calls[-1] == f"registry judge hate@challenger --data /labelled texts {_END}"


@system
def test_backfill(airflow: Airflow) -> None:
    """A task a day, within the span that was asked for, whichever day comes first."""
    days = [{"day": "2026-01-31"}, {"day": "2026-02-01"}]
    airflow.answer("pipeline backfill", {"from": "2026-01-31T06:00:00Z", "to": "2026-02-01T12:00:00Z", "days": days})
    done = airflow.run("backfill", {"from": "2026-01-31T06:00Z", "to": "2026-02-01T12:00Z", "rescore": True})
    assert done["tasks"] == {"plan": "success", "day[0]": "success", "day[1]": "success"}
    plan, *called = airflow.calls
    assert [plan, *sorted(called)] == [
        f"pipeline backfill --from 2026-01-31T06:00Z --to 2026-02-01T12:00Z --rescore --here --dry-run {_END}",
        f"pipeline backfill --from 2026-01-31T06:00:00Z --to 2026-02-01T00:00:00Z --rescore --here {_END}",
        f"pipeline backfill --from 2026-02-01T00:00:00Z --to 2026-02-01T12:00:00Z --rescore --here {_END}",
    ]


@system
def test_compact_and_retain(airflow: Airflow) -> None:
    """One command."""
    assert airflow.run("compact_and_retain")["state"] == "success"
    assert airflow.calls == [f"feature compact --retain {_END}"]


@system
def test_the_real_command(airflow: Airflow) -> None:
    """A lake in the folder of the settings is compacted by the command that is installed beside these tests."""
    hour = airflow.folder / "lake" / "events" / "date=2026-01-31" / "hour=07"
    hour.mkdir(parents=True)
    for number in range(3):
        part = hour / f"part-{number}.parquet"
        pq.write_table(pa.table({"event_id": [f"e{number}"]}), part)
        os.utime(part, (0, 0))
    (airflow.folder / "echopulse.yaml").write_text("lake: {path: lake}\n", encoding="utf-8")
    (airflow.folder / "echopulse").unlink()
    path = os.pathsep.join([airflow.environment["PATH"], str(Path(sys.executable).parent)])
    real = replace(airflow, environment=airflow.environment | {"PATH": path, "AIRFLOW_VAR_ECHOPULSE_CONFIG": ""})
    assert real.run("compact_and_retain")["tasks"] == {"compact": "success"}
    (file,) = (each for each in hour.iterdir() if not each.name.startswith((".", "_")))
    assert pq.read_table(file).column("event_id").to_pylist() == ["e0", "e1", "e2"]


@system
def test_drift_check(airflow: Airflow) -> None:
    """One command, with the hours of the run."""
    assert airflow.run("drift_check", {"hours": 6})["state"] == "success"
    assert airflow.calls == [f"drift check --hours 6 --reference-hours 168 {_END}"]


@system
def test_a_command_that_fails_fails_its_task(airflow: Airflow) -> None:
    """It is tried as often as it says; its document does not make up for it."""
    airflow.answer("feature compact", {"some": "document"})
    airflow.refuse("feature compact")
    done = airflow.run("compact_and_retain")
    assert done == {"state": "failed", "tasks": {"compact": "failed"}, "asked": done["asked"]}
    assert airflow.calls == [f"feature compact --retain {_END}"] * 6
