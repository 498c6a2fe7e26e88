"""`echopulse up`: what it refuses before anything is started, and how it tells its report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import FAILED, WRONG_USAGE, main
from echopulse.cli.output import emit
from echopulse.cli.up import _told, _where
from echopulse.job.replay_run import ReplayRun
from echopulse.stack import ServiceState

if TYPE_CHECKING:
    from echopulse.stack.spec import Phase

OUTCOME = ReplayRun(
    events_in=12_345,
    analysed=12_000,
    dlq=300,
    repeats=45,
    late=7,
    shadow=15,
    abstained={"sentiment": {"de": 30, "fr": 10}, "toxicity": {"de": 2}},
    without_text=4,
    feature_rows=2_000,
    unaccounted=0,
    events_per_second=9_876.5,
    analysis_latency_ms={"p50": 800.0, "p99": 1_500.5},
    feature_freshness_ms={"p50": None, "p99": None},
    view_freshness_ms={"channel_1m": {"p50": 9_000.0, "p99": 15_500.0, "limit": 16_000.0}},
    delivery="exactly-once",
    restarts=0,
    seconds=1.25,
    start_seconds=30.0,
    aligned_end_ms=None,
)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--until-idle"], WRONG_USAGE, "--until-idle needs a replay to come to the end of (add --replay FILE)"),
        (["--replay", "gone.jsonl"], FAILED, "gone.jsonl"),
        (["--replay", "chat.jsonl", "--rate", "0"], WRONG_USAGE, "rate"),
        (["--replay", "chat.jsonl", "--map", "id"], WRONG_USAGE, "id"),
        (
            ["--replay", "chat.csv", "--map", "user=usr_id"],
            FAILED,
            "'usr_id' for user (did you mean 'user_id'?",
        ),
        (["--replay", "chat.jsonl", "--until-idl"], WRONG_USAGE, "Did you mean --until-idle?"),
        (["--config", "gone.yaml"], FAILED, "gone.yaml: no such settings file"),
    ],
)
def test_what_cannot_work_is_told_in_a_line_and_starts_nothing(
    arguments: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code, one line on stderr, nothing on stdout, no folder made."""
    (tmp_path / "chat.jsonl").write_text("{}\n")
    (tmp_path / "chat.csv").write_text("id,ts,source,channel,user_id\n")
    assert main(["up", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("echopulse: ")
    assert err.count("\n") == 1
    assert said in err
    assert {path.name for path in tmp_path.iterdir()} == {"chat.jsonl", "chat.csv"}


@pytest.mark.parametrize(
    ("phase", "told"),
    [
        ("ready", "mlflow: http://127.0.0.1:18500"),
        ("waiting", "mlflow: being installed, then at http://127.0.0.1:18500"),
        ("fetching", "mlflow: being installed, then at http://127.0.0.1:18500"),
        ("starting", "mlflow: starting, then at http://127.0.0.1:18500"),
        ("failed", "mlflow: failed: no index answers"),
    ],
)
def test_where_a_service_is(phase: Phase, told: str) -> None:
    """An address stands alone only once something answers there."""
    state = ServiceState("mlflow", phase, "http://127.0.0.1:18500", Path("mlflow.log"), detail="no index answers")
    assert _where(state) == told


def test_the_report_in_text() -> None:
    """Counts, speed and times, each with its unit."""
    assert _told(OUTCOME).splitlines() == [
        "12,345 events in: 12,000 analysed (7 of them late), 300 dead letters, 45 repeats, 0 unaccounted",
        "not scored for their language: sentiment 40, toxicity 2; without a text: 4; said in shadow: 15",
        "2,000 feature rows; 9,876 events/s (exactly-once)",
        (
            "event to committed result p50 800.0 ms, p99 1500.5 ms; "
            "window to readable feature not measured (too few events)"
        ),
    ]


def test_the_report_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Every field under its own name."""
    emit(asdict(OUTCOME), json=True, text="")
    document = json.loads(capsys.readouterr().out)
    assert document == asdict(OUTCOME)
