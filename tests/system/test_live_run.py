"""`echopulse run`: from nothing to live features and back to nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.system.own_stack import echopulse, left_running, own_settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(600)]


def test_run_shows_live_features_and_leaves_nothing(tmp_path: Path) -> None:
    """It ends by itself with channels whose features came back through Feast; no process stays behind."""
    settings = own_settings(tmp_path / "home")
    done = echopulse(settings, "run", "--seconds", "20", "--json", timeout_s=550)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["analysed"] > 0
    assert outcome["events_in"] >= outcome["analysed"]
    assert outcome["channels"]
    for channel in outcome["channels"]:
        assert channel["message_count"] >= channel["distinct_users"] > 0
        assert channel["mean_toxicity"] is None or 0 <= channel["mean_toxicity"] <= 1
    # In some channels of the simulator another language than English is spoken: nobody scored those.
    assert any(channel["mean_toxicity"] is not None for channel in outcome["channels"])
    assert "live features after" in done.stderr
    assert left_running(settings.home) == []
