"""The registry over a real MLflow: who becomes the champion, who does not, and why."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pyarrow as pa
import pytest

from echopulse.registry.follow import follow
from echopulse.registry.opening import Reference, find, opened_store, parse_reference
from echopulse.registry.promotion import Promotion, RefusedPromotionError, judge, promote, rollback
from echopulse.registry.report import models, shown
from echopulse.registry.server import RegistryServer
from echopulse.registry.verdict import signing_key
from echopulse.settings_sections import Registry, Tracking
from schemas import model_registry_pb2 as messages
from schemas.errors import EchoPulseError
from schemas.model_registry_pb2_grpc import AnalyzeStub, ModelRegistryStub
from tests.echopulse.registry.conftest import renamed
from transforms.artifact import read_manifest
from transforms.challenger import read_challenger
from transforms.model import question
from transforms.timed import TimedModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from echopulse.registry.store import ModelStore
    from echopulse.settings import Settings

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

GATES = """
sentiment:
  quality: {margin: 3, floor: 45}
  calibration: {ceiling: 0.3}
  size: {ceiling_mib: 64}
toxicity:
  quality: {margin: 5, floor: 45}
  group_false_positives: {ceiling: 30}
hate:
  size: {ceiling_mib: 64}
  shadow_agreement: {events: 10, least: 0.5}
offensive:
  size: {ceiling_mib: 64}
  approval: {role: lead}
