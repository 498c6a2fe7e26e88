"""`echopulse drift`: what was learnt is shown, and what stands in the way is one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from echopulse.cli.main import main
from echopulse.drift.state import save
from echopulse.drift.watcher import opened
from echopulse.settings_sections import Drift
from transforms.drift_measures import MEASURES
from transforms.drift_monitor import SeriesKey
from transforms.drift_series import Series

if TYPE_CHECKING:
    from pathlib import Path

    from transforms.drift_measures import Measure


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, and no broker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    return tmp_path / "home"


def test_nothing_watched_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And is no failure."""
    assert main(["drift", "show"]) == 0
    assert capsys.readouterr().out == "nothing has been watched yet\n"
    assert not home.exists()


def test_series_are_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is learning, one that is held against its baseline."""
    watcher = opened(Drift())
    monitor = watcher.monitor

    def filled(measure: Measure, panes: int) -> Series:
        series = Series(measure, monitor.series_rules)
        rows = panes * 1_000
        series.add(np.random.default_rng(1).beta(4, 16, rows), np.arange(rows))
        return series

    monitor.series[SeriesKey("toxicity", "x", "m")] = filled(MEASURES["toxicity"], 41)
    monitor.series[SeriesKey("hate", "x", "m")] = filled(MEASURES["hate"], 3)
    save(home / "drift" / "state.json", watcher, {})
    assert main(["drift", "show", "--json"]) == 0
    hate, toxicity = json.loads(capsys.readouterr().out)["series"]
    assert (hate["measure"], hate["learning"], hate["psi"], hate["tested"]) == ("hate", 3, None, 0)
    assert (toxicity["group"], toxicity["learning"], toxicity["tested"], toxicity["drifted"]) == ("x", None, 1, False)
    assert 0 < toxicity["psi"] < 0.1
    assert main(["drift", "show"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["group", "task", "measure", "model", "panes", "PSI", "KS"]
    assert lines[0].split() == ["x", "toxicity", "hate", "m", "3/40", "learning"]
    group, task, measure, model, panes, psi, _ = lines[1].split()
    assert (group, task, measure, model, panes) == ("x", "toxicity", "toxicity", "m", "1")
    assert psi == f"{toxicity['psi']:.3f}"
    assert heading.index("PSI") + 3 == lines[1].index(psi) + len(psi)


def test_no_broker_is_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    """As for every command."""
    del home
    monkeypatch.setenv("ECHOPULSE_DRIFT__METRICS_PORT", str(unused_tcp_port))
    monkeypatch.setattr("echopulse.gateway.topics_admin.TIMEOUT_S", 0.5)
    assert main(["drift", "watch"]) == 1
    assert capsys.readouterr().err.startswith("echopulse: no Kafka broker answers at 127.0.0.1:1")
