"""The command line: what it lists, how it ends, what it says."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from echopulse.cli import main as cli

if TYPE_CHECKING:
    from pathlib import Path


LOGGING_COMMAND = """
import logging, stamina
from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.telemetry import logger

def run(*, options: GlobalOptions = NO_OPTIONS) -> None:
    for attempt in stamina.retry_context(on=OSError, attempts=2, wait_initial=0, wait_max=0, wait_jitter=0):
        with attempt:
            if attempt.num == 1:
                raise OSError("not yet")
            emit({"attempts": attempt.num}, options.json, "")
    logger("ours").warning("from ours")
    logging.getLogger("theirs").warning("from a library")
"""


def _command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    """Put one command `try` on the command line, made of `body`."""
    module = f"command_of_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(
        f"from schemas.errors import *\n\ndef run(*, n: int = 0) -> None:\n    {body}\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("try", f"{module}:run", "Try."),))


@pytest.fixture(autouse=True)
def _home_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tracebacks of these tests out of the project's folder."""
    monkeypatch.setenv("ECHOPULSE_HOME", str(tmp_path / "home"))


def test_help_lists_the_commands_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    """First what a newcomer meets."""
    assert cli.main(["--help"]) == cli.DONE
    out = capsys.readouterr().out
    places = [out.index(f"│ {command.name} ") for command in cli.COMMANDS]
    assert places == sorted(places)
    assert [command.name for command in cli.COMMANDS[:5]] == ["ingest", "pipeline", "feature", "registry", "completion"]


def test_help_imports_nothing_heavy() -> None:
    """No command's module and none of the heavy libraries is loaded for --help."""
    code = (
        "import sys; from echopulse.cli.main import main; main(['--help']); "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('feast', 'pyflink', 'pandas', 'numpy', 'pyarrow', 'numba', 'pydantic', 'boto3', 'confluent_kafka')], "
        "file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_and_takes_the_global_options(
    command: cli.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each registered command exists, and is described."""
    assert cli.main([command.name, "--help"]) == cli.DONE, capsys.readouterr().err
    out = capsys.readouterr().out
    assert f"echopulse {command.name}" in out
    assert "COMMAND" in out or ("--json" in out and "--config" in out)


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """--version says what is installed."""
    assert cli.main(["--version"]) == cli.DONE
    assert capsys.readouterr().out.strip() == importlib.metadata.version("echopulse")


def test_entry_point_is_installed() -> None:
    """The script `echopulse` beside this Python runs."""
    script = os.path.join(os.path.dirname(sys.executable), "echopulse")  # noqa: PTH118, PTH120 resolving would leave .venv
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == importlib.metadata.version("echopulse")


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("pass", cli.DONE, ""),
        (
            "raise EchoPulseError('no such file x', 'look again')",
            cli.FAILED,
            "echopulse: no such file x (look again)\n",
        ),
        ("raise EchoPulseError('two\\nlines')", cli.FAILED, "echopulse: two lines\n"),
        ("raise UsageError('--n and --m exclude each other')", cli.WRONG_USAGE, "echopulse: --n and --m exclude"),
        ("raise KeyboardInterrupt", cli.INTERRUPTED, "echopulse: interrupted\n"),
        ("raise ValueError('odd')", cli.FAILED, "echopulse: unexpected ValueError: odd (the traceback is in "),
    ],
)
def test_every_ending_is_one_line(
    body: str,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code and line on stderr, and no traceback."""
    _command(monkeypatch, tmp_path, body)
    assert cli.main(["try"]) == code
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert err.count("\n") == bool(said)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tyr"], "unknown command 'tyr' (did you mean 'try'?)"),
        (["zzz"], "unknown command 'zzz' (known: try)"),
        (["try", "--m", "1"], "Unknown option: --m. Did you mean --n?"),
        (["try", "--n", "x"], 'Invalid value for --n: unable to convert "x" into int.'),
        (["try", "--n", "1", "more"], "unexpected argument 'more'"),
    ],
)
def test_wrong_usage_exits_2(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line with the near miss."""
    _command(monkeypatch, tmp_path, "pass")
    assert cli.main(arguments) == cli.WRONG_USAGE
    assert capsys.readouterr().err == f"echopulse: {said}\n"


def test_global_options_may_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    """`echopulse --json completion bash` is `echopulse completion bash --json`."""
    assert cli.main(["--json", "--config", "x.yaml", "completion", "bash"]) == cli.DONE
    assert capsys.readouterr().out.startswith('{"shell":"bash"')


def test_what_logs_leaves_stdout_to_the_one_document(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A retry, a logger of ours and one of a library: all on stderr, and the JSON alone on stdout."""
    module = f"command_of_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(LOGGING_COMMAND, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("try", f"{module}:run", "Try."),))
    assert cli.main(["try", "--json"]) == cli.DONE
    out, err = capsys.readouterr()
    assert json.loads(out) == {"attempts": 2}
    for said in ("stamina.retry_scheduled", "from ours", "from a library"):
        assert said in err


def test_a_reader_that_leaves_is_no_error() -> None:
    """`echopulse ... | head` ends quietly."""
    line = f"{sys.executable} -m echopulse.cli.main completion bash | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""
    assert int(done.stdout) in {cli.DONE, cli.BROKEN_PIPE}
