"""`echopulse dlq`: what it prints, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.cli.main import main
from tests.echopulse.dead_letters.letters import content, event, write_letters

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def broker(bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A broker with two letters that would go through and one that would not, named in the settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", bootstrap)
    write_letters(
        bootstrap,
        content(event("a"), stage="analyse", reason="strategy failed on 'a'"),
        content(event("b"), stage="analyse", reason="strategy failed on 'b'"),
        content(b"\xff", stage="decode", reason="unexpected EOF"),
    )
    return bootstrap


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["dlq", *arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    document: dict[str, object] = orjson.loads(printed.out)
    return document


def test_ls_show_and_replay_in_json(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One document each, and nothing on stderr."""
    del broker
    listed = _json(capsys, "ls")
    assert (listed["waiting"], listed["replayed"]) == (3, 0)
    assert listed["counts"] == {"analyse": {"strategy failed on …": 2}, "decode": {"unexpected EOF": 1}}
    letters = listed["letters"]
    assert isinstance(letters, list)
    shown = _json(capsys, "show", letters[0]["id"])
    assert shown["id"] == letters[0]["id"]
    planned = _json(capsys, "replay", "--dry-run")
    assert (planned["replayed"], planned["still_failing"], planned["dry_run"]) == (2, 1, True)
    assert _json(capsys, "replay", "--stage", "analyse")["replayed"] == 2
    assert _json(capsys, "ls")["waiting"] == 1
    assert _json(capsys, "ls", "--all", "--limit", "1")["replayed"] == 2


def test_ls_show_and_replay_for_a_person(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in words."""
    del broker
    assert main(["dlq", "ls", "--stage", "decode"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1 dead letter waiting, 0 replayed\n\ndecode: 1\n          1  unexpected EOF\n")
    head, reason = printed.splitlines()[-2:]
    assert head.split()[2:] == ["decode", "-", "social.events/0/7"]
    assert reason == "    unexpected EOF"
    letter = next(word for word in printed.split() if word.startswith("social.dlq-"))
    assert main(["dlq", "show", letter]) == 0
    shown = capsys.readouterr().out
    for told in ("stage     decode", "record 7 of partition 0 of social.events", "00000000  ff", "would fail again"):
        assert told in shown
    assert main(["dlq", "replay"]) == 0
    replayed = capsys.readouterr().out
    assert replayed.startswith("2 replayed in ")
    assert "1 would fail again and stay:" in replayed
    assert main(["dlq", "replay", "--dry-run"]) == 0
    assert "2 were replayed before" in capsys.readouterr().out


def test_ls_names_the_line_of_a_file(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That the letter was made of: it is where a person mends it."""
    write_letters(broker, content(b"{", stage="parse", origin="/data/chat.jsonl:17", reason="not JSON"))
    assert main(["dlq", "ls", "--stage", "parse"]) == 0
    head, reason = capsys.readouterr().out.splitlines()[-2:]
    assert head.split()[2:] == ["parse", "-", "/data/chat.jsonl:17"]
    assert reason == "    not JSON"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ls", "--stage", "analyze"], "--stage analyze: no such stage (did you mean 'analyse'?)"),
        (["ls", "--limit", "0"], "--limit must be 1 or more, found 0"),
        (["replay", "--attempts", "0"], "--attempts must be 1 or more, found 0"),
        (["replay", "--since", "soon"], "--since soon is not a time (like 2026-01-31T12:00:00Z, 90s, 30m, 2h or 7d)"),
        (
            ["show", "17"],
            "'17' is not the id of a dead letter (like social.dlq-0-17; `echopulse dlq ls` has them)",
        ),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked of a broker; exit code 2."""
    assert main(["dlq", *arguments]) == 2
    assert capsys.readouterr().err == f"echopulse: {told}\n"


def test_a_mapping_that_is_not_there_is_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    """With the near miss."""
    assert main(["dlq", "replay", "--mapping", "bluesk"]) == 1
    assert "did you mean 'bluesky'?" in capsys.readouterr().err
