"""Airflow's DAG `promote`: a challenger scores in shadow, the gates judge it, a person approves it where asked."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import Param, TriggerRule
from airflow.sdk.exceptions import AirflowFailException

from dags.commands import DATA, command, workflow

_NAME = r"^[a-z]+$"
_WHICH = r"^(challenger|sha256:[0-9a-f]{4,64})$"
_PARAMS = {
    "task": Param("sentiment", type="string", pattern=_NAME, description="whose champion it would be"),
    "digest": Param("challenger", type="string", pattern=_WHICH, description="the model: sha256:… or challenger"),
    "data": Param("", type="string", description="folder of labelled files; empty: the variable echopulse_data"),
}
_REFERENCE = "{{ (params.task ~ '@' ~ params.digest) | quoted }}"
_APPROVER = (
    "{% set said = ti.xcom_pull(task_ids='approve') %}"
    "{{ '--approver ' ~ (said['responded_by_user']['name'] | quoted) if said }}"
)
#: A challenger has a day to score as many live events as the gates ask for: tries of five minutes.
_SHADOW_WAIT_S, _SHADOW_PAUSE, _SHADOW_TRIES = 240, timedelta(minutes=1), 288


def _enough(document: str) -> dict[str, Any]:
    """Return what was seen in shadow; raises where it is too little, so that the task is tried again later.

    A model that another one has followed as challenger will see no more, and is not tried again.
    """
    seen: dict[str, Any] = json.loads(document)
    if seen["events"] < seen["wanted"]:
        message = f"{seen['events']} events in shadow, {seen['wanted']} are wanted"
        if not seen["challenger"]:
            raise AirflowFailException(f"{message}, and it is the challenger no longer")
        raise RuntimeError(message)
    return seen


def _next(ti: Any) -> str:  # noqa: ANN401 - Airflow's task instance
    """Return the task that follows the gates: a person's approval, where the gates ask for a role."""
    return "approve" if ti.xcom_pull(task_ids="gates")["role"] else "promote"


with workflow("promote", "Judge a challenger and make it the champion", params=_PARAMS, at_once=8) as dag:
    gates = command("gates", "registry gates {{ params.task | quoted }}", limit=timedelta(minutes=5))
    shadow = command(
        "shadow",
        f"registry shadow {_REFERENCE} --wait {_SHADOW_WAIT_S}",
        limit=timedelta(minutes=10),
        retries=_SHADOW_TRIES,
        pause=_SHADOW_PAUSE,
        document=_enough,
    )
    judge = command("judge", f"registry judge {_REFERENCE} --data {DATA}", limit=timedelta(hours=1), retries=1)
    asked = BranchPythonOperator(
        task_id="asked", python_callable=_next, retries=1, execution_timeout=timedelta(minutes=5)
    )
    approve = ApprovalOperator(
        task_id="approve",
        subject="Promote {{ params.task }}@{{ params.digest }}?",
        body="The gates have passed it:\n\n```json\n{{ ti.xcom_pull(task_ids='judge') | tojson(indent=1) }}\n```",
        response_timeout=timedelta(days=7),
        retries=0,
    )
    promote = command(
        "promote",
        f"registry promote {_REFERENCE} --data {DATA} {_APPROVER}",
        limit=timedelta(hours=1),
        retries=1,
    )
    promote.trigger_rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    gates >> shadow >> judge >> asked >> [approve, promote]
    approve >> promote
