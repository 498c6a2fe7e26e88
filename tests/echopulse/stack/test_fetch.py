"""Downloading and checking jars, from a Maven repository on this machine."""

from __future__ import annotations

import gc
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import stamina

from echopulse.stack.fetch import WrongDigestError, fetch, missing
from echopulse.stack.jars import Jar
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from echopulse.stack.jars import JarGroup

    from .conftest import Repository


@pytest.fixture(autouse=True)
def _answers_left_open() -> Iterator[None]:
    """Collect the refusals that jgo drops without closing, here and not in whichever test comes next."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


def test_jars_are_fetched_once(repository: Repository, group_of: Callable[..., JarGroup], tmp_path: Path) -> None:
    """The bytes arrive, are counted, and are not fetched again."""
    jars = [repository.publish(f"org.example:part{n}:1.{n}", b"x" * (1000 + n)) for n in range(3)]
    group = group_of(*jars)
    counted: list[int] = []
    paths = fetch(group, tmp_path / "jars", counted.append)
    assert [path.name for path in paths] == ["part0-1.0.jar", "part1-1.1.jar", "part2-1.2.jar"]
    assert [path.stat().st_size for path in paths] == [1000, 1001, 1002]
    assert sum(counted) == group.size
    fetch(group, tmp_path / "jars", counted.append)
    assert sum(counted) == group.size
    assert sorted(path.name for path in (tmp_path / "jars").iterdir()) == [path.name for path in paths]


def test_a_damaged_file_is_fetched_anew(
    repository: Repository, group_of: Callable[..., JarGroup], tmp_path: Path
) -> None:
    """A cached file of the right size but with other bytes is seen by its digest and replaced."""
    group = group_of(repository.publish("org.example:part:1", b"right"))
    (path,) = fetch(group, tmp_path / "jars")
    path.write_bytes(b"wrong")
    assert missing(group, tmp_path / "jars") == list(group.jars)
    fetch(group, tmp_path / "jars")
    assert path.read_bytes() == b"right"


def test_a_wrong_digest_keeps_nothing(
    repository: Repository, group_of: Callable[..., JarGroup], tmp_path: Path
) -> None:
    """Bytes that are not the locked ones are refused by name, and leave no file."""
    jar = replace(repository.publish("org.example:part:1", b"other"), sha256="0" * 64)
    with pytest.raises(WrongDigestError, match=r"org\.example:part:1 arrived with sha256 d9298a10"):
        fetch(group_of(jar), tmp_path / "jars")
    assert list((tmp_path / "jars").iterdir()) == []


@pytest.mark.usefixtures("repository")
def test_a_jar_that_is_not_there_is_one_clear_line(group_of: Callable[..., JarGroup], tmp_path: Path) -> None:
    """A failed download names the coordinate and where a mirror is set."""
    with pytest.raises(EchoPulseError, match=r"cannot download org\.example:none:1.*jgo"):
        fetch(group_of(Jar("org.example:none:1", "0" * 64, 1)), tmp_path / "jars")
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_line(
    repository: Repository, group_of: Callable[..., JarGroup], tmp_path: Path
) -> None:
    """A file where the cache should be is named with the setting that moves it."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(EchoPulseError, match=r"cannot keep jars in .*set `cache`"):
        fetch(group_of(repository.publish("org.example:part:1", b"x")), tmp_path / "cache" / "jars")
