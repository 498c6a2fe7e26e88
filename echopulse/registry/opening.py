"""From what a person writes to a model: a name, a folder, TASK@sha256:PREFIX, TASK@champion, TASK@challenger."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from echopulse.registry.store import CHALLENGER, CHAMPION, ModelStore
from echopulse.tracking.publish import is_expected, open_server, yet_to_come
from echopulse.training.model_reference import referenced
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from echopulse.registry.timeline import Timeline
    from echopulse.registry.versions import Entry
    from echopulse.settings import Settings


@dataclass(frozen=True)
class Reference:
    """A model of the registry as it is named: a task, and a prefix of a digest or an alias."""

    task: str
    which: str

    def __str__(self) -> str:
        """Write it as a person does."""
        return f"{self.task}@{self.which}"


_DIGEST = re.compile(r"sha256:[0-9a-f]{4,64}")
ALIASES = (CHAMPION, CHALLENGER)


def parse_reference(text: str) -> Reference:
    """Read TASK@sha256:PREFIX, TASK@champion or TASK@challenger; raises EchoPulseError."""
    task, at, which = text.partition("@")
    if not at or not task:
        name = task or "TASK"
        raise EchoPulseError(
            f"'{text}' names no model of the registry",
            f"{name}@{CHAMPION}, {name}@{CHALLENGER} or {name}@sha256:PREFIX",
        )
    if which.startswith("sha256:") and not _DIGEST.fullmatch(which):
        raise EchoPulseError(f"'{which}' is no digest", "sha256: and at least four hex digits")
    if not which.startswith("sha256:") and which not in ALIASES:
        raise EchoPulseError(f"'{which}' is neither a digest nor an alias", did_you_mean(which, (*ALIASES, "sha256:…")))
    return Reference(task, which)


@contextmanager
def opened_store(settings: Settings) -> Iterator[ModelStore]:
    """Yield the registry; raises EchoPulseError where there is no MLflow to keep it."""
    if not is_expected(settings):
        if reason := yet_to_come(settings):
            raise EchoPulseError(
                f"the registry is kept by MLflow, which is {reason}", "`echopulse status` tells when it is"
            )
        raise EchoPulseError(
            "the registry is kept by MLflow, and there is none",
            "`echopulse up` starts one; tracking.uri names another",
        )
    with open_server(settings) as server:
        yield ModelStore(server, settings.tracking.experiment, settings.home / "models")


def find(store: ModelStore, reference: Reference, now_ms: int | None = None) -> Entry:
    """Return the model that a reference names; the champion is the one of now. Raises EchoPulseError."""
    if reference.which == CHAMPION:
        step = store.timeline(reference.task).at(time.time_ns() // 1_000_000 if now_ms is None else now_ms)
        if step is None:
            raise EchoPulseError(f"{reference.task} has no champion yet", "echopulse registry promote makes one")
        return store.entry(reference.task, step.digest)
    if reference.which == CHALLENGER:
        entry = store.pointed(reference.task, CHALLENGER)
        if entry is None:
            raise no_challenger(reference.task, store.timeline(reference.task))
        return entry
    return store.entry(reference.task, reference.which)


def no_challenger(task: str, timeline: Timeline) -> EchoPulseError:
    """Return the error that a task has no challenger; where a model was promoted, when, and how to see the champion."""
    promoted = next((step for step in reversed(timeline.steps) if step.kind == "promotion"), None)
    if promoted is None:
        return EchoPulseError(f"{task} has no challenger", "echopulse registry register makes one")
    when = f"{datetime.fromtimestamp(promoted.written_ms / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return EchoPulseError(
        f"{task} has no challenger: {promoted.digest[:19]} was promoted on {when}",
        f"`echopulse registry show {task}@{CHAMPION}` is the champion, `registry timeline {task}` who was",
    )


def model_folder(settings: Settings, text: str) -> Path:
    """Return the folder of a model: one that ships, a folder, or one of the registry, fetched where needed."""
    _, at, which = text.partition("@")
    if not at:
        return referenced(text)
    if which in ALIASES or (which.startswith("sha256:") and is_expected(settings)):
        try:
            with opened_store(settings) as store:
                return store.fetch(find(store, parse_reference(text)))
        except EchoPulseError as error:
            if which in ALIASES:
                raise
            # What ships and lies in folders is known by its digest without a registry.
            try:
                return referenced(text)
            except EchoPulseError:
                raise error from None
    return referenced(text)
