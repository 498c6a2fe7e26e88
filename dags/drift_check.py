"""Airflow's DAG `drift_check`: every night the day's results are held against those before, by `drift check`."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param

from dags.commands import at, command, workflow

_PARAMS = {
    "hours": Param(24, type="integer", minimum=1, maximum=720, description="of the lake that are looked at"),
    "reference_hours": Param(168, type="integer", minimum=1, maximum=8760, description="before them, held against"),
}

with workflow(
    "drift_check",
    "Reports on data, predictions and text, kept in MLflow",
    at("0 3 * * *"),
    _PARAMS,
    # It needs an extra of the project's, without which it would fail every night.
    paused=True,
) as dag:
    command(
        "check",
        "drift check --hours {{ params.hours }} --reference-hours {{ params.reference_hours }}",
        limit=timedelta(hours=1),
        retries=3,
        pause=timedelta(minutes=10),
    )
