"""Airflow's DAG `retrain`: every week, and whenever drift is told, models are trained anew and become challengers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from airflow.providers.common.messaging.triggers.msg_queue import MessageQueueTrigger
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, Param

from dags.commands import DATA, TRAINED, at, command, workflow

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
_TASKS = "{{ params.tasks | map('quoted') | join(' ') }}"
#: When the next run may begin; minutes stand in a variable of Airflow, `make airflow` leaves the default.
_RESTED = (
    "{{ (dag_run.start_date + macros.timedelta(minutes=var.json.get('echopulse_retrain_pause', 60))).isoformat() }}"
)


def _on_the_same_files(context: Any) -> None:  # noqa: ANN401 - Airflow's context
    """Let a promotion be judged on the labelled files that this run is told to train on."""
    task = context["task"]
    task.conf = {**task.conf, "data": context["params"]["data"]}


def _promotions(document: str) -> list[dict[str, Any]]:
    """Return what to ask of `promote` for each task whose challenger the model is.

    Trained on the same files it is the champion itself, and nothing is to be done.
    """
    registered = json.loads(document)
    return [
        {"task": one["task"], "digest": registered["digest"]}
        for one in registered["registered"]
        if one["role"] == "challenger"
    ]


with workflow(
    "retrain",
    "Train anew, register as challenger, ask for the promotion",
    AssetOrTimeSchedule(timetable=at("0 4 * * 1"), assets=[DRIFT]),
    _PARAMS,
) as dag:
    # One run at a time, and a run lasts this long at least: in a storm of drifts there is a training now and then.
    DateTimeSensorAsync(task_id="pause", target_time=_RESTED, retries=2, execution_timeout=timedelta(days=1))
    # What an attempt that failed has left in the run's folder is written over by the next.
    train = command(
        "train",
        f"train {_TASKS} --data {DATA} --output {TRAINED} --overwrite",
        limit=timedelta(hours=6),
        retries=2,
        pause=timedelta(minutes=2),
    )
    register = command(
        "register",
        f"registry register {TRAINED} {_TASKS}",
        limit=timedelta(minutes=10),
        retries=5,
        document=_promotions,
    )
    promote = TriggerDagRunOperator.partial(
        task_id="promote",
        trigger_dag_id="promote",
        pre_execute=_on_the_same_files,
        retries=2,
        retry_delay=timedelta(minutes=1),
        execution_timeout=timedelta(minutes=5),
    ).expand(conf=register.output)
    train >> register
