"""The whole loop on real servers, by real commands: trained, promoted, drifted, retrained, promoted, without a hand."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pyarrow as pa
import pytest
import yaml

from echopulse import stack
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.job.cluster import FlinkCluster
from echopulse.job.topic_reader import Position, end_position, read_batches
from echopulse.registry.opening import opened_store
from echopulse.registry.store import CHALLENGER, ModelStore
from echopulse.stack import stack_settings
from schemas.avro import decode_analysis
from schemas.codec import decode_events
from schemas.topics import ANALYSIS, DLQ, EVENTS, MODEL_DRIFT
from tests.otlp import receiving
from tests.system.drill import ROOT, TASKS, Drill, Running, prepared, samples
from tests.system.labelled import write_labelled
from tests.system.own_stack import left_running
from transforms.artifact import file_digest
from transforms.extraction import TEXT_KINDS, extract, lookup
from transforms.verdict import ABSTAINED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confluent_kafka import Message

    from echopulse.registry.timeline import Step
    from echopulse.settings import Settings
    from tests.otlp import Receiver

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(1200)]

_CHANNELS = ("twitch-speedruns", "twitch-arena")
_RATE = 150
#: What the channels talk of once the vocabulary has shifted.
_NEW = {
    "twitch-speedruns": (["Zorbalquest", "Mirrowfen", "the glimmerskip", "Vextrahold"], ["#zorbalrun", "#mirrowfen"]),
    "twitch-arena": (["Quornblades", "Team Oxivar", "Plethyx", "Drumlock"], ["#quornblades", "#oxivarwin"]),
}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Where all processes of the drill send their spans."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        yield receiver


@pytest.fixture
def drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drill:
    """Settings of the test's own; a user without Airflow skips the drill, CI fails without it."""
    if not (ROOT / ".venv-airflow" / ".bootstrapped").is_file():
        reason = "Airflow is not installed; make airflow-environment installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    for name in [name for name in os.environ if name.startswith("ECHOPULSE_")]:
        monkeypatch.delenv(name)
    return prepared(tmp_path)


