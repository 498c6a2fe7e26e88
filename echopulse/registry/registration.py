"""A model put into the registry: what it became of each task, and whom it stands against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from echopulse.registry.store import CHALLENGER
from echopulse.tracking.traces import trace_registration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from echopulse.registry.store import ModelStore


@dataclass(frozen=True)
class Registered:
    """What a model is of a task now; digests are '' where there is none.

    `champion` is who scores in the end, `replaces` the challenger whose place it took.
    """

    task: str
    role: Literal["challenger", "champion"]
    champion: str
    replaces: str


def register(store: ModelStore, folder: Path, tasks: Sequence[str] = ()) -> tuple[str, list[Registered]]:
    """Register an artifact for its tasks, or those named; return its digest and what it became of each.

    Raises EchoPulseError where it is no model that could score, or lacks a task.
    """
    known = store.tasks()
    before = {task: store.pointed(task, CHALLENGER) for task in known}
    entries = store.register(folder, tasks)
    digest = next(iter(entries.values())).digest
    found = []
    for task in entries:
        last, challenger = store.timeline(task).last, before.get(task)
        champion = "" if last is None else last.digest
        if champion == digest:
            found.append(Registered(task, "champion", champion, ""))
            continue
        replaces = "" if challenger is None or challenger.digest == digest else challenger.digest
        found.append(Registered(task, "challenger", champion, replaces))
    trace_registration(digest, list(entries))
    return digest, found
