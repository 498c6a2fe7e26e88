"""What the follower says where the registry is away."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from echopulse.registry.follow import follow
from echopulse.registry.opening import opened_store
from echopulse.settings import Settings
from echopulse.settings_sections import Tracking

if TYPE_CHECKING:
    from pathlib import Path


def test_a_registry_that_is_away_is_told_and_writes_nothing(tmp_path: Path) -> None:
    """The timeline that workers have is left as it is."""
    stop, lines = threading.Event(), list[str]()

    def say(line: str) -> None:
        lines.append(line)
        stop.set()

    settings = Settings(home=tmp_path, tracking=Tracking(uri="http://127.0.0.1:1"))
    with opened_store(settings) as store:
        assert follow(store, tmp_path / "models", ["hate"], 300, stop, say) == 0
    (line,) = lines
    assert line.startswith("MLflow at http://127.0.0.1:1 is away: ")
    assert line.endswith("; workers wait if it lasts")
    assert not (tmp_path / "models" / "timeline").exists()
