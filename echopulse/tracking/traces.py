"""Trainings, registrations and promotions as spans, each linked to what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.spans import emit, of_data, of_model, of_promotion, of_run
from transforms.artifact import read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from echopulse.registry.timeline import Step
    from echopulse.tracking.record import RunRecord


def trace_training(record: RunRecord, folder: Path) -> None:
    """Tell of a run that made a model, and of the files that it read; it links to them, and to models behind it."""
    manifest, digest = read_manifest(folder)
    links = []
    for one in record.inputs:
        data = f"sha256:{one.digest}"
        told = {"echopulse.data.name": one.name, "echopulse.data.digest": data, "echopulse.data.purpose": one.context}
        emit("data set", told, own=of_data(data), began_ms=record.began_ms, ended_ms=record.began_ms)
        links.append(of_data(data))
    if manifest.cascade is not None:
        links += [of_run(stage) for stage in (manifest.cascade.first_digest, manifest.cascade.second_digest)]
    emit(
        record.kind,
        {
            "echopulse.run.record": record.id,
            "echopulse.model.digest": digest,
            "echopulse.model.kind": manifest.kind,
            "echopulse.tasks": list(manifest.tasks),
            "echopulse.data.digests": [f"sha256:{one.digest}" for one in record.inputs],
            "vcs.ref.head.revision": record.tags.get("mlflow.source.git.commit", ""),
        },
        links,
        own=of_run(digest),
        began_ms=record.began_ms,
        ended_ms=record.ended_ms,
    )


def trace_registration(digest: str, tasks: Sequence[str]) -> None:
    """Tell of a model that became challenger; it links to the training that made it."""
    told = {"echopulse.model.digest": digest, "echopulse.tasks": list(tasks)}
    emit("register", told, [of_run(digest)], own=of_model(digest))


def trace_step(task: str, step: Step, before: str) -> None:
    """Tell of a change of the champion; it links to the model, and to the one before ('' for none)."""
    emit(
        step.kind,
        {
            "echopulse.task": task,
            "echopulse.model.digest": step.digest,
            "echopulse.model.before": before,
            "echopulse.step": step.number,
            "echopulse.valid_from_ms": step.valid_from_ms,
        },
        [of_model(digest) for digest in (step.digest, before) if digest],
        own=of_promotion(task, step.digest, step.valid_from_ms),
    )
