"""What the DAGs share: a task is one `echopulse` command, written as it would be in a shell."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronTriggerTimetable

if TYPE_CHECKING:
    from collections.abc import Callable

#: Variables of Airflow that `make airflow` sets for its own server: the folder that commands run in, so that they find
#: echopulse.yaml; another file of settings; the folder of labelled files; the home, where trained models are put.
FOLDER = "{{ var.value.get('echopulse_folder', '.') }}"
_CONFIG = "{% set file = var.value.get('echopulse_config', '') %}{{ '--config ' ~ (file | quoted) if file }}"
DATA = "{{ (params.data or var.value.get('echopulse_data', 'data')) | quoted }}"
TRAINED = "{{ (var.value.get('echopulse_home', '.echopulse') ~ '/trained/' ~ run_id) | quoted }}"

_PAUSE = timedelta(minutes=1)
#: A run is started this long after its time at most. Not at its time alone, which a scheduler that is busy then, or
#: reads the file then, would miss.
_LATE = timedelta(minutes=5)


def at(cron: str) -> CronTriggerTimetable:
    """Return the times of a schedule, UTC. Without it a server that comes up would make up for a time of hours ago."""
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=_LATE)


def workflow(
    dag_id: str,
    description: str,
    schedule: object = None,
    params: dict[str, Any] | None = None,
    *,
    at_once: int = 1,
    paused: bool | None = None,
) -> DAG:
    """Return a DAG of which so many runs at once are under way, and none makes up for a time that was missed.

    `paused` is how a server that sees it for the first time has it, None for as the server has all. In its templates
    the filter `quoted` makes a value one word of the shell, whatever is in it.
    """
    return DAG(
        dag_id,
        description=description,
        schedule=schedule,
        params=params or {},
        catchup=False,
        max_active_runs=at_once,
        is_paused_upon_creation=paused,
        tags=["echopulse"],
        user_defined_filters={"quoted": lambda value: shlex.quote(str(value))},
    )


def command(
    task_id: str,
    line: str,
    *,
    limit: timedelta,
    retries: int = 2,
    pause: timedelta = _PAUSE,
    document: Callable[[str], Any] = json.loads,
) -> BashOperator:
    """Return `echopulse LINE --json` as a task, whose result is what `document` makes of the command's document."""
    options = bash(line, limit=limit, retries=retries, pause=pause)
    return BashOperator(task_id=task_id, **options, output_processor=document)


def bash(line: str, *, limit: timedelta, retries: int = 2, pause: timedelta = _PAUSE) -> dict[str, Any]:
    """Return what lets an operator of bash run `echopulse LINE --json`, tried again after a pause, ended after `limit`.

    What it says on stderr goes into the task's log as it comes; its document is the last line, whatever else is said.
    """
    return {
        "bash_command": f'set -e\ndocument="$(echopulse {line} {_CONFIG} --json)"\nprintf "%s\\n" "$document"\n',
        "cwd": FOLDER,
        "append_env": True,
        "skip_on_exit_code": None,
        "retries": retries,
        "retry_delay": pause,
        "execution_timeout": limit,
    }
