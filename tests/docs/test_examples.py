"""The examples of the documentation name what a newcomer's stack has."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.json
import pytest

from echopulse.cli.main import main

ROOT = Path(__file__).parents[2]
_SIMULATED = re.compile(r"\b(?:twitch|discord|slack|x)-[a-z]+\d+\b")


@pytest.mark.parametrize("seed", ["1", "7"])
def test_users_are_the_simulators(seed: str, tmp_path: Path) -> None:
    """Each has spoken after five thousand events, whatever the seed."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {user for page in pages for user in _SIMULATED.findall(page.read_text(encoding="utf-8"))}
    assert named
    file = tmp_path / "chat.jsonl"
    assert main(["ingest", "sim", "--events", "5000", "--seed", seed, "--output", str(file)]) == 0
    users = pc.unique(pyarrow.json.read_json(file).column("user")).to_pylist()
    assert named - set(users) == set()
