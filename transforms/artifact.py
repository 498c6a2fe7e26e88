"""Model artifacts: a folder with a manifest that names the kind, the tasks and the digest of every file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import EchoPulseError, did_you_mean

MANIFEST = "manifest.json"
#: What the names of the tasks of stance begin with; the target follows.
STANCE = "stance."
#: Artifacts that ship with the project, by name.
SHIPPED = Path(__file__).parent / "models"


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(_Declared):
    """One task of a model: the columns of its scores, how they become probabilities and where it decides.

    softmax: probabilities of `labels`, one column each, are softmax(slope · score + offsets). sigmoid: the probability
    of labels[1] is 1 / (1 + exp(-(slope · score + offsets[0]))), and it is said at `threshold` or above. With
    `decision_offsets`, which are added to the logarithms of a softmax's probabilities, the largest sum is said.
    """

    labels: tuple[str, ...]
    columns: tuple[int, ...]
    link: Literal["softmax", "sigmoid"]
    slope: float
    offsets: tuple[float, ...]
    threshold: float = 0.5
    decision_offsets: tuple[float, ...] = ()
    languages: tuple[str, ...] = ("en",)


class Hashing(_Declared):
    """How a bag turns text into rows of its table: 2 to the power `bits` buckets, grams of characters and of words."""

    bits: int = Field(ge=8, le=24)
    char_grams: tuple[int, int]
    word_grams: tuple[int, int]
    normalisation: int


class Stages(_Declared):
    """The models of a cascade, by the digests and names (or folders) of their artifacts.

    The second is asked where the first is less certain of a task (transforms.decision.certainty) than its threshold.
    """

    first: str
    first_digest: str
    second: str
    second_digest: str
    thresholds: dict[str, float]


class Reading(_Declared):
    """How a transformer reads texts; the defaults are how those read that are trained here.

    `style` is one of transforms.reading; `pieces` the most word pieces of a text that are read, the rest is left out;
    `padding` the id of the piece that fills up the shorter texts of a batch.
    """

    style: Literal["normalised", "tweet", "written"] = "normalised"
    pieces: int = Field(default=64, ge=2)
    padding: int = Field(default=0, ge=0)


class Manifest(_Declared):
    """The declaration of an artifact; `files` maps each file's name to its digest, `sha256:` and 64 hex digits."""

    kind: str
    name: str
    tasks: dict[str, Task]
    files: dict[str, str]
    hashing: Hashing | None = None
    cascade: Stages | None = None
    scales: tuple[float, ...] = ()
    #: Of a transformer; not written where it is the default, so that it adds nothing to the digests of those without.
    reading: Reading = Reading()
    training: dict[str, Any] = {}

    def stance_targets(self) -> tuple[str, ...]:
        """Return the targets that the model knows a stance toward; each is a task, `stance.` and the target."""
        return tuple(name.removeprefix(STANCE) for name in self.tasks if name.startswith(STANCE))

    def task(self, name: str) -> Task:
        """Return a task by name; raises EchoPulseError naming the nearest one where the model lacks it."""
        if name not in self.tasks:
            raise EchoPulseError(f"model '{self.name}' has no task '{name}'", did_you_mean(name, self.tasks))
        return self.tasks[name]


def file_digest(path: Path) -> str:
    """Return sha256:… of a file's bytes."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write the manifest beside the files it names; return the artifact's digest."""
    document = manifest.model_dump(mode="json", exclude={"reading"} if manifest.reading == Reading() else None)
    (folder / MANIFEST).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return file_digest(folder / MANIFEST)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Return (manifest, digest) of an artifact after checking each of its files against the manifest.

    The artifact's digest is that of its manifest, which holds the digests of all its other files.
    Raises EchoPulseError where the manifest is missing or unreadable, or a file is missing or differs.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise EchoPulseError(
            f"{folder} is not a model: it has no {MANIFEST}", f"shipped: {', '.join(shipped())}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise EchoPulseError(f"{path}: {where}: {first['msg']}") from error
    for name, expected in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise EchoPulseError(f"{folder}: the file '{name}' of its manifest is missing")
        found = file_digest(file)
        if found != expected:
            raise EchoPulseError(f"{file} is not the file of its manifest: {found} instead of {expected}")
    return manifest, file_digest(path)


def shipped() -> list[str]:
    """Name the artifacts that ship with the project."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{MANIFEST}"))


def find_artifact(model: str, beside: Path | None = None) -> Path:
    """Return the folder of a model given by the name of a shipped one or by its path; raises EchoPulseError.

    A relative path counts from `beside` where that is given, else from the current folder.
    """
    if (SHIPPED / model / MANIFEST).is_file():
        return SHIPPED / model
    folder = beside / model if beside else Path(model)
    if folder.is_dir():
        return folder
    raise EchoPulseError(f"no model '{model}'", f"a folder, or {did_you_mean(model, shipped())}")
