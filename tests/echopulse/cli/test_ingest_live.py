"""`ingest sim|websocket|sse` on the command line: files, broken calls, and a run against broker and server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.cli.ingest_source import parse_headers
from echopulse.cli.main import main
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

GOLDEN = Path(__file__).parent / "golden" / "ingest_live_errors.txt"

#: Wrong calls and what a person can mend; none of them reaches for Kafka.
CALLS = (
    "ingest sim --scenario calm.yaml",
    "ingest sim --rate 0",
    "ingest sim --events -1",
    "ingest sim --seed -1 --output a.jsonl",
    "ingest sim --output events.jsnl",
    "ingest sim --output events.jsonl --start soon",
    "ingest sim --start 2026-01-01T00:00:00Z",
    "ingest websocket",
    "ingest websocket wss://host/ --mapping blueski",
    "ingest websocket https://host/ --mapping bluesky",
    "ingest websocket wss://host/ --mapping bluesky --attempts 0",
    "ingest websocket wss://host/ --mapping bluesky --frames 0",
    "ingest websocket wss://host/ --mapping broken.yaml",
    "ingest sse wss://host/ --mapping wikimedia",
    "ingest sse https://host/ --mapping wikimedia --header Authorization",
    "ingest sse https://host/ --mapping wikimedia --header Authorization=env:NO_SUCH_VARIABLE",
)


def _run(call: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(call)
    output = capsys.readouterr()
    return code, output.out, output.err


def test_wrong_calls_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the near miss where there is one; the exit code says whose fault it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raid.yaml").touch()
    (tmp_path / "broken.yaml").write_text("source: s\nidd: a\nts: b\nchannel: c\nuser: d\n")
    told = ""
    for call in CALLS:
        code, _, error = _run(call.split(), capsys)
        told += f"$ echopulse {call}\n{error}exit {code}\n\n"
    assert told == GOLDEN.read_text(encoding="utf-8")


def test_the_same_seed_writes_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Byte for byte, with the same start."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.jsonl", "b.jsonl"):
        call = ["ingest", "sim", "--events", "2000", "--seed", "5", "--start", "2026-01-01T00:00:00Z", "--output", name]
        code, out, _ = _run([*call, "--json"], capsys)
        document = orjson.loads(out)
        assert (code, document["events"], document["first_ts_ms"]) == (0, 2_000, 1_767_225_600_000)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_a_file_without_a_limit_holds_a_cycle_and_names_what_was_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document tells the phases with their times."""
    monkeypatch.chdir(tmp_path)

    code, out, _ = _run(["ingest", "sim", "--rate", "20", "--output", "a.parquet", "--json"], capsys)
    document = orjson.loads(out)

    assert code == 0
    assert 11_000 < document["events"] < 13_000
    assert [phase["kind"] for phase in document["phases"]] == [
        "hype",
        "raid",
        "trend",
        "calm",
        "brigading",
        "spam",
        "hype",
    ]
    assert document["phases"][1]["accounts"] == 600


def test_standard_output_holds_events_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The summary goes to standard error."""
    monkeypatch.chdir(tmp_path)

    code, out, error = _run(["ingest", "sim", "--events", "10", "--output", "-"], capsys)

    assert code == 0
    assert len([orjson.loads(line) for line in out.splitlines()]) == 10
    assert error.startswith("10 events of 'ten communities', seed 0\n")


def test_headers_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no secret stands on the command line."""
    monkeypatch.setenv("SOME_TOKEN", "Bearer x=y")

    assert parse_headers(["A=b=c", "Authorization=env:SOME_TOKEN"]) == {"A": "b=c", "Authorization": "Bearer x=y"}
    with pytest.raises(UsageError, match="no variable NO_SUCH"):
        parse_headers(["A=env:NO_SUCH"])
