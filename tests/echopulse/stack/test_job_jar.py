"""The job's own Java classes, compiled by the locked compiler on the Java that is there."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

import pytest

from echopulse.stack.job_jar import job_jar
from schemas.errors import EchoPulseError
from tests.compiler_jar import link_compiler

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = 'package echopulse; public final class Named { public static final String NAME = "%s"; }\n'


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of jars that has the compiler already, where the cache has it."""
    return link_compiler(tmp_path_factory.mktemp("jars"))


def digest(jar: Path) -> str:
    """Return the sha256 of a jar's bytes."""
    return hashlib.sha256(jar.read_bytes()).hexdigest()


def test_the_jar_holds_the_factory_and_is_the_same_bytes_each_time(jars: Path) -> None:
    """Under one name, which follows the sources."""
    first = job_jar(jars)
    with zipfile.ZipFile(first) as archive:
        names = ["PackedBackend", "PackedValueState", "Precedence", "WindowsOnHeap", "WindowsOnHeapFactory"]
        assert archive.namelist() == [f"echopulse/{name}.class" for name in names]
    before = digest(first)
    first.unlink()
    again = job_jar(jars)
    assert (again, digest(again)) == (first, before)


def test_another_source_is_another_jar(jars: Path, tmp_path: Path) -> None:
    """A job never runs with the classes of an older source."""
    made = set()
    for name in ("one", "two"):
        (tmp_path / "Named.java").write_text(SOURCE % name, encoding="utf-8")
        made.add(job_jar(jars, tmp_path))
    assert len(made) == 2
    assert len({digest(jar) for jar in made}) == 2


def test_a_source_that_does_not_compile_is_named(jars: Path, tmp_path: Path) -> None:
    """And leaves nothing behind."""
    (tmp_path / "Broken.java").write_text('package echopulse; final class Broken { int x = "no"; }', encoding="utf-8")
    before = sorted(path.name for path in jars.iterdir())
    with pytest.raises(EchoPulseError, match=r"^the job's Java classes do not compile: .*Broken\.java") as refused:
        job_jar(jars, tmp_path)
    assert refused.value.hint == f"see {tmp_path}"
    assert sorted(path.name for path in jars.iterdir()) == before


def test_a_folder_without_sources_is_an_installation_that_lacks_them(jars: Path, tmp_path: Path) -> None:
    """One line with where they were looked for."""
    with pytest.raises(EchoPulseError, match=r"^flink: no Java source in ") as refused:
        job_jar(jars, tmp_path)
    assert str(tmp_path) in str(refused.value)
