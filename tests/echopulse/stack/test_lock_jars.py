"""Writing the locked list."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from echopulse.stack.jars import JarGroup, read_lock
from echopulse.stack.lock_jars import render, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Repository


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """The text of the real list, and of one with exclusions, says the same after a round trip."""
    groups = [*read_lock().values(), JarGroup("other", ("a:b:1",), transitive=True, exclude=("c:d",), jars=())]
    (tmp_path / "jars.toml").write_text(render(groups))
    assert read_lock(tmp_path / "jars.toml") == {group.name: group for group in groups}


def test_dependencies_are_followed_and_exclusions_left_out(repository: Repository, tmp_path: Path) -> None:
    """A transitive group holds what its roots need at run time, less the exclusions; another only its roots."""
    repository.publish("org.example:leaf:2", b"leaf")
    repository.publish("org.example:tool:3", b"tool")
    repository.publish("org.example:root:1", b"root", ("org.example:leaf:2", "org.example:tool:3"))
    group = JarGroup("test", ("org.example:root:1",), transitive=True, exclude=("org.example:tool",), jars=())
    locked = resolve(group, tmp_path / "m2")
    assert {jar.coordinate: jar.sha256 for jar in locked.jars} == {
        "org.example:leaf:2": hashlib.sha256(b"leaf").hexdigest(),
        "org.example:root:1": hashlib.sha256(b"root").hexdigest(),
    }
    alone = resolve(JarGroup("test", ("org.example:root:1",), transitive=False, exclude=(), jars=()), tmp_path / "m2")
    assert [jar.coordinate for jar in alone.jars] == ["org.example:root:1"]
