"""Runs at a real MLflow, read back by plain HTTP as any other client would."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.cli.main import main
from echopulse.settings import Settings
from echopulse.settings_sections import Tracking
from echopulse.tracking.delivery import deliver
from echopulse.tracking.publish import open_server, outbox, publish
from echopulse.tracking.record import DataInput, RunRecord
from echopulse.tracking.server import MlflowRefusedError
from transforms.artifact import file_digest, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


def ask(settings: Settings, path: str, **fields: object) -> Any:  # noqa: ANN401 - JSON
    """Ask MLflow as curl would: POST where there are fields, else GET."""
    body = json.dumps(fields).encode() if fields else None
    request = urllib.request.Request(  # noqa: S310 - http on this machine
        f"{settings.tracking.uri}/api/2.0/{path}", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())


def runs(settings: Settings, experiment: str, wanted: str) -> list[dict[str, Any]]:
    """Return the runs of an experiment that a filter tells."""
    name = urllib.parse.quote(experiment)
    found = ask(settings, f"mlflow/experiments/get-by-name?experiment_name={name}")["experiment"]["experiment_id"]
    told: list[dict[str, Any]] = ask(settings, "mlflow/runs/search", experiment_ids=[found], filter=wanted).get(
        "runs", []
    )
    return told


def pairs(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """Return MLflow's list of keys and values as a mapping."""
    return {one["key"]: one["value"] for one in listed}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A handful of labelled texts."""
    texts = {"positive": "lovely sun", "negative": "awful rain", "neutral": "a table"}
    for split, turns in (("train", 20), ("val", 10), ("test", 5)):
        table = pa.table({"text": list(texts.values()) * turns, "label": list(texts) * turns})
        pq.write_table(table, tmp_path / f"sentiment.{split}.parquet")
    return tmp_path


def test_train_and_evaluate_are_runs(
    mlflow: Settings, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parameters, metrics with intervals and epochs, data by its digest, code, artifact, card and pictures."""
    monkeypatch.setenv("ECHOPULSE_TRACKING__URI", mlflow.tracking.uri)
    monkeypatch.setenv("ECHOPULSE_TRACKING__EXPERIMENT", "commands")
    monkeypatch.setenv("ECHOPULSE_HOME", str(data / "home"))
    output = data / "model"
    assert main(["train", "sentiment", "--data", str(data), "--output", str(output), "--seed", "4"]) == 0
    assert main(["evaluate", str(output), "--data", str(data), "--split", "test"]) == 0
    assert capsys.readouterr().err.count(f" at {mlflow.tracking.uri}\n") == 2

    (trained,) = runs(mlflow, "commands", "tags.`echopulse.kind` = 'train'")
    metrics, params, tags = (pairs(trained["data"][part]) for part in ("metrics", "params", "tags"))
    _, digest = read_manifest(output)
    assert trained["info"]["status"] == "FINISHED"
    assert (params["kind"], params["seed"], params["tasks"]) == ("bag", "4", "sentiment")
    assert metrics["sentiment.macro_recall.low"] <= metrics["sentiment.macro_recall"]
    assert metrics["sentiment.macro_recall"] <= metrics["sentiment.macro_recall.high"]
    assert tags["echopulse.digest"] == digest
    assert len(tags["mlflow.source.git.commit"]) == 40
    run = trained["info"]["run_id"]
    history = ask(mlflow, f"mlflow/metrics/get-history?run_id={run}&metric_key=sentiment.epoch")["metrics"]
    assert [point["step"] for point in history] == [1, 2, 3, 4, 5]
    inputs = {one["dataset"]["name"]: one for one in trained["inputs"]["dataset_inputs"]}
    assert set(inputs) == {"sentiment.train.parquet", "sentiment.val.parquet"}
    for name, one in inputs.items():
        whole = file_digest(data / name).removeprefix("sha256:")
        assert one["dataset"]["digest"] == whole[:36]
        assert json.loads(one["dataset"]["profile"])["sha256"] == whole
    assert pairs(inputs["sentiment.val.parquet"]["tags"])["mlflow.data.context"] == "validation"

    def listed(path: str) -> set[str]:
        found = ask(mlflow, f"mlflow/artifacts/list?run_id={run}&path={path}")
        return {file["path"] for file in found["files"]}

    assert listed("model") == {f"model/{name}" for name in ("README.md", "manifest.json", "table.npy", "words.npy")}
    assert listed("confusion") == {"confusion/sentiment.json", "confusion/sentiment.png"}
    assert listed("curves") == {
        "curves/epochs.png",
        "curves/sentiment.calibration.png",
        "curves/sentiment.precision_recall.png",
    }
    (evaluated,) = runs(mlflow, "commands", "tags.`echopulse.kind` = 'evaluate'")
    assert pairs(evaluated["data"]["metrics"])["sentiment.rows"] == 15


