"""Airflow's DAG `compact_and_retain`: every night the lake's small files are merged and its policy is applied."""

from __future__ import annotations

from datetime import timedelta

from dags.commands import at, command, workflow

with workflow(
    "compact_and_retain",
    "Merge the lake's small files, delete what the policy lets go",
    at("30 2 * * *"),
) as dag:
    # Another process may hold the lake's lock for as long as a backfill of a day takes.
    command("compact", "feature compact --retain", limit=timedelta(hours=3), retries=5, pause=timedelta(minutes=20))
