"""`echopulse score`: texts by arguments and by lines, for a person and as a document."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.cli import score
from echopulse.cli.main import main
from tests.echopulse.job.test_text_scores import BREAKS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """A line a task, and why a text was not scored."""
    assert main(["score", "I hate you, idiot from London", "Das ist ein sehr schöner Tag, und ich freue mich", ""]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["I", "hate", "you,", "idiot", "from", "London"]
    assert lines[1][:2] == ["sentiment", "negative"]
    assert lines[2][:2] == ["toxicity", "toxic"]
    assert 0 < float(lines[2][2]) <= 1
    assert ["entities", "London", "(place:london)"] in lines
    (scores,) = (line for line in lines if line[:1] == ["scores"])
    assert scores[1::2] == ["offensive", "hate"]
    assert all(0 < float(value.rstrip(",")) < 1 for value in scores[2::2])
    assert out.splitlines()[1].index("negative") == out.splitlines()[2].index("toxic", 12)
    assert out.endswith(
        "Das ist ein sehr schöner Tag, und ich freue mich\n"
        "  sentiment  not scored: the model does not know the language 'de'\n"
        "  toxicity   not scored: the model does not know the language 'de'\n"
        "\n"
        "  sentiment  not scored: no text\n"
        "  toxicity   not scored: no text\n"
    )


def test_a_text_that_begins_with_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    """Is a text."""
    assert main(["score", "-1 for this", "--json"]) == 0
    assert [one["text"] for one in orjson.loads(capsys.readouterr().out)["texts"]] == ["-1 for this"]


def test_lines_of_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a text, asked of the model that is named."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("good morning\nyou idiot\r\n"))
    assert main(["score", "-", "--model", "default", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = orjson.loads(out)["texts"]
    assert [(one["text"], one["tasks"]["offensive"]["label"]) for one in found] == [
        ("good morning", "not_offensive"),
        ("you idiot", "offensive"),
    ]


def test_too_many_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Are a file for the job."""
    monkeypatch.setattr(score, "MOST_TEXTS", 2)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\nb\nc\n"))
    assert main(["score", "-"]) == 1
    told = "more than 2 lines (`echopulse up --replay FILE` analyses any number)"
    assert capsys.readouterr() == ("", f"echopulse: {told}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, 'no text given (echopulse score "what a great stream"; - reads lines from standard input)'),
        (["hello", "--modle", "default"], 2, "unknown option '--modle' (did you mean '--model'?)"),
        (["hello", "--model", "defalt"], 1, "did you mean 'default'"),
        (["hello", "--model", "sentiment@champion"], 1, "the registry is kept by MLflow, and there is none"),
    ],
)
def test_faults(arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    assert main(["score", *arguments]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_a_strategy_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others' answers are printed, and it ends with 1."""
    (tmp_path / "breaks.py").write_text(BREAKS)
    (tmp_path / "echopulse.yaml").write_text("strategy_paths: [.]\nstrategies: {toxicity: breaks}\n")
    assert main(["score", "fine", "boom"]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("boom\n  failed: toxicity by 'breaks': ValueError: no boom\n")
    assert err == "echopulse: 1 text could not be scored: toxicity by 'breaks': ValueError: no boom\n"