def test_sent_twice_it_is_there_once(mlflow: Settings) -> None:
    """A run is found by its record; what a broken attempt left is completed."""
    record = RunRecord("train", "once", files={"a b.txt": b"text"})
    record.measure({"odd": float("nan"), "fine": 1.0})
    record.parameters(**{f"p{place}": place for place in range(250)})
    record.inputs.append(DataInput("x.parquet", "ab" * 32, "/x.parquet", "training", 3))
    record.end()
    with open_server(mlflow) as server:
        first = deliver(server, "twice", record)
        server.post("runs/set-tag", run_id=first, key="echopulse.whole", value="")
        assert deliver(server, "twice", record) == first
        assert deliver(server, "twice", record) == first
    (found,) = runs(mlflow, "twice", "")
    assert len(found["data"]["params"]) == 250
    assert len(found["inputs"]["dataset_inputs"]) == 1
    assert found["info"]["status"] == "FINISHED"


def test_what_waited_is_sent_with_the_next_one(mlflow: Settings, tmp_path: Path) -> None:
    """Away first, then there: both runs arrive, the trial below its search, and the folder is empty."""
    away = Settings(home=tmp_path, tracking=Tracking(uri="http://127.0.0.1:1", experiment="waited"))
    (tmp_path / "table.npy").write_bytes(b"weights")
    search = RunRecord("tune", "search", files={"model/table.npy": tmp_path / "table.npy"})
    publish(away, [search, RunRecord("trial", "trial 0", parent=search.id, began_ms=search.began_ms + 1)], print)
    (tmp_path / "table.npy").unlink()
    assert len(outbox(away).waiting()) == 2
    there = away.model_copy(update={"tracking": Tracking(uri=mlflow.tracking.uri, experiment="waited")})
    lines: list[str] = []
    publish(there, [RunRecord("train", "next")], lines.append)
    assert lines[0] == "runs that had waited for MLflow and were sent: 2"
    assert outbox(there).waiting() == []
    found = {run["info"]["run_name"]: run for run in runs(mlflow, "waited", "")}
    assert set(found) == {"search", "trial 0", "next"}
    parent = pairs(found["trial 0"]["data"]["tags"])["mlflow.parentRunId"]
    assert parent == found["search"]["info"]["run_id"]


def test_a_refused_run_is_put_aside(mlflow: Settings, tmp_path: Path) -> None:
    """It does not stand in the way of the others."""
    settings = Settings(home=tmp_path, tracking=Tracking(uri=mlflow.tracking.uri, experiment="refused"))
    bad = RunRecord("train", "bad", params={"a\nb: *?": "no name of MLflow's"})
    outbox(settings).keep(bad)
    lines: list[str] = []
    publish(settings, [RunRecord("train", "good")], lines.append)
    assert lines[0].startswith("put aside: ")
    assert "MLflow at" in lines[0]
    assert outbox(settings).waiting() == []
    assert len(list((outbox(settings).folder / "refused").iterdir())) == 1
    with open_server(settings) as server, pytest.raises(MlflowRefusedError):
        deliver(server, "refused", bad)


def test_tune_registers_its_best_as_the_challenger(
    mlflow: Settings, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The search is a run, its trials and the full training are nested in it, and the registry knows the model."""
    monkeypatch.setenv("ECHOPULSE_TRACKING__URI", mlflow.tracking.uri)
    monkeypatch.setenv("ECHOPULSE_TRACKING__EXPERIMENT", "tuned")
    monkeypatch.setenv("ECHOPULSE_HOME", str(data / "home"))
    order = ["tune", "sentiment", "--data", str(data), "--output", str(data / "tuned"), "--trials", "2", "--json"]
    assert main(order) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["challenger"] == ["sentiment"]
    assert document["trials"] == 2
    (search,) = runs(mlflow, "tuned", "tags.`echopulse.kind` = 'tune'")
    run = search["info"]["run_id"]
    nested = runs(mlflow, "tuned", f"tags.`mlflow.parentRunId` = '{run}'")
    assert sorted(pairs(one["data"]["tags"])["echopulse.kind"] for one in nested) == ["train", "trial", "trial"]
    files = ask(mlflow, f"mlflow/artifacts/list?run_id={run}")["files"]
    assert {"search.png", "trials.json"} <= {file["path"] for file in files}
    alias = ask(mlflow, "mlflow/registered-models/alias?name=sentiment&alias=challenger")["model_version"]
    assert pairs(alias["tags"])["digest"] == document["digest"]
    (training,) = (one for one in nested if pairs(one["data"]["tags"])["echopulse.kind"] == "train")
    assert alias["run_id"] == training["info"]["run_id"], "the run that made the model holds it; nothing is sent twice"
    assert f"run {run} (tune sentiment) at {mlflow.tracking.uri}\n" in err
    assert f"run {alias['run_id']} (train tuned) at {mlflow.tracking.uri}\n" in err
    assert main(["registry", "show", "sentiment@challenger"]) == 0
    assert f"\nrun {alias['run_id']}\n" in capsys.readouterr().out
