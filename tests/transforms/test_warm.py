"""Kernels compiled ahead, and where to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transforms import kernels
from transforms.kernels import SOURCES
from transforms.warm import warm


def test_all_kernels() -> None:
    """Every kernel module is imported, and those that bring loops of their own."""
    assert warm(["echopulse.training.descent"]) == warm([]) + 1 >= 6
    assert "echopulse.training.descent" in sys.modules


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"NUMBA_CACHE_DIR": "{0}/own"}, "{0}/own"),
        ({"NUMBA_CACHE_DIR": f"{{0}}/own/{SOURCES}"}, "{0}/own"),
        ({"ECHOPULSE_CACHE": "{0}"}, "{0}/numba"),
        ({}, "{0}/.cache/echopulse/numba"),
    ],
)
def test_cache_folder(tmp_path: Path, variables: dict[str, str], folder: str) -> None:
    """The compiled kernels lie where the environment says, else in the user's cache, in a folder of their sources."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "ECHOPULSE_CACHE"}
    }
    environment |= {"HOME": str(tmp_path)} | {name: value.format(tmp_path) for name, value in variables.items()}
    program = "from transforms import kernels; print(kernels.numba.config.CACHE_DIR)"
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"{folder.format(tmp_path)}/{SOURCES}"


def test_compiling_is_told_once(tmp_path: Path) -> None:
    """A line on stderr before a loop is compiled; none where it is there; one where its source is newer."""
    source = tmp_path / "loops.py"
    source.write_text(
        "from transforms.kernels import compiled\n"
        "@compiled('i8(i8)')\ndef one(n):\n    return n\n"
        "@compiled('i8(i8)')\ndef two(n):\n    return n + one(n)\n"
        "print(two(1))\n"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
    folder = tmp_path / "cache" / SOURCES
    lines = [f"compiling __main__.{name} once, some seconds, into {folder}\n" for name in ("one", "two")]

    def said() -> str:
        done = subprocess.run(
            [sys.executable, source], env=environment, capture_output=True, text=True, check=True, timeout=100
        )
        assert done.stdout == "2\n"
        return done.stderr

    assert [said(), said()] == ["".join(lines), ""]
    newer = time.time_ns() + 10_000_000_000
    os.utime(source, ns=(newer, newer))
    assert said() == "".join(lines)


def test_what_is_compiled() -> None:
    """The kernels of this package in one line for all; a loop that another module brings by its name."""
    bag, text = (kernels._compiling(f"transforms.kernels.{name}", "loop") for name in ("bag", "text"))
    assert bag == text == "compiling the kernels once, about a minute"
    trained = kernels._compiling("echopulse.training.descent", "descend")
    assert trained == "compiling echopulse.training.descent.descend once, some seconds"


def test_another_kernel_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compiled from other sources is not found again: numba itself looks at no file but a kernel's own."""
    changed = Path(kernels.__file__).with_name("spelling.py")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path == changed))
    assert kernels._sources() != SOURCES
    monkeypatch.undo()
    assert kernels._sources() == SOURCES
