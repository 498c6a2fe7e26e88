"""From the files to a step of the timeline, span by span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.registry.timeline import Step
from echopulse.tracking.record import DataInput, RunRecord
from echopulse.tracking.traces import trace_registration, trace_step, trace_training
from pipelines.spans import flush
from tests.pipelines.test_spans import receiver
from transforms.artifact import SHIPPED, read_manifest

if TYPE_CHECKING:
    from tests.otlp import Receiver

__all__ = ["receiver"]


def test_each_links_to_what_it_rests_on(receiver: Receiver) -> None:
    """Digests are attributes; the ids of links are those of the spans that were sent."""
    folder = SHIPPED / "default"
    digest = read_manifest(folder)[1]
    record = RunRecord("train", "train x", tags={"mlflow.source.git.commit": "c0ffee"})
    record.inputs = [DataInput(f"{name}.parquet", digit * 64, "/", "training") for name, digit in ("a1", "b2")]
    record.end()
    trace_training(record, folder)
    trace_registration(digest, ["hate"])
    step = Step(2, 1, digest, 5_000, "promotion")
    trace_step("hate", step, "sha256:before")
    assert flush()
    data, (train,), (model,), (promotion,) = (
        receiver.named(name) for name in ("data set", "train", "register", "promotion")
    )
    assert [one.attributes["echopulse.data.digest"] for one in data] == [f"sha256:{digit * 64}" for digit in "12"]
    assert train.links == [one.ids for one in data]
    assert train.attributes["echopulse.run.record"] == record.id
    assert train.attributes["vcs.ref.head.revision"] == "c0ffee"
    assert model.links == [train.ids]
    assert promotion.links[0] == model.ids
    assert {one.attributes["echopulse.model.digest"] for one in (train, model, promotion)} == {digest}
    assert promotion.attributes["echopulse.valid_from_ms"] == 5_000
    assert promotion.attributes["echopulse.model.before"] == "sha256:before"


def test_a_cascade_links_to_its_stages(receiver: Receiver) -> None:
    """To the trainings of both."""
    stages = read_manifest(SHIPPED / "cascade")[0].cascade
    assert stages is not None
    for name in ("default", "transformer", "cascade"):
        record = RunRecord("train", name)
        record.end()
        trace_training(record, SHIPPED / name)
    assert flush()
    by_digest = {one.attributes["echopulse.model.digest"]: one for one in receiver.named("train")}
    cascade = by_digest[read_manifest(SHIPPED / "cascade")[1]]
    assert cascade.links == [by_digest[stage].ids for stage in (stages.first_digest, stages.second_digest)]
