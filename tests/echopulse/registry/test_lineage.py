"""From an event back to the files, and from a file to the models."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer

from echopulse.cli.main import main
from echopulse.cli.train import tracked_training
from echopulse.registry.lineage import opened_lineage
from echopulse.registry.opening import Reference, opened_store
from echopulse.registry.promotion import Promotion, promote
from echopulse.registry.results import results_of
from echopulse.settings import Settings
from echopulse.settings_sections import Kafka, Lake, Registry, Tracking
from echopulse.training.order import Order
from schemas.arrow import EVENT
from schemas.avro_columns import encode_analysis
from schemas.codec import encode_events
from schemas.errors import EchoPulseError
from schemas.topics import ANALYSIS
from tests.echopulse.mlflow_server import mlflow_running
from transforms.analysis import Analyser
from transforms.artifact import SHIPPED, file_digest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


AT = datetime(2026, 1, 31, 7, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1_000)


def results(strategy: str = "bag", model: str = "default") -> list[bytes]:
    """The results of two events, e1 and e2, by a model for sentiment; the default does the rest."""
    rows = [
        {
            "id": name,
            "ts": AT,
            "source": "twitch",
            "channel_id": "c",
            "user_id": "u",
            "raw_payload": b"{}",
            "metadata": [("text", text)],
        }
        for name, text in (("e1", "what a lovely day"), ("e2", "you are an idiot"))
    ]
    events = pa.RecordBatch.from_pylist(rows, schema=EVENT)
    analyser = Analyser({"sentiment": strategy}, options={"sentiment": {"model": model}})
    analyser.open()
    times = events.column("ts").cast(pa.int64())
    datums: list[bytes] = encode_analysis(analyser.analyse(encode_events(events), times), times).to_pylist()
    return datums


def in_lake(folder: Path, datums: list[bytes]) -> None:
    """Write results as the job does."""
    place = folder / "events" / "date=2026-01-31" / "hour=07"
    place.mkdir(parents=True)
    names = [f"e{number}" for number in range(1, len(datums) + 1)]
    pq.write_table(pa.table({"event_id": names, "result": pa.array(datums, pa.binary())}), place / "part-0.parquet")


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A server of this module's own: who is promoted here is nobody's champion elsewhere."""
    with mlflow_running(tmp_path_factory.mktemp("mlflow") / "home") as settings:
        yield settings


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake of the test's own; there is no MLflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_LAKE__PATH", str(tmp_path / "lake"))
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    return tmp_path / "lake"