"""


@pytest.fixture(scope="module")
def settings(mlflow: Settings, real: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a registry of this module's own gates and roles."""
    gates = tmp_path_factory.mktemp("gates") / "gates.yaml"
    gates.write_text(GATES, encoding="utf-8")
    registry = Registry(gates=str(gates), roles={"lead": ["ada"]}, lead_ms=300)
    return mlflow.model_copy(
        update={
            "registry": registry,
            "training_data": real,
            "tracking": Tracking(uri=mlflow.tracking.uri, experiment="registry"),
            "kafka": mlflow.kafka.model_copy(update={"bootstrap": "127.0.0.1:1"}),
        }
    )


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[ModelStore]:
    """The registry."""
    with opened_store(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def digests(store: ModelStore, sound: Path, shuffled: Path, biased: Path, settings: Settings) -> dict[str, str]:
    """The three models, registered, and the sound one made the first champion of sentiment and of toxicity."""
    for folder in (sound, shuffled, biased):
        store.register(folder)
    found = {folder.name: read_manifest(folder)[1] for folder in (sound, shuffled, biased)}
    for task in ("sentiment", "toxicity"):
        step, verdict = promote(store, settings, Promotion(Reference(task, found["sound"])), print)
        assert step.valid_from_ms == 0
        assert verdict.passed
    return found


def champion(store: ModelStore, task: str) -> str:
    """The digest that holds in the end."""
    last = store.timeline(task).last
    assert last is not None
    return last.digest


def test_the_worse_one_is_refused_by_quality(store: ModelStore, settings: Settings, digests: dict[str, str]) -> None:
    """Labels shuffled; the verdict is kept and signed, and the champion goes on."""
    asked = Promotion(Reference("sentiment", digests["shuffled"]))
    with pytest.raises(RefusedPromotionError) as error:
        promote(store, settings, asked, print)
    assert [result.gate for result in error.value.verdict.failed] == ["quality"]
    assert str(error.value).startswith(f"sentiment@{digests['shuffled'][:19]} is refused by quality: macro_recall ")
    assert champion(store, "sentiment") == digests["sound"]
    document = shown(store, find(store, asked.reference), signing_key(settings))
    assert document["signature"] == "valid"
    assert [result["passed"] for result in document["verdict"]["results"]] == [False, True, True]


def test_the_biased_one_is_refused_by_its_gate(store: ModelStore, settings: Settings, digests: dict[str, str]) -> None:
    """Its quality passes."""
    with pytest.raises(RefusedPromotionError) as error:
        promote(store, settings, Promotion(Reference("toxicity", digests["biased"])), print)
    assert [result.gate for result in error.value.verdict.failed] == ["group_false_positives"]
    assert champion(store, "toxicity") == digests["sound"]


def test_who_is_judged_is_not_promoted(store: ModelStore, settings: Settings, digests: dict[str, str]) -> None:
    """The verdict is signed and kept, whatever it is; the champion itself is not judged."""
    asked = Reference("sentiment", digests["biased"])
    verdict = judge(store, settings, asked, None, print)
    assert verdict.passed
    document = shown(store, find(store, asked), signing_key(settings))
    assert (document["signature"], document["verdict"]["judged_ms"]) == ("valid", verdict.judged_ms)
    assert champion(store, "sentiment") == digests["sound"]
    with pytest.raises(RefusedPromotionError):
        judge(store, settings, Reference("toxicity", digests["biased"]), None, print)
    with pytest.raises(EchoPulseError, match=r"is the champion already$"):
        judge(store, settings, Reference("sentiment", digests["sound"]), None, print)


def test_a_gate_that_cannot_run_has_failed(store: ModelStore, settings: Settings, digests: dict[str, str]) -> None:
    """Kafka is away, so nobody knows what it said in shadow."""
    with pytest.raises(RefusedPromotionError) as error:
        promote(store, settings, Promotion(Reference("hate", digests["sound"])), print)
    assert str(error.value).startswith(
        f"hate@{digests['sound'][:19]} is refused by shadow_agreement: could not run: no Kafka broker answers"
    )
    assert store.timeline("hate").last is None


def test_an_approver_has_the_role(store: ModelStore, settings: Settings, digests: dict[str, str]) -> None:
    """Nobody, somebody else, and one who has it."""
    reference = Reference("offensive", digests["sound"])
    for approver, told in (
        ("", "offensive asks for an approval by the role 'lead' (--approver: ada)"),
        ("eve", "'eve' has not the role 'lead' that offensive asks for (it has: ada)"),
    ):
        with pytest.raises(EchoPulseError) as error:
            promote(store, settings, Promotion(reference, approver=approver), print)
        assert str(error.value) == told
    step, verdict = promote(store, settings, Promotion(reference, approver="ada"), print)
    assert (step.by, verdict.approver) == ("ada", "ada")


def test_references_that_name_none(store: ModelStore, digests: dict[str, str]) -> None:
    """An ambiguous prefix lists the candidates, an unknown one the newest; a task without models is told."""
    with pytest.raises(EchoPulseError) as error:
        store.entry("sentiment", "sha256:")
    for name, digest in digests.items():
        assert f"{digest[:27]} ({name})" in str(error.value)
    assert "sentiment@sha256: is ambiguous: " in str(error.value)
    assert str(error.value).endswith("(give more digits)")
    with pytest.raises(EchoPulseError, match=r"no model sha256:00000000 for sentiment \(the newest: "):
        find(store, parse_reference("sentiment@sha256:00000000"))
    with pytest.raises(EchoPulseError, match=r"no model is registered for 'sentimnt' \(did you mean 'sentiment'\?\)"):
        find(store, parse_reference("sentimnt@sha256:00000000"))


def test_instants(store: ModelStore, settings: Settings, digests: dict[str, str], sound: Path, tmp_path: Path) -> None:
    """The past, the present and the champion itself are refused; the future is kept to the ms, and taken back."""
    folder, digest = renamed(sound, tmp_path / "next")
    store.register(folder)
    reference = Reference("sentiment", digest[:20])
    now_ms = time.time_ns() // 1_000_000
    for at_ms in (0, now_ms - 1):
        with pytest.raises(EchoPulseError, match=f"--at {at_ms} is in the past or too near"):
            promote(store, settings, Promotion(reference, at_ms), print)
    with pytest.raises(EchoPulseError, match="is the champion already"):
        promote(store, settings, Promotion(parse_reference("sentiment@champion")), print)
    with pytest.raises(EchoPulseError, match="leave out --at"):
        promote(store, settings, Promotion(Reference("hate", digests["sound"]), now_ms + 60_000), print)
    at_ms = now_ms + 3_600_123
    step, _ = promote(store, settings, Promotion(reference, at_ms), print)
    timeline = store.timeline("sentiment")
    assert step.valid_from_ms == at_ms
    assert [timeline.at(instant).digest for instant in (at_ms - 1, at_ms)] == [digests["sound"], digest]  # type: ignore[union-attr]
    assert [one["roles"] for one in models(store, "sentiment") if one["digest"] == digest] == [["next"]]
    back = rollback(store, settings, "sentiment", "ada")
    assert (back.digest, back.kind, back.by) == (digests["sound"], "rollback", "ada")
    assert champion(store, "sentiment") == digests["sound"]


def test_of_two_at_once_one_is_refused(
    store: ModelStore, settings: Settings, digests: dict[str, str], sound: Path, tmp_path: Path
) -> None:
    """Both saw the same champion when they were asked; the second one's step is void, and it is told."""
    folders = [renamed(sound, tmp_path / name) for name in ("a", "b")]
    for folder, _ in folders:
        store.register(folder)
    before = store.timeline("toxicity").position
    together = threading.Barrier(2)
    ended: dict[str, object] = {}

    def ask(digest: str) -> None:
        def say(line: str) -> None:
            # The last gate has spoken: both are about to write.
            if "group_false_positives" in line:
                together.wait(120)

        with opened_store(settings) as own:
            try:
                ended[digest] = promote(own, settings, Promotion(Reference("toxicity", digest)), say)[0]
            except EchoPulseError as error:
                ended[digest] = error

    threads = [threading.Thread(target=ask, args=(digest,)) for _, digest in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    errors = [end for end in ended.values() if isinstance(end, EchoPulseError)]
    assert len(errors) == 1
    assert str(errors[0]).startswith("another change of toxicity came first: promotion of sha256:")
    timeline = store.timeline("toxicity")
    (winner,) = (digest for digest, end in ended.items() if not isinstance(end, EchoPulseError))
    assert champion(store, "toxicity") == winner
    assert [step.number for step in timeline.steps if step.number > before] == [timeline.position]
    assert rollback(store, settings, "toxicity").digest == digests["sound"]


def test_a_damaged_artifact_is_refused(
    store: ModelStore, settings: Settings, sound: Path, tmp_path: Path, digests: dict[str, str]
) -> None:
    """MLflow's own folder is changed behind its back; neither a file nor the manifest passes, and nothing is kept."""
    for place, name in enumerate(("table.npy", "manifest.json")):
        folder, digest = renamed(sound, tmp_path / str(place))
        entry = store.register(folder)["sentiment"]
        path = Path(entry.source.removeprefix("mlflow-artifacts:/"))
        kept = settings.home / "data" / "mlflow" / "artifacts" / path / name
        kept.write_bytes(kept.read_bytes().replace(b"negative", b"negatove", 1) if place else kept.read_bytes()[:-1])
        told = "is not the file of its manifest" if not place else "what MLflow keeps is sha256:"
        with pytest.raises(EchoPulseError, match=told):
            promote(store, settings, Promotion(Reference("sentiment", digest)), print)
        assert not (settings.home / "models" / digest.removeprefix("sha256:")).exists()
    assert champion(store, "sentiment") == digests["sound"]


def test_the_calls_of_grpc(settings: Settings, digests: dict[str, str]) -> None:
    """Models, a refusal by the gates, a rollback that has nowhere to go, and scores by any digest."""
    with (
        RegistryServer(settings, "127.0.0.1", 0) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        registry, analyze = ModelRegistryStub(channel), AnalyzeStub(channel)
        listed = registry.ListModels(messages.TaskRequest(task="sentiment"), timeout=60).models
        assert {digests["sound"], digests["shuffled"]} <= {model.digest for model in listed}
        whole = registry.ShowModel(messages.ModelRequest(reference="sentiment@champion"), timeout=60)
        assert (whole.model.digest, whole.signature) == (digests["sound"], "valid")
        assert whole.verdict.results[0].gate == "quality"
        entries = registry.ReadTimeline(messages.TaskRequest(task="sentiment"), timeout=60).entries
        assert entries[0].valid_from_ms == 0
        promotion = messages.PromoteRequest(reference=f"sentiment@{digests['shuffled']}")
        assert told(registry.Promote, promotion) == ("FAILED_PRECONDITION", "is refused by quality")
        request = messages.RollbackRequest(task="hate")
        assert told(registry.Rollback, request) == ("INVALID_ARGUMENT", "has had no other champion to go back to")
        answers = [
            analyze.Score(
                messages.ScoreRequest(reference=f"sentiment@{digests[name]}", texts=["what a lovely day", "awful"]),
                timeout=60,
            )
            for name in ("sound", "shuffled")
        ]
        assert [answer.digest for answer in answers] == [digests["sound"], digests["shuffled"]]
        assert list(answers[0].labels) == ["negative", "neutral", "positive"]
        assert [score.label for score in answers[0].scores] == ["positive", "negative"]
        assert sum(answers[1].scores[0].probabilities) == pytest.approx(1)
        question: dict[str, Any] = {"reference": "sentiment@champion", "texts": ["x"] * 1_001}
        assert told(analyze.Score, messages.ScoreRequest(**question)) == (
            "INVALID_ARGUMENT",
            "1,001 texts in one request",
        )
        question = {"reference": "hate@champion", "texts": ["x"]}
        assert told(analyze.Score, messages.ScoreRequest(**question)) == (
            "INVALID_ARGUMENT",
            "hate has no champion yet",
        )


def test_workers_score_by_the_timeline(
    store: ModelStore, settings: Settings, digests: dict[str, str], sound: Path, tmp_path: Path
) -> None:
    """A change reaches a worker before its time: events before it name the old digest, all after it the new.

    Until then the new one is the challenger, which shadow scores by.
    """
    follow_one, digest = renamed(sound, tmp_path / "follow")
    store.register(follow_one)
    stop, lines, folder = threading.Event(), list[str](), settings.home / "models"
    with opened_store(settings) as own:
        follower = threading.Thread(
            target=follow, args=(own, folder, ["toxicity"], 3_000, stop, lines.append), daemon=True
        )
        follower.start()
        try:
            deadline = time.monotonic() + 120
            while not (folder / "timeline" / "toxicity.json").is_file():
                assert time.monotonic() < deadline
            worker = TimedModel(folder, "toxicity")
            until_challenger(folder, digest)
            ahead = settings.model_copy(update={"registry": settings.registry.model_copy(update={"lead_ms": 3_000})})
            step, _ = promote(store, ahead, Promotion(Reference("toxicity", digest)), print)
            while (now_ms := time.time_ns() // 1_000_000) < step.valid_from_ms + 500:
                times = [now_ms, step.valid_from_ms - 1, step.valid_from_ms]
                said = worker.answer("toxicity", batch(times)).models.to_pylist()
                assert said[0] == (digest if now_ms >= step.valid_from_ms else digests["sound"])
                assert said[1] == digests["sound"]
            assert said[2] == digest
            until_challenger(folder, "")
        finally:
            stop.set()
            follower.join(60)
    assert lines == []
    assert rollback(store, settings, "toxicity").digest == digests["sound"]


def until_challenger(folder: Path, digest: str) -> None:
    """Wait until the follower names a challenger of toxicity."""
    deadline = time.monotonic() + 60
    while read_challenger(folder, "toxicity") != digest:
        assert time.monotonic() < deadline


def batch(times: list[int]) -> pa.RecordBatch:
    """A text at each instant."""
    texts = question(pa.array(["a table"] * len(times), pa.string()))
    ts = pa.array(times, pa.timestamp("ms", "UTC"))
    return pa.RecordBatch.from_arrays([*texts.columns, ts], names=[*texts.schema.names, "ts"])


def told(call: Any, request: object) -> tuple[str, str]:  # noqa: ANN401 - generated without types
    """Return the status that a call ends with, and which of the words that are looked for its message holds."""
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=120)
    looked_for = (
        *("is refused by quality", "has had no other champion to go back to"),
        *("1,001 texts in one request", "hate has no champion yet"),
    )
    details = error.value.details()
    return error.value.code().name, next((words for words in looked_for if words in details), details)
