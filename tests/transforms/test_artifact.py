"""Artifacts: whole, changed, missing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.artifact import MANIFEST, SHIPPED, Reading, find_artifact, read_manifest, write_manifest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the default artifact."""
    return shutil.copytree(SHIPPED / "default", tmp_path / "model")


def test_shipped() -> None:
    """The default model is whole, and its card names its digest."""
    manifest, digest = read_manifest(find_artifact("default"))
    assert {"sentiment", "toxicity"} <= set(manifest.tasks)
    assert digest in (SHIPPED / "default" / "README.md").read_text()


def test_changed_file(copied: Path) -> None:
    """A file that is not the manifest's is refused by name."""
    with (copied / "table.npy").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EchoPulseError, match=r"table\.npy is not the file of its manifest"):
        read_manifest(copied)


def test_missing_file(copied: Path) -> None:
    """A missing file is named."""
    (copied / "table.npy").unlink()
    with pytest.raises(EchoPulseError, match=r"'table\.npy' of its manifest is missing"):
        read_manifest(copied)


def test_bad_manifest(copied: Path) -> None:
    """A manifest with an unknown field or none at all is told."""
    manifest = copied / MANIFEST
    manifest.write_text(manifest.read_text().replace('"kind"', '"kynd"'))
    with pytest.raises(EchoPulseError, match="manifest"):
        read_manifest(copied)
    manifest.unlink()
    with pytest.raises(EchoPulseError, match="is not a model"):
        read_manifest(copied)


def test_a_way_of_reading(copied: Path) -> None:
    """It is written where it is not the default alone, so that it changes no digest of those without."""
    manifest, digest = read_manifest(copied)
    assert manifest.reading == Reading()
    assert write_manifest(copied, manifest) == digest
    assert "reading" not in (copied / MANIFEST).read_text()
    other = manifest.model_copy(update={"reading": Reading(style="tweet", padding=1)})
    assert write_manifest(copied, other) != digest
    assert read_manifest(copied)[0] == other


def test_unknown_task_and_model() -> None:
    """A misspelt task or model names the near miss."""
    manifest, _ = read_manifest(find_artifact("default"))
    with pytest.raises(EchoPulseError, match="did you mean 'toxicity'"):
        manifest.task("toxcity")
    with pytest.raises(EchoPulseError, match="did you mean 'default'"):
        find_artifact("defalt")
