"""What is recorded of a run, wherever it is kept: a value that can be written down and read back."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal["FINISHED", "FAILED", "KILLED"]
_DOCUMENT = "record.json"
_FILES = "files"


@dataclass(frozen=True)
class Metric:
    """A number of a run, at a step of a curve where it is one."""

    name: str
    value: float
    step: int = 0
    at_ms: int = 0


@dataclass(frozen=True)
class DataInput:
    """A data set that a run read: its file's name and digest (64 hex digits), for what, and how many rows."""

    name: str
    digest: str
    path: str
    context: str
    rows: int | None = None


@dataclass
class RunRecord:
    """A run of train, tune or evaluate; `parent` is the id of the record it belongs to.

    `files` are the run's artifacts by their path: bytes, or a file or folder that is read when the run is sent.
    """

    kind: str
    name: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    parent: str = ""
    began_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    ended_ms: int = 0
    status: Status = "FINISHED"
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: list[DataInput] = field(default_factory=list)
    files: dict[str, bytes | Path] = field(default_factory=dict)

    def parameters(self, **values: object) -> None:
        """Add parameters; those that are None were not given and are left out."""
        self.params |= {name: str(value) for name, value in values.items() if value is not None}

    def measure(self, values: Mapping[str, float], step: int = 0) -> None:
        """Add numbers of this moment."""
        now = time.time_ns() // 1_000_000
        self.metrics += [Metric(name, float(value), step, now) for name, value in values.items()]

    def end(self, status: Status = "FINISHED") -> None:
        """Say how it ended, and that it was now."""
        self.status, self.ended_ms = status, time.time_ns() // 1_000_000

    def artifact_files(self) -> dict[str, bytes | Path]:
        """Return the artifacts, folders as the files in them."""
        found: dict[str, bytes | Path] = {}
        for name, content in self.files.items():
            if isinstance(content, Path) and content.is_dir():
                inside = (path for path in sorted(content.rglob("*")) if path.is_file())
                found |= {f"{name}/{path.relative_to(content).as_posix()}": path for path in inside}
            else:
                found[name] = content
        return found


def write_record(record: RunRecord, folder: Path) -> None:
    """Write a run with copies of its artifacts into a new folder."""
    (folder / _FILES).mkdir(parents=True)
    for name, content in record.artifact_files().items():
        target = folder / _FILES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_bytes(content)
    document = asdict(record) | {"files": []}
    (folder / _DOCUMENT).write_text(json.dumps(document), encoding="utf-8")


def read_record(folder: Path) -> RunRecord:
    """Read back a run; raises EchoPulseError where it is not whole."""
    try:
        document: dict[str, Any] = json.loads((folder / _DOCUMENT).read_bytes())
        lists = {
            "metrics": [Metric(**metric) for metric in document.pop("metrics")],
            "inputs": [DataInput(**one) for one in document.pop("inputs")],
            "files": {path.name: path for path in sorted((folder / _FILES).iterdir())},
        }
        return RunRecord(**document | lists)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EchoPulseError(f"{folder} holds no whole run: {error}", "remove the folder") from error
