"""Send a recorded run to MLflow; sent twice, it is there once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from echopulse.tracking.server import MlflowRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from echopulse.tracking.record import DataInput, RunRecord
    from echopulse.tracking.server import MlflowServer

#: The tags by which a record is found again, and which says that all of it has arrived.
RECORD, WHOLE = "echopulse.record", "echopulse.whole"
#: The tag of what a run is of: train, evaluate, tune, trial or register.
KIND = "echopulse.kind"
_EXISTS = "RESOURCE_ALREADY_EXISTS"
_MISSING = "RESOURCE_DOES_NOT_EXIST"
#: What one call may carry, by MLflow's own limits; a data set's digest has at most 36 characters there.
_METRICS, _PARAMS, _TAGS, _DIGEST = 1_000, 100, 100, 36
_VALUE = 6_000


def deliver(server: MlflowServer, experiment: str, record: RunRecord) -> str:
    """Send a run and return MLflow's id of it. What an earlier, broken attempt has sent is completed."""
    owner = experiment_id(server, experiment)
    run = find_run(server, owner, record.id)
    if run is not None and _tags(run).get(WHOLE) == "true":
        return str(run["info"]["run_id"])
    if run is None:
        run = _created(server, owner, record)
    run_id = str(run["info"]["run_id"])
    params = [{"key": key, "value": value[:_VALUE]} for key, value in record.params.items()]
    metrics = [
        {"key": one.name, "value": one.value, "timestamp": one.at_ms, "step": one.step} for one in record.metrics
    ]
    for some in _parts(params, _PARAMS):
        server.post("runs/log-batch", run_id=run_id, params=some)
    for some in _parts(metrics, _METRICS):
        server.post("runs/log-batch", run_id=run_id, metrics=some)
    if record.inputs:
        server.post("runs/log-inputs", run_id=run_id, datasets=[_dataset(one) for one in record.inputs])
    for name, content in record.artifact_files().items():
        server.upload(str(run["info"]["artifact_uri"]), name, content)
    server.post("runs/set-tag", run_id=run_id, key=WHOLE, value="true")
    server.post("runs/update", run_id=run_id, status=record.status, end_time=record.ended_ms)
    return run_id


def experiment_id(server: MlflowServer, name: str) -> str:
    """Return the id of an experiment, made where there is none."""
    for _ in range(2):
        try:
            return str(server.get("experiments/get-by-name", experiment_name=name)["experiment"]["experiment_id"])
        except MlflowRefusedError as error:
            if error.code != _MISSING:
                raise
        try:
            return str(server.post("experiments/create", name=name)["experiment_id"])
        except MlflowRefusedError as error:
            if error.code != _EXISTS:  # somebody else made it meanwhile
                raise
    raise MlflowRefusedError(f"MLflow's experiment '{name}' was deleted", _MISSING, "restore it, or name another")


def find_run(server: MlflowServer, experiment: str, record: str) -> dict[str, Any] | None:
    """Return MLflow's run of a record, None where there is none."""
    found = server.post(
        "runs/search", experiment_ids=[experiment], filter=f"tags.`{RECORD}` = '{record}'", max_results=1
    ).get("runs", [])
    return found[0] if found else None


def _created(server: MlflowServer, experiment: str, record: RunRecord) -> dict[str, Any]:
    tags = record.tags | {RECORD: record.id, KIND: record.kind, "mlflow.runName": record.name}
    if record.parent and (parent := find_run(server, experiment, record.parent)) is not None:
        tags |= {"mlflow.parentRunId": str(parent["info"]["run_id"])}
    listed = [{"key": key, "value": value} for key, value in tags.items()]
    made: dict[str, Any] = server.post(
        "runs/create",
        experiment_id=experiment,
        run_name=record.name,
        start_time=record.began_ms,
        tags=listed[:_TAGS],
    )["run"]
    return made


def _dataset(one: DataInput) -> dict[str, Any]:
    profile = {"sha256": one.digest, **({} if one.rows is None else {"num_rows": one.rows})}
    return {
        "tags": [{"key": "mlflow.data.context", "value": one.context}],
        "dataset": {
            "name": one.name,
            "digest": one.digest[:_DIGEST],
            "source_type": "local",
            "source": json.dumps({"uri": one.path}),
            "profile": json.dumps(profile),
        },
    }


def _tags(run: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}


def _parts(rows: list[dict[str, Any]], size: int) -> Iterator[Iterable[dict[str, Any]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
