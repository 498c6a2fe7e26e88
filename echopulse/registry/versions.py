"""What MLflow's versions say: a model of a task, or a step of its timeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from echopulse.registry.timeline import Step
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A registered model of a task. `version` is MLflow's number, `source` where MLflow keeps the artifact."""

    task: str
    digest: str
    name: str
    kind: str
    version: str
    source: str
    run: str
    created_ms: int
    tags: Mapping[str, str] = field(repr=False)


def described(kind: str, name: str, folder: Path, digest: str) -> dict[str, str]:
    """Return the tags of a version that is the artifact in `folder`."""
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return {"digest": digest, "kind": kind, "artifact": name, "bytes": str(size)}


def entry_of(task: str, version: Mapping[str, Any]) -> Entry | None:
    """Return the model of a version; None for one that somebody else wrote, who gave no digest."""
    tags = _tags(version)
    if "digest" not in tags:
        return None
    return Entry(
        task=task,
        digest=tags["digest"],
        name=tags.get("artifact", ""),
        kind=tags.get("kind", ""),
        version=str(version["version"]),
        source=str(version["source"]),
        run=str(version.get("run_id", "")),
        created_ms=int(version.get("creation_timestamp", 0)),
        tags=tags,
    )


def step_tags(step: Step) -> dict[str, str]:
    """Return the tags of a version that is a step."""
    return {
        "after": str(step.after),
        "digest": step.digest,
        "valid_from_ms": str(step.valid_from_ms),
        "kind": step.kind,
        "by": step.by,
        "verdict": step.verdict,
    }


def step_of(version: Mapping[str, Any]) -> Step:
    """Return the step that a version is; raises EchoPulseError, naming the version, where it is none."""
    tags = _tags(version)
    try:
        return Step(
            number=int(version["version"]),
            after=int(tags["after"]),
            digest=tags["digest"],
            valid_from_ms=int(tags["valid_from_ms"]),
            kind="rollback" if tags["kind"] == "rollback" else "promotion",
            by=tags.get("by", ""),
            written_ms=int(version.get("creation_timestamp", 0)),
            verdict=tags.get("verdict", ""),
        )
    except (KeyError, ValueError) as error:
        raise EchoPulseError(
            f"{version['name']}: version {version['version']} is no step of a timeline: {error}",
            "somebody else wrote it; delete that version in MLflow",
        ) from error


def _tags(version: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in version.get("tags", [])}
