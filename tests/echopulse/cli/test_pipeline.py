"""`echopulse pipeline` where it needs no Flink: names, and a cluster that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import FAILED, WRONG_USAGE, main
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, against a port where nobody listens."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_FLINK__REST", f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("command", ["run", "submit", "explain", "savepoint", "stop"])
def test_an_unknown_job_is_wrong_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the near miss, before any server is asked."""
    assert main(["pipeline", command, "signal"]) == WRONG_USAGE
    out, err = capsys.readouterr()
    assert (out, err) == ("", "echopulse: no job is called 'signal' (did you mean 'signals'?)\n")


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["savepoint"], ["stop", "signals"]])
def test_a_cluster_that_is_not_there_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, the address, and what to do."""
    assert main(["pipeline", *words]) == FAILED
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "the Flink cluster at http://127.0.0.1:" in err
    assert "echopulse status" in err


_STRATEGY = """
import pyarrow as pa
from transforms.strategy import Strategy


class Shout(Strategy):
    kind, name, type = "cluster", "shout", pa.string()

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        return {returned}
"""


@pytest.mark.parametrize(
    ("returned", "status", "told"),
    [
        ("batch.column('normalised')", 0, "cluster/shout: conforms\n"),
        ("batch.column('normalised').slice(1)", FAILED, "cluster/shout: "),
        (
            "pa.array([str(batch.num_rows)] * batch.num_rows, pa.string())",
            FAILED,
            "cluster/shout: gives 1 for 'fine' alone and 18 in a batch",
        ),
        ("pa.array([1] * batch.num_rows)", FAILED, "cluster/shout: gave int64, declared string"),
        ("1 / 0", FAILED, "cluster/shout: raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_strategy_is_held_against_the_contract(
    returned: str, status: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is told on stdout; a file with faults is one line on stderr and exit 1."""
    file = tmp_path / "shout.py"
    file.write_text(_STRATEGY.format(returned=returned), encoding="utf-8")
    assert main(["pipeline", "check-strategy", str(file)]) == status
    out, err = capsys.readouterr()
    assert out.startswith(told)
    assert err.count("\n") == (status == FAILED)
    assert (f"{file}: " in err) == (status == FAILED)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "strategy file shout.py is not there"),
        ("x = (", "shout.py:1: "),
        ("x = 1", "shout.py:1: no subclass of transforms.strategy.Strategy in this file"),
    ],
)
def test_a_file_without_strategies_is_one_line(
    text: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file and its line."""
    if text is not None:
        (tmp_path / "shout.py").write_text(text, encoding="utf-8")
    assert main(["pipeline", "check-strategy", "shout.py"]) == FAILED
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_strategies_are_checked_with_their_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the settings, of the kind and of the strategy alone."""
    (tmp_path / "own.py").write_text(
        "import pyarrow as pa\nfrom transforms.strategy import Strategy\n"
        'class Own(Strategy):\n    kind, name, type = "cluster", "own", pa.string()\n'
        "    def open(self, context):\n        self._said = context.options['a'] + context.options['b']\n"
        "    def analyze(self, batch):\n        return pa.array([self._said] * batch.num_rows, pa.string())\n",
        encoding="utf-8",
    )
    (tmp_path / "my.yaml").write_text("strategy_options: {cluster: {a: x}, cluster/own: {b: y}}\n", encoding="utf-8")
    assert main(["--config", "my.yaml", "pipeline", "check-strategy", "own.py"]) == 0
    assert capsys.readouterr().out == "cluster/own: conforms\n"
