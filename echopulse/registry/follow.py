"""Keep timelines and challengers of workers up to date: artifacts are fetched and checked before they are named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from echopulse.registry.probe import probe
from echopulse.registry.store import CHALLENGER
from echopulse.registry.timeline import changes
from schemas.errors import EchoPulseError
from transforms.challenger import write_challenger
from transforms.timeline_file import TimelineFile, write_timeline

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from echopulse.registry.store import ModelStore

#: Renewals within a lead: a few may fail before workers stop for want of one.
_RENEWALS_A_LEAD = 5


def follow(
    store: ModelStore,
    folder: Path,
    tasks: Sequence[str],
    lead_ms: int,
    stop: threading.Event,
    say: Callable[[str], None],
) -> int:
    """Renew the timelines of tasks in `folder`, and their challengers, until `stop`; return how often that was done.

    What fails is told once until it works again: workers go on for a lead after the last renewal, and then wait.
    """
    renewed, told = 0, ""
    refused: dict[str, str] = {}
    checked: set[str] = set()
    while not stop.is_set():
        try:
            for task in tasks:
                renew(store, folder, task, lead_ms, checked)
        except EchoPulseError as error:
            if str(error) != told:
                told = str(error)
                say(f"{told}; workers wait if it lasts")
        else:
            renewed += 1
            if told:
                say("the timelines are renewed again")
            told = ""
            # A challenger that cannot be had keeps no champion from scoring.
            for task in tasks:
                refused[task] = _name_challenger(store, folder, task, checked, refused.get(task, ""), say)
        stop.wait(lead_ms / 1_000 / _RENEWALS_A_LEAD)
    return renewed


def renew(store: ModelStore, folder: Path, task: str, lead_ms: int, checked: set[str]) -> None:
    """Write a task's timeline anew. Raises EchoPulseError where it has no champion, or an artifact is damaged.

    Artifacts in `checked` have been found whole before; those that are now are added. The file may be believed for a
    lead from before the timeline was read: a change that is written after that comes into force later.
    """
    read_ms = time.time_ns() // 1_000_000
    entries = changes(store.timeline(task).entries)
    if not entries:
        raise EchoPulseError(f"{task} has no champion yet", "echopulse registry promote makes one")
    for digest in dict.fromkeys(digest for _, digest in entries):
        if digest not in checked:
            probe(store.fetch(store.entry(task, digest)), digest)
            checked.add(digest)
    write_timeline(folder, task, TimelineFile(tuple(entries), read_ms + lead_ms, lead_ms))


def _name_challenger(
    store: ModelStore, folder: Path, task: str, checked: set[str], told: str, say: Callable[[str], None]
) -> str:
    """Write down who scores in shadow; return why the challenger cannot, '' where it can or there is none."""
    try:
        entry = store.pointed(task, CHALLENGER)
        if entry is not None and entry.digest not in checked:
            probe(store.fetch(entry), entry.digest)
            checked.add(entry.digest)
        write_challenger(folder, task, "" if entry is None else entry.digest)
    except EchoPulseError as error:
        if str(error) != told:
            say(f"{error}; the challenger of {task} does not score in shadow")
        return str(error)
    return ""