def test_without_a_registry_the_models_that_ship_are_known(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their manifests name the files; what a dictionary said has no chain."""
    in_lake(lake, results("cascade", "cascade"))
    assert main(["registry", "lineage", "e2", "--json"]) == 0
    (event,) = json.loads(capsys.readouterr().out)["events"]
    assert (event["event_id"], event["channel_id"], event["ts_ms"]) == ("e2", "c", AT_MS)
    default, default_digest = read_manifest(SHIPPED / "default")
    (link,) = event["models"]["toxicity"]["chain"]
    assert (link["digest"], link["name"], link["registered"]) == (default_digest, "default", False)
    assert (link["promotion"], link["run"]) == (None, None)
    told = {one["name"]: (one["digest"], one["here"]) for one in link["files"]}
    declared = {**default.training["data"], **default.training["unlabelled"]}
    assert told == {name: (digest, None) for name, digest in declared.items()}
    assert event["models"]["entities"]["chain"] == []
    assert main(["registry", "lineage", "e2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "e2 in c, 2026-01-31 07:00:00.000 UTC"
    assert f"  toxicity: {default_digest}" in lines
    assert "    model default, not registered" in lines
    assert "    promotion: none: the timeline does not name it for this time" in lines
    *most, last = (f"{name} {digest[:19]}" for name, digest in sorted(declared.items()))
    assert f"    learnt from {', '.join(most)} and {last}, not here as they were" in lines


def test_a_result_that_is_too_new_for_the_lake(bootstrap: str, tmp_path: Path) -> None:
    """It is on Kafka still; an id that names none is told."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for datum in results() * 2:
        producer.produce(ANALYSIS, datum)
    assert producer.flush(30) == 0
    settings = Settings(kafka=Kafka(bootstrap=bootstrap), lake=Lake(path=str(tmp_path)))
    assert [one["event_id"] for one in results_of(settings, "e2")] == ["e2"]
    with pytest.raises(EchoPulseError) as error:
        results_of(settings, "e")
    assert str(error.value) == (
        "no result of an event 'e' is in the lake or among the newest of social.analysis "
        "(it may be a dead letter: echopulse dlq ls)"
    )


def test_a_file_that_is_none_is_told(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not looked for among the events; nor is a folder."""
    del lake
    for place, told in (
        (tmp_path / "sentiment.tran.parquet", "no file {} (its digest is taken too: sha256: and 64 hex digits)"),
        (tmp_path, "{} is a folder (name one of its files)"),
    ):
        assert main(["registry", "lineage", str(place)]) == 2
        assert capsys.readouterr().err == f"echopulse: {told.format(place)}\n"


def test_models_of_a_file_are_asked_of_mlflow(lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one nobody knows."""
    lake.mkdir()
    assert main(["registry", "lineage", "sha256:" + "a" * 64]) == 1
    assert capsys.readouterr().err == (
        "echopulse: which models there are is kept by MLflow, and there is none (`echopulse up`)\n"
    )


@pytest.mark.system
@pytest.mark.timeout(400)
def test_the_whole_chain(mlflow: Settings, real: Path, tmp_path: Path) -> None:
    """Trained, registered, promoted, scored: from the event to the file in its place, and from the file to the span."""
    gates = tmp_path / "gates.yaml"
    gates.write_text("sentiment:\n  size: {ceiling_mib: 64}\n  approval: {role: lead}\n", encoding="utf-8")
    settings = mlflow.model_copy(
        update={
            "registry": Registry(gates=str(gates), roles={"lead": ["ada"]}, lead_ms=300),
            "tracking": Tracking(uri=mlflow.tracking.uri, experiment="lineage"),
            "lake": Lake(path=str(tmp_path / "lake")),
        }
    )
    folder = tmp_path / "mine"
    digest = tracked_training(settings, Order("bag", ("sentiment",), real, folder, epochs=1))["digest"]
    waiting = tmp_path / "waiting"
    unpromoted = tracked_training(settings, Order("bag", ("hate",), real, waiting, epochs=1))["digest"]
    with opened_store(settings) as store:
        store.register(folder)
        store.register(waiting)
        promote(store, settings, Promotion(Reference("sentiment", digest), approver="ada"), print)
    in_lake(tmp_path / "lake", results(model=str(folder)))
    with opened_lineage(settings) as known:
        (event,) = [known.of_result(result) for result in results_of(settings, "e1")]
        scored = known.of_file(file_digest(real / "sentiment.train.parquet"))
        assert known.of_file("sha256:" + "0" * 64) == []
        (never,) = known.of_file(file_digest(real / "hate.train.parquet"))
    assert (never["task"], never["digest"], never["scores"]) == ("hate", unpromoted, [])
    assert event["models"]["sentiment"]["said_by"] == digest
    (link,) = event["models"]["sentiment"]["chain"]
    assert (link["digest"], link["name"], link["registered"]) == (digest, "mine", True)
    promotion = link["promotion"]
    assert (promotion["kind"], promotion["number"], promotion["by"], promotion["from_ms"]) == ("promotion", 1, "ada", 0)
    assert (list(promotion["passed"]), promotion["signature"]) == (["size"], "valid")
    # The event is of January: what the timeline names for it was written later.
    assert promotion["after_the_event"]
    assert link["run"]["name"] == "train mine"
    assert {one["name"]: one["here"] for one in link["files"]} == {
        name: str(real / name) for name in ("sentiment.train.parquet", "sentiment.val.parquet")
    }
    assert scored == [
        {
            "task": "sentiment",
            "digest": digest,
            "name": "mine",
            "run": link["run"]["id"],
            "as": ["sentiment.train.parquet"],
            "scores": [{"from_ms": 0, "to_ms": None}],
        }
    ]
