"""A task's timeline as a file beside the artifacts that it names: what the registry's follower writes, workers read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "timeline"


@dataclass(frozen=True)
class TimelineFile:
    """Which digest scores events from which time on (ms, rising), and until when the file may be believed (ms, wall).

    `lead_ms` is how far ahead of now a new entry is set at least: whoever reads again within it misses none.
    """

    entries: tuple[tuple[int, str], ...]
    valid_until_ms: int
    lead_ms: int


def artifact_folder(folder: Path, digest: str) -> Path:
    """Return where the artifact of a digest is."""
    return folder / digest.removeprefix("sha256:")


def read_timeline(folder: Path, task: str) -> TimelineFile:
    """Read a task's timeline; raises EchoPulseError where there is none, or it is damaged."""
    path = _path(folder, task)
    try:
        document = json.loads(path.read_bytes())
        entries = tuple((int(from_ms), str(digest)) for from_ms, digest in document["entries"])
        found = TimelineFile(entries, int(document["valid_until_ms"]), int(document["lead_ms"]))
    except FileNotFoundError:
        raise EchoPulseError(f"{path}: no timeline of {task}", "echopulse registry follow writes it") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EchoPulseError(f"{path} is no timeline: {error}") from error
    if not entries or list(entries) != sorted(entries, key=lambda entry: entry[0]):
        raise EchoPulseError(f"{path} is no timeline: its entries do not rise")
    return found


def write_timeline(folder: Path, task: str, timeline: TimelineFile) -> None:
    """Replace a task's timeline in one step."""
    path = _path(folder, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "entries": [list(entry) for entry in timeline.entries],
        "valid_until_ms": timeline.valid_until_ms,
        "lead_ms": timeline.lead_ms,
    }
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(document), encoding="utf-8")
    partial.replace(path)


def _path(folder: Path, task: str) -> Path:
    return folder / _FOLDER / f"{task}.json"
