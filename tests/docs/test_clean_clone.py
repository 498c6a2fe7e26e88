"""Whoever follows a page has nothing in the clone afterwards that git would ask about."""

from __future__ import annotations

import itertools
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.docs.test_commands import PAGES, ROOT, commands, named, written_files

if TYPE_CHECKING:
    from pathlib import Path

#: A file in the clone, or in a folder of the reader's there.
_FILE = re.compile(r"(?:my_\w+/)?[\w-]+(?:\.[a-z]+)*\.(?:csv|gz|jsonl|key|parquet|pem|txt|yaml)")


def left_behind(page: Path) -> set[str]:
    """What a page's commands write or read here and that does not ship; DIR is the reader's own."""
    found = {name for name, _ in written_files(page)}
    for words in commands(page):
        outputs = {after for before, after in itertools.pairwise(words) if before == "--output"}
        found |= {name for name in outputs if "://" not in name and not name.isupper()}
        found |= set(filter(_FILE.fullmatch, words))
        if "export" in words:
            found |= {f"{name}.manifest.json" for name in outputs if "://" not in name}
    return {name for name in found if not ships(name)}


def ships(name: str) -> bool:
    """Whether git tracks a file."""
    asked = subprocess.run(["git", "ls-files", "--error-unmatch", name], cwd=ROOT, check=False, capture_output=True)
    return asked.returncode == 0


def ignored(name: str) -> bool:
    """Whether git would pass over a file."""
    return subprocess.run(["git", "check-ignore", "--quiet", "--no-index", name], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_the_commands_leave_behind_is_ignored(page: Path) -> None:
    """Neither outputs nor what the page has its reader write shows as untracked."""
    assert [name for name in sorted(left_behind(page)) if not ignored(name)] == []


def test_the_check_is_not_blind() -> None:
    """It sees outputs, here documents and files that are read, and git does not ignore just anything."""
    found = left_behind(ROOT / "README.md")
    assert found >= {"chat.jsonl", "chat.csv", "gateway.yaml", "my_model", "my_tuned", "moments.csv", "set.parquet"}
    assert "production.yaml" in found
    assert ships("echopulse.example.yaml")
    assert ignored("echopulse.yaml")
    assert not ignored("chat.py")
    assert not ignored("features/views.py")