def test_the_loop(drill: Drill, spans: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    """Drift leads to a new champion from one instant on; every event is scored, by the model of its time."""
    settings = drill.settings
    before, after = _scenarios(drill.folder)
    write_labelled(settings.training_data, rows=2_000, held=600)
    with ExitStack() as opened:
        running = opened.enter_context(stack.up(replace(stack_settings(settings), mlflow=True)))
        running.join()
        ensure_topics(settings.kafka.bootstrap)
        start = {topic: end_position(settings.kafka.bootstrap, topic) for topic in (EVENTS, ANALYSIS, DLQ)}
        drill.step("Kafka, Flink, Valkey and S3 run")
        airflow = opened.enter_context(drill.airflow())
        old = _first_champion(drill)
        beside = (airflow, *_scoring(drill, opened))

        sent = _until_learnt(drill, before, beside)
        # More texts have been labelled meanwhile, so that a training on them gives another model.
        write_labelled(settings.training_data, rows=4_000, held=600)
        with _talk(drill, after, seed=2) as talk:
            drill.step("the vocabulary shifts")
            steps = _until_promoted(drill, old, (talk, *beside))
            sent += talk.document()["events"]
        scored = start[ANALYSIS]
        drill.until("every event is scored", lambda: len(_messages(settings, scored)) >= sent, 60, *beside)

        assert sum(samples(settings.drift.metrics_port, "drift_alert_total", task="vocabulary")) >= 1
        assert end_position(settings.kafka.bootstrap, DLQ) == start[DLQ]
        texts, results = _texts(settings, start[EVENTS]), _results(settings, scored)
        new = steps["sentiment"][1].digest
        event = next(one["event_id"] for one in results if one["models"].get("sentiment") == new)
        lineage = drill.echopulse("registry", "lineage", event)
    assert left_running(settings.home) == left_running(settings.home / "airflow") == []

    assert len(results) == len({(one["channel_id"], one["event_id"]) for one in results}) == sent
    for task in TASKS:
        assert [step.digest for step in steps[task]] == [old, new]
        _check_scored(task, [one for one in results if (one["channel_id"], one["event_id"]) in texts], steps[task])
    assert len(texts) > 0
    _check_lineage(settings, lineage, new)
    _check_spans(spans, steps["sentiment"], file_digest(settings.training_data / "sentiment.train.parquet"))
    with capsys.disabled():
        print(f"\n{drill.timings}")  # noqa: T201 - the drill's result, beside its passing


def _first_champion(drill: Drill) -> str:
    """Train, register and promote the model that scores from the beginning of time; return its digest."""
    drill.echopulse("train", *TASKS, "--data", "data", "--output", "first", "--epochs", "3")
    drill.until("trained on labelled texts; MLflow answers", lambda: _answers(drill.settings.tracking.uri), 120)
    digest = drill.echopulse("registry", "register", "first", *TASKS)["digest"]
    for task in TASKS:
        gates = str(drill.folder / "first_gates.yaml")
        drill.echopulse("registry", "promote", f"{task}@challenger", ECHOPULSE_REGISTRY__GATES=gates)
    drill.step("registered, judged by the gates and promoted: the first champion")
    return str(digest)


def _scoring(drill: Drill, opened: ExitStack) -> tuple[Running, ...]:
    """Start the follower, the job and the watcher of drift."""
    follow = opened.enter_context(drill.running("registry", "follow", *TASKS))
    folder = drill.settings.home / "models" / "timeline"
    drill.until("the timelines are written", lambda: all((folder / f"{t}.json").is_file() for t in TASKS), 60, follow)
    job = opened.enter_context(drill.running("pipeline", "run"))
    watch = opened.enter_context(drill.running("drift", "watch"))
    drill.until("drift is watched", lambda: "watching for drift" in watch.told, 90, watch)
    with FlinkCluster(drill.settings.flink.rest) as cluster:
        drill.until("the job is submitted", lambda: bool(cluster.jobs()), 180, job)
        cluster.wait_running(cluster.jobs()[0].id, 180)
    drill.step("the job runs")
    return follow, job, watch


def _until_learnt(drill: Drill, scenario: Path, beside: tuple[Running, ...]) -> int:
    """Let people talk until the watcher knows what is ordinary; return how many events that were."""
    port = drill.settings.drift.metrics_port
    learnt = {"measure": "unknown_words", "group": "twitch"}
    with _talk(drill, scenario, seed=1) as talk:
        drill.until("its baselines are learnt", lambda: bool(samples(port, "drift_psi", **learnt)), 120, talk, *beside)
        assert samples(port, "drift_alert_total") == []
        return int(talk.document()["events"])


def _until_promoted(drill: Drill, old: str, beside: tuple[Running, ...]) -> dict[str, tuple[Step, ...]]:
    """Wait, doing nothing, until drift has led to another champion; return the timelines."""
    drill.until("drift is told on model.drift", lambda: bool(_drifts(drill.settings)), 120, *beside)
    told = time.monotonic()
    with opened_store(drill.settings) as store:
        drill.until("Airflow has trained a challenger", lambda: _challenges(store, old), 360, *beside)
        drill.until("shadow and the gates have passed it", lambda: _changed(store), 360, *beside)
        steps = {task: store.timeline(task).entries for task in TASKS}
    last_ms = max(step.valid_from_ms for entries in steps.values() for step in entries)
    drill.until("its instant has come and gone", lambda: time.time_ns() // 1_000_000 > last_ms + 5_000, 30, *beside)
    drill.step(f"that was {time.monotonic() - told - 5:.0f} s from the drift to the new champion's instant")
    return steps


def _check_scored(task: str, results: list[dict[str, Any]], steps: tuple[Step, ...]) -> None:
    """No text is left unscored, and what scored it goes by its event time alone."""
    instant_ms = steps[1].valid_from_ms
    said = [(round(one["ts"].timestamp() * 1_000), one["models"][task]) for one in results]
    # A text that is known to be in another language has no model, and says so.
    by_models = [(ts_ms, model) for ts_ms, model in said if not model.startswith(ABSTAINED)]
    assert len(by_models) > 0.9 * len(said)
    wrong = [(ts_ms, model) for ts_ms, model in by_models if model != steps[ts_ms >= instant_ms].digest]
    assert wrong == []
    assert {model for _, model in by_models} == {step.digest for step in steps}


def _scenarios(folder: Path) -> tuple[Path, Path]:
    """Write the same calm talk of two English channels twice: of what it was about, and of other things."""
    document = load_scenario().model_copy(update={"phases": []}).model_dump(by_alias=True)
    channels = [channel for channel in document["channels"] if channel["id"] in _CHANNELS]
    paths = folder / "before.yaml", folder / "after.yaml"
    paths[0].write_text(yaml.safe_dump(document | {"channels": channels}), encoding="utf-8")
    for channel in channels:
        channel["entities"], channel["hashtags"] = _NEW[channel["id"]]
    paths[1].write_text(yaml.safe_dump(document | {"channels": channels}), encoding="utf-8")
    return paths


def _talk(drill: Drill, scenario: Path, seed: int) -> Any:  # noqa: ANN401 - the context manager of a running command
    options = ("--scenario", str(scenario), "--rate", str(_RATE), "--seed", str(seed), "--settle", "0")
    return drill.running("ingest", "sim", *options)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _messages(settings: Settings, start: Position) -> list[Message]:
    stop = end_position(settings.kafka.bootstrap, start.topic)
    return [message for batch in read_batches(settings.kafka.bootstrap, start, stop) for message in batch]


def _drifts(settings: Settings) -> list[dict[str, Any]]:
    start = Position(MODEL_DRIFT, dict.fromkeys(end_position(settings.kafka.bootstrap, MODEL_DRIFT).offsets, 0))
    return [orjson.loads(message.value() or b"") for message in _messages(settings, start)]


def _challenges(store: ModelStore, champion: str) -> bool:
    entry = store.pointed("sentiment", CHALLENGER)
    return entry is not None and entry.digest != champion


def _changed(store: ModelStore) -> bool:
    return all(len(store.timeline(task).entries) > 1 for task in TASKS)


def _texts(settings: Settings, start: Position) -> set[tuple[str, str]]:
    """Return channel and id of the events that have a text."""
    values = [message.value() for message in _messages(settings, start) if not message.headers()]
    events = decode_events(pa.array(values, pa.binary())).events
    extracted = extract(events, lookup(events.column("metadata"), "kind"))
    rows = zip(
        *(events.column(name).to_pylist() for name in ("channel_id", "id")),
        *(column.to_pylist() for column in (extracted.kinds, extracted.texts)),
        strict=True,
    )
    return {(channel, event) for channel, event, kind, text in rows if kind in TEXT_KINDS and text}


def _results(settings: Settings, start: Position) -> list[dict[str, Any]]:
    return [decode_analysis(message.value() or b"") for message in _messages(settings, start)]


def _check_lineage(settings: Settings, lineage: dict[str, Any], digest: str) -> None:
    """One event leads back over the second promotion, which Airflow asked for, to the files as they are now."""
    (event,) = lineage["events"]
    (model,) = event["models"]["sentiment"]["chain"]
    assert (model["digest"], model["promotion"]["number"], model["promotion"]["signature"]) == (digest, 2, "valid")
    assert "shadow_agreement" in model["promotion"]["passed"]
    train = settings.training_data / "sentiment.train.parquet"
    told = {file["name"]: file["digest"] for file in model["files"]}
    assert told[train.name] == file_digest(train)


def _check_spans(spans: Receiver, steps: tuple[Step, ...], data: str) -> None:
    """The workers' spans link to the promotions, these to the models, and they over the trainings to the files."""
    for step in steps:
        wanted = {"echopulse.task": "sentiment", "echopulse.valid_from_ms": step.valid_from_ms}
        (promotion,) = [one for one in spans.named("promotion") if wanted.items() <= one.attributes.items()]
        scored = [one for one in spans.named("score sentiment") if promotion.ids in one.links]
        assert {tuple(one.attributes["echopulse.model.digest"]) for one in scored} == {(step.digest,)}
        assert sum(one.attributes["echopulse.events"] for one in scored) > 0
        (model,) = {one.ids for one in spans.named("register") if one.ids == promotion.links[0]}
        (train,) = [one for one in spans.named("train") if one.attributes["echopulse.model.digest"] == step.digest]
        assert next(one.links for one in spans.named("register") if one.ids == model) == [train.ids]
    learnt_from = {one.attributes["echopulse.data.digest"] for one in spans.named("data set") if one.ids in train.links}
    assert data in learnt_from
