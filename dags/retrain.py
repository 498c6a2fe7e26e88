"""Airflow's DAG `retrain`: every week, and whenever drift is told, models are trained anew and become challengers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from airflow.providers.common.messaging.triggers.msg_queue import MessageQueueTrigger
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable, Param

from dags.commands import DATA, TRAINED, command, workflow

#: Drift, as `echopulse drift watch` tells it. The triggerer reads the topic by the group of this connection; drifts
#: told while a run is under way or waits start one run together.
DRIFT = Asset(
    "model_drift",
    watchers=[
        AssetWatcher(
            name="model.drift",
            trigger=MessageQueueTrigger(
                scheme="kafka",
                kafka_config_id="echopulse_kafka",
                topics=["model.drift"],
                apply_function="dags.drift_message.told",
                poll_timeout=1,
                poll_interval=1,
            ),
        )
    ],
)

_PARAMS = {
    "tasks": Param(
        ["sentiment", "toxicity"], type="array", items={"type": "string"}, minItems=1, description="what is learnt"
    ),
    "data": Param("", type="string", description="folder of labelled files; empty: the variable echopulse_data"),
}


def _promotions(document: str) -> list[dict[str, Any]]:
    """Return a run of the DAG `promote` for each task that a model was registered for."""
    registered = json.loads(document)
    return [{"task": task, "digest": registered["digest"]} for task in registered["tasks"]]


with workflow(
    "retrain",
    "Train anew, register as challenger, ask for the promotion",
    AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 4 * * 1", timezone="UTC"), assets=[DRIFT]),
    _PARAMS,
) as dag:
    # What an attempt that failed has left in the run's folder is written over by the next.
    train = command(
        "train",
        f"train {{{{ params.tasks | map('quoted') | join(' ') }}}} --data {DATA} --output {TRAINED} --overwrite",
        limit=timedelta(hours=6),
        retries=1,
        pause=timedelta(minutes=5),
    )
    register = command(
        "register", f"registry register {TRAINED}", limit=timedelta(minutes=10), retries=5, document=_promotions
    )
    promote = TriggerDagRunOperator.partial(
        task_id="promote",
        trigger_dag_id="promote",
        retries=2,
        retry_delay=timedelta(minutes=1),
        execution_timeout=timedelta(minutes=5),
    ).expand(conf=register.output)
    train >> register
