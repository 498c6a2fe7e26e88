"""What the registry says of its models, as documents: for --json, for gRPC and for people."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from echopulse.registry.shadow import kind_of
from echopulse.registry.store import CHALLENGER
from echopulse.registry.verdict import verified
from schemas.errors import EchoPulseError
from transforms.selection import DEFAULT_STRATEGIES, options_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from echopulse.registry.store import ModelStore
    from echopulse.registry.timeline import Step, Timeline
    from echopulse.registry.versions import Entry
    from echopulse.settings import Settings


def models(store: ModelStore, task: str | None = None) -> list[dict[str, Any]]:
    """Return every model of a task, or of all: what it is, and whether it is champion or challenger."""
    found = []
    for name in [task] if task else store.tasks():
        timeline, challenger = store.timeline(name), store.pointed(name, CHALLENGER)
        found += [
            described(entry, timeline, challenger is not None and challenger.digest == entry.digest)
            for entry in store.entries(name)
        ]
    return found


def described(entry: Entry, timeline: Timeline, challenger: bool) -> dict[str, Any]:  # noqa: FBT001 - one of its roles
    """Return one model as a document; its role is that of now."""
    now = time.time_ns() // 1_000_000
    current = timeline.at(now)
    coming = [step for step in timeline.entries if step.valid_from_ms > now and step.digest == entry.digest]
    roles = ["champion"] * (current is not None and current.digest == entry.digest)
    roles += ["next"] * bool(coming) + ["challenger"] * challenger
    return {
        "task": entry.task,
        "digest": entry.digest,
        "name": entry.name,
        "kind": entry.kind,
        "bytes": int(entry.tags.get("bytes", 0)),
        "created_ms": entry.created_ms,
        "run": entry.run,
        "roles": roles,
    }


def shown(store: ModelStore, entry: Entry, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return a model with its last verdict and when it scores events."""
    timeline = store.timeline(entry.task)
    challenger = store.pointed(entry.task, CHALLENGER)
    document = described(entry, timeline, challenger is not None and challenger.digest == entry.digest)
    ends = [step.valid_from_ms for step in timeline.entries[1:]]
    spans = [
        {"from_ms": step.valid_from_ms, "to_ms": end}
        for step, end in zip(timeline.entries, [*ends, None], strict=False)
        if step.digest == entry.digest
    ]
    document |= {"scores": spans, "verdict": None, "signature": None}
    if text := entry.tags.get("verdict"):
        document["verdict"] = json.loads(text)["verdict"]
        try:
            verified(text, key)
            document["signature"] = "valid"
        except EchoPulseError as error:
            document["signature"] = error.message
    return document


def steps(timeline: Timeline) -> list[dict[str, Any]]:
    """Return the entries of a timeline as documents."""
    return [step_document(step) for step in timeline.entries]


def step_document(step: Step) -> dict[str, Any]:
    """Return a step as a document."""
    return {
        "number": step.number,
        "digest": step.digest,
        "valid_from_ms": step.valid_from_ms,
        "kind": step.kind,
        "by": step.by,
        "written_ms": step.written_ms,
    }


def not_scored_by_timeline(settings: Settings, task: str) -> str:
    """Say why a champion changes nothing in the job, '' where a strategy of the settings goes by its timeline.

    Strategies go by the timelines of sentiment, toxicity and stance; champions of the parts of toxicity are for those
    who name them.
    """
    kind = kind_of(task)
    if kind != task:
        return f"the job scores {task} by the timeline of {kind}; this is for those who ask for {task}@champion"
    name = settings.strategies.get(kind, DEFAULT_STRATEGIES.get(kind, ""))
    if "timeline" in options_of(settings.strategy_options, kind, name):
        return ""
    return (
        f"the job goes on with what the settings name: strategy_options.{kind}.timeline is not set; "
        f"with it, and `echopulse registry follow {kind}`, it scores by this timeline"
    )


def moment(at_ms: int) -> str:
    """Write an instant for a person."""
    if not at_ms:
        return "the beginning of time"
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
