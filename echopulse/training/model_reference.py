"""Find the artifact that a person names: by name or folder, by its digest, or by a task and a digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import MANIFEST, SHIPPED, Manifest, file_digest, find_artifact, read_manifest, shipped

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST = re.compile(r"sha256:[0-9a-f]{4,64}")


def referenced(reference: str) -> Path:
    """Return the folder of NAME, NAME@sha256:PREFIX or TASK@sha256:PREFIX; four digits of a digest are enough.

    NAME is a model that ships or a folder. Raises EchoPulseError where there is none, where it has another digest, or
    where the prefix is that of several.
    """
    name, at, prefix = reference.partition("@")
    if not at:
        return find_artifact(name)
    if not _DIGEST.fullmatch(prefix):
        raise EchoPulseError(f"'{prefix}' is no digest", "sha256: and at least four hex digits")
    if (folder := _folder(name)) is not None:
        digest = read_manifest(folder)[1]
        if not digest.startswith(prefix):
            raise EchoPulseError(f"model '{name}' is {digest}, not {prefix}", "name the folder of that version")
        return folder
    return _of_a_task(name, prefix)


def _folder(name: str) -> Path | None:
    """Return the folder of an artifact of this name or at this path, None where there is none."""
    try:
        folder = find_artifact(name)
    except EchoPulseError:
        return None
    return folder if (folder / MANIFEST).is_file() else None


def _of_a_task(task: str, prefix: str) -> Path:
    folders = {name: SHIPPED / name for name in shipped()}
    manifests = {name: read_manifest(folder)[0] for name, folder in folders.items()}
    known = {head.partition(".")[0] for manifest in manifests.values() for head in manifest.tasks}
    if task not in known:
        raise EchoPulseError(f"no model and no task '{task}'", did_you_mean(task, known | set(folders)))
    able = {name: file_digest(folders[name] / MANIFEST) for name in folders if _has(manifests[name], task)}
    found = [name for name, digest in able.items() if digest.startswith(prefix)]
    if not found:
        told = ", ".join(f"{name} {digest[:19]}" for name, digest in able.items())
        raise EchoPulseError(f"no model {prefix} for {task}", f"known: {told}; a folder is named as FOLDER@{prefix}")
    if len(found) > 1:
        raise EchoPulseError(f"{prefix} is {' and '.join(found)}", "give more digits")
    return folders[found[0]]


def _has(manifest: Manifest, task: str) -> bool:
    return task in manifest.tasks or any(head.startswith(f"{task}.") for head in manifest.tasks)
