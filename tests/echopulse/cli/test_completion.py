"""Completion scripts, tried in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from echopulse.cli.completion import script

#: What a shell offers after `echopulse completion ` and after `echopulse completion bash --c`.
SHELLS = {"bash", "zsh", "fish"}


def _shell(name: str) -> str:
    """Return the shell's path; skip where a user has none, fail where CI lacks it."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, but CI must try its completion")
        pytest.skip(f"{name} is not installed: its completion is not tried")
    return path


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return the script of the shell in the test's parameter, in a file; an `echopulse` is on the PATH."""
    file = tmp_path / f"echopulse.{request.param}"
    file.write_text(script(request.param), encoding="utf-8")
    return file


def _run(*command: str) -> list[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert done.stderr == ""
    return done.stdout.splitlines()


def _bash(file: Path, *words: str) -> list[str]:
    """Complete the last of the words as bash does: through the function that `complete` registered."""
    quoted = " ".join(f"'{word}'" for word in words)
    steps = (
        f"source {file}",
        f"COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}",
        "registered=($(complete -p echopulse))",  # complete -F FUNCTION echopulse
        "${registered[2]}",
        "printf '%s\\n' \"${COMPREPLY[@]}\"",
    )
    return _run(_shell("bash"), "--norc", "-c", "; ".join(steps))


@pytest.mark.parametrize("written", ["bash"], indirect=True)
def test_bash_registers_and_completes(written: Path) -> None:
    """Bash knows the command, its groups, their commands and their options."""
    assert "echopulse" in _run(_shell("bash"), "--norc", "-c", f"source {written}; complete -p echopulse")[0]
    assert _bash(written, "echopulse", "inge") == ["ingest"]
    assert set(_bash(written, "echopulse", "completion", "")) == SHELLS
    assert _bash(written, "echopulse", "completion", "bash", "--js") == ["--json"]


@pytest.mark.parametrize("written", ["fish"], indirect=True)
def test_fish_completes(written: Path) -> None:
    """Fish offers what comes next, with its description."""

    def offered(line: str) -> dict[str, str]:
        rows = _run(_shell("fish"), "--no-config", "-c", f"source {written}; complete -C '{line}'")
        return {row.partition("\t")[0]: row.partition("\t")[2] for row in rows}

    assert "Bring events in" in offered("echopulse inge")["ingest"]
    assert set(offered("echopulse completion ")) >= SHELLS
    assert "--json" in offered("echopulse completion bash --js")


@pytest.mark.parametrize("how", ["fpath", "source"])
@pytest.mark.parametrize("written", ["zsh"], indirect=True)
def test_zsh_completes(written: Path, how: str, tmp_path: Path) -> None:
    """Zsh completes at the tab key, from a file in the fpath or sourced; twice, as the first only loads it."""
    written.rename(tmp_path / "_echopulse")
    environment = os.environ | {"TERM": "xterm", "PS1": "ready> ", "ZDOTDIR": str(tmp_path), "HOME": str(tmp_path)}
    steps = [f"fpath=({tmp_path} $fpath)"] if how == "fpath" else []
    steps += ["autoload -U compinit", "compinit -D -u", 'echopulse() { print -r -- "called:" $*; }']
    steps += [f"source {tmp_path}/_echopulse"] if how == "source" else []
    with pexpect.spawn(_shell("zsh"), ["-f", "-i"], env=environment, timeout=30, encoding="utf-8") as shell:
        shell.expect_exact("ready> ")
        shell.sendline("; ".join(steps))
        for _ in range(2):
            shell.send("echopulse comple\tfi\t--js\t\r")
            shell.expect_exact("called: completion fish --json")
