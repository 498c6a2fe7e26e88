"""Trainings of every kind are runs in MLflow, with what they read; a transformer's is taken without torch."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from echopulse.cli.train import tracked_training
from echopulse.settings_sections import Tracking
from echopulse.tracking.delivery import experiment_id
from echopulse.tracking.publish import open_server
from echopulse.training import bag, transformer
from echopulse.training.order import Order
from tests.echopulse.training.conftest import data
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.settings import Settings
    from echopulse.training.folds import Examples

__all__ = ["data"]
EXPERIMENT = "kinds"
#: The models that ship know the stance toward other targets than the tests' own.
LABELLED = ("hate", "offensive", "sentiment")


def _as_a_transformer(examples: Examples, held: Examples, output: Path, _: object, say: Any, **told: Any) -> str:  # noqa: ANN401 - as the real one
    """Train a bag in its place."""
    return bag.fit(examples, held, output, bag.Recipe(epochs=1, chat_per_thousand=20), say, declared=told["declared"])


def runs(settings: Settings) -> list[dict[str, Any]]:
    """Return the experiment's runs, by MLflow's REST API, the newest first."""
    with open_server(settings) as server:
        owner = experiment_id(server, EXPERIMENT)
        found: list[dict[str, Any]] = server.post("runs/search", experiment_ids=[owner], max_results=10)["runs"]
    return found


@pytest.mark.parametrize("kind", ["transformer", "cascade"])
def test_a_training_is_a_run(
    kind: str,
    mlflow: Settings,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its order, its metrics with intervals, the files that it read, its artifact and its digest."""
    settings = mlflow.model_copy(update={"tracking": Tracking(uri=mlflow.tracking.uri, experiment=EXPERIMENT)})
    monkeypatch.setattr(transformer, "fit", _as_a_transformer)
    output = tmp_path / kind
    if kind == "transformer":
        order = Order(kind, ("sentiment",), data, output, epochs=2)
        params = {"kind": kind, "tasks": "sentiment", "epochs": "2"}
        inputs = {"sentiment.train.parquet": "training", "sentiment.val.parquet": "validation"}
    else:
        # The two that it is of are told by their digests, in its manifest; it reads validation rows alone.
        default = str(SHIPPED / "default")
        held = tmp_path / "held"
        held.mkdir()
        for name in LABELLED:
            shutil.copy(data / f"{name}.val.parquet", held)
            shutil.copy(data / f"{name}.train.parquet", held)
        order = Order(kind, (), held, output, first=default, second=default)
        params = {"kind": kind, "first": default, "second": default}
        inputs = {f"{name}.val.parquet": "validation" for name in LABELLED}
    document = tracked_training(settings, order)
    run = runs(settings)[0]
    told = {one["key"]: one["value"] for one in run["data"]["params"]}
    tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
    assert params.items() <= told.items()
    assert (tags["echopulse.kind"], tags["echopulse.digest"]) == ("train", read_manifest(output)[1])
    assert tags["echopulse.digest"] == document["digest"]
    read = {
        one["dataset"]["name"]: next(tag["value"] for tag in one["tags"] if tag["key"] == "mlflow.data.context")
        for one in run["inputs"]["dataset_inputs"]
    }
    assert inputs.items() <= read.items()
    assert (kind == "cascade") == all(context == "validation" for context in read.values())
    metrics = {one["key"] for one in run["data"]["metrics"]}
    assert {"sentiment.macro_recall", "sentiment.macro_recall.low", "sentiment.macro_recall.high"} <= metrics
    with open_server(settings) as server:
        kept = server.get("artifacts/list", run_id=run["info"]["run_id"], path="model")["files"]
    assert {"model/manifest.json", "model/README.md"} <= {one["path"] for one in kept}
