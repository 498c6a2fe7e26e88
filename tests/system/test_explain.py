"""The plan of the job, as the command prints it; no server is needed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from echopulse.job.submit import FEATURES
from features.machinery.catalog import compiled_views
from tests.system.own_stack import echopulse, own_settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


SHADOW = {"ECHOPULSE_SHADOW": '{"toxicity": ["perspective"]}', "PERSPECTIVE_ENDPOINT": "http://127.0.0.1:9/"}


@pytest.mark.parametrize("more", [{}, SHADOW], ids=["plain", "shadow"])
def test_the_analysis_is_planned_once(tmp_path: Path, more: dict[str, str]) -> None:
    """All sinks share one Python operator for the analysis; each view, its silences, and crowd windows have their own.

    No table of panes is made twice. The machine needs no Java. A strategy in shadow adds a sink and no operator.
    """
    settings = own_settings(tmp_path / "home")
    changed = {"PATH": str(tmp_path), "JAVA_HOME": "", **more}
    done = echopulse(settings, "pipeline", "explain", "signals", "--json", timeout_s=250, changed=changed)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["analysis_operators"] == 1
    assert ("social_shadow" in document["plan"]) == bool(more)
    writers = {name: count for name, count in document["python_operators"].items() if name.startswith("write_")}
    crowd = {name: count for name, count in document["python_operators"].items() if name.startswith("crowd_")}
    assert crowd == {"crowd_pane": 1, "crowd_merge": 1, "crowd_scope": 1, "crowd_conversations": 1}
    views = [f"{who}_{window}" for who in ("channel", "user") for window in ("1m", "5m", "1h")]
    assert writers == {f"write_{view}{rows}": 1 for view in views for rows in ("", "_silence")}
    compiled = compiled_views(FEATURES, settings.home)
    tables = {each for view in compiled for each in view.panes}
    executed = document["plan"].partition("== Optimized Execution Plan ==")[2]
    grouped = sum("GROUP BY" in sql for sql in [*(each.sql for each in tables), *(view.spoken for view in compiled)])
    assert executed.count("WindowAggregate(") == grouped + len(crowd)
    # Of one input it would be one task with all that is before it, and windows would wait for the object store.
    assert re.search(r"Sink\(table=\[default_catalog.default_database.lake_events\][^\n]*\n\+- Union\(", executed)
