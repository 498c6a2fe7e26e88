"""Airflow's DAG `backfill`: the features of a span of the past computed anew, a task a day."""

from __future__ import annotations

import json
from datetime import date, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Param

from dags.commands import bash, command, workflow

_MOMENT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$"
_PARAMS = {
    "from": Param(type="string", pattern=_MOMENT, description="windows that end after it"),
    "to": Param(type="string", pattern=_MOMENT, description="windows that end by it"),
    "rescore": Param(default=False, type="boolean", description="analyse the events anew"),
    "again": Param(default=False, type="boolean", description="do once more what is finished"),
    "here": Param(default=True, type="boolean", description="run Flink in the task instead of on the cluster"),
}
_OPTIONS = "".join(f"{{{{ ' --{name}' if params.{name} }}}}" for name in ("rescore", "again", "here"))


def _days(document: str) -> list[dict[str, str]]:
    """Return the span of each day as the environment of its task."""
    plan = json.loads(document)
    spans = []
    for day in (one["day"] for one in plan["days"]):
        after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        spans.append({"AFTER": max(plan["from"], f"{day}T00:00:00Z"), "UNTIL": min(plan["to"], f"{after}T00:00:00Z")})
    return spans


with workflow("backfill", "Compute the features of a span of the past anew, day by day", params=_PARAMS) as dag:
    plan = command(
        "plan",
        "pipeline backfill --from {{ params['from'] | quoted }} --to {{ params.to | quoted }}"
        + _OPTIONS
        + " --dry-run",
        limit=timedelta(minutes=15),
        document=_days,
    )
    # The lake has one writer at a time, so one day follows the other.
    BashOperator.partial(
        task_id="day",
        max_active_tis_per_dagrun=1,
        output_processor=json.loads,
        **bash(f'pipeline backfill --from "$AFTER" --to "$UNTIL"{_OPTIONS}', limit=timedelta(hours=6)),
    ).expand(env=plan.output)
