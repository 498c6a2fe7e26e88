"""The command `ingest replay`: how wrong calls and its report are told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.cli.ingest import _told
from echopulse.cli.main import main
from echopulse.gateway.replay import ReplayReport

if TYPE_CHECKING:
    import pytest

GOLDEN = Path(__file__).parent / "golden" / "ingest_errors.txt"

#: Wrong calls and what a person can mend; none of them reaches for Kafka.
CALLS = (
    "ingest replay",
    "ingest replay chta.jsonl",
    "ingest replay chat.jsonll",
    "ingest replay chat",
    "ingest replay folder.csv",
    "ingest replay -",
    "ingest replay - --loop --keep-time",
    "ingest replay chat.jsonl --rate -5",
    "ingest replay chat.jsonl --rate fast",
    "ingest replay chat.jsonl --map idd=message",
    "ingest replay chat.jsonl --map id",
    "ingest replay chat.jsonl --loop --keep-time",
)


def test_wrong_calls_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the near miss where there is one; the exit code says whose fault it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chat.jsonl").touch()
    (tmp_path / "folder.csv").mkdir()
    told = ""
    for call in CALLS:
        code = main(call.split())
        told += f"$ echopulse {call}\n{capsys.readouterr().err}exit {code}\n\n"
    assert told == GOLDEN.read_text(encoding="utf-8")


def test_no_broker_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the address that the settings name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr("echopulse.gateway.topics_admin.TIMEOUT_S", 1.0)
    (tmp_path / "chat.jsonl").touch()
    assert main(["ingest", "replay", "chat.jsonl"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("echopulse: no Kafka broker answers at 127.0.0.1:1: ")
    assert error.count("\n") == 1


def test_the_report_is_told_in_lines() -> None:
    """Nothing sent, nothing told of times."""
    full = ReplayReport(120_000, 3, 1_700_000_000_000, 1_700_000_001_500, 1_700_000_100_000, 5, 2.0)
    assert _told(full) == (
        "120,000 events, 3 dead letters in 2.0 s, 60,000 a second\n"
        "event times 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:21.500Z, moved by 5 ms\n"
        "windows up to 2023-11-14T22:15:00.000Z may fire"
    )
    assert _told(ReplayReport(0, 0, None, None, None, 0, 0.0)) == "0 events, 0 dead letters in 0.0 s"
