"""`make build` and the other targets that a person types."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"schemas", "transforms", "features", "pipelines", "echopulse"}


def _make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # Only what the test gives: a `make test` around it must not hand down its own variables.
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=100, check=False, env=environment
    )


def test_help_lists_every_target() -> None:
    """Whatever is phony is explained."""
    phony = next(line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if ".PHONY" in line)
    listed = [line.split()[0] for line in _make().stdout.splitlines()]
    assert sorted(listed) == sorted(phony.split()[1:])


@pytest.mark.parametrize("tag", ["", "1.2.0", "v1.2", "v1.2.0-rc1", "v01.2.0", "v1.2.0; true"])
def test_a_tag_of_another_form_is_refused(tag: str) -> None:
    """One line says what is expected."""
    done = subprocess.run(["infra/build", tag], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr == f"build: TAG is '{tag}', expected vMAJOR.MINOR.PATCH (make build TAG=v1.2.0)\n"


def _project_files() -> list[str]:
    """Return what git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def _build(copy: Path, tag: str) -> subprocess.CompletedProcess[str]:
    """Build a release from a copy of the project's files, with the environment of this one."""
    for name in _project_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(copy.parent), "DOCKER_HOST": "unix:///nonexistent"}
    command = ["infra/build", tag]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=100, check=False, env=environment)


def test_release_has_its_version_stubs_and_data(tmp_path: Path) -> None:
    """A release of a tag holds the generated stubs and every file that lies in the packages, and nothing else."""
    done = _build(tmp_path / "project", "v9.8.7")
    assert done.returncode == 0, done.stderr
    assert "image skipped, no Docker engine answers" in done.stderr
    assert (tmp_path / "project" / "dist" / "echopulse-9.8.7.tar.gz").is_file()
    with zipfile.ZipFile(tmp_path / "project" / "dist" / "echopulse-9.8.7-py3-none-any.whl") as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert b"Version: 9.8.7\n" in wheel.read("echopulse-9.8.7.dist-info/METADATA")
    stubs = {name for name in names if re.search(r"_pb2(_grpc)?\.pyi?$", name)}
    assert stubs >= {"schemas/social_event_pb2.py", "schemas/social_event_pb2.pyi"}
    assert names - stubs == {name for name in _project_files() if name.split("/")[0] in PACKAGES}
