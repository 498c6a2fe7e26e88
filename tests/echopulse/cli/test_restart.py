"""What a changed source touches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from echopulse.cli import restart
from echopulse.cli.restart import Restarter, touched
from echopulse.settings import Settings

if TYPE_CHECKING:
    from echopulse.cli.run import Simulator

_ROOT = Path("/project")
_DEADLINE_S = 30


@pytest.mark.parametrize(
    ("changed", "job", "simulator"),
    [
        ("features/views.py", True, False),
        ("transforms/knowledge/entities.jsonl", True, False),
        ("features/machinery/write_newest.lua", True, False),
        ("pipelines/signals.py", True, False),
        ("schemas/social_event.proto", True, True),
        ("echopulse/gateway/scenarios/default.yaml", False, True),
        ("echopulse/cli/live_table.py", False, False),
        ("features/views.py.swp", False, False),
        ("features/__pycache__/views.cpython-311.pyc", False, False),
        ("README.md", False, False),
        ("/elsewhere/features/views.py", False, False),
    ],
)
def test_a_change_touches_what_is_made_of_it(changed: str, job: bool, simulator: bool) -> None:  # noqa: FBT001 - a table
    """The job, the simulator, both or neither."""
    assert touched([_ROOT / changed], _ROOT) == (job, simulator)


def test_nothing_changed_touches_nothing() -> None:
    """An empty set is the usual case: once a second."""
    assert touched([], _ROOT) == (False, False)


class _Restarts:
    """Counts, where the owner's simulator would restart."""

    count = 0

    def restart(self) -> None:
        """Count."""
        self.count += 1


def test_a_saved_source_restarts_the_simulator_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real files are watched; the second look finds nothing new."""
    for folder in ("schemas", "transforms", "features", "pipelines", "echopulse/gateway"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(restart, "_ROOT", tmp_path)
    monkeypatch.setattr(restart.touched, "__defaults__", (tmp_path,))
    simulator, said = _Restarts(), list[str]()
    watched: Simulator = simulator  # type: ignore[assignment]
    with Restarter(Settings(), enabled=True, say=said.append) as restarter:
        deadline = time.monotonic() + _DEADLINE_S
        while not simulator.count and time.monotonic() < deadline:
            # Written again and again, because the watch may begin after the first time.
            (tmp_path / "echopulse" / "gateway" / "words.yaml").write_text(f"n: {time.monotonic()}")
            restarter.restart_changed(watched)
            time.sleep(0.1)
    assert simulator.count == 1
    assert said == ["sources of the simulator changed: restarting it"]


def test_without_dev_nothing_is_watched(tmp_path: Path) -> None:
    """A plain run restarts nothing."""
    simulator = _Restarts()
    watched: Simulator = simulator  # type: ignore[assignment]
    with Restarter(Settings(home=tmp_path), enabled=False, say=pytest.fail) as restarter:
        restarter.restart_changed(watched)
    assert simulator.count == 0
