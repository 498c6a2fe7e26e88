"""The process that keeps a stack, waited for from outside."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from echopulse.stack.owner import note, wait_for_end
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from echopulse.stack.settings import StackSettings

OWNER = """
import sys
from pathlib import Path
from echopulse.stack.owner import note
from echopulse.stack.settings import StackSettings
note(StackSettings(home=Path(sys.argv[1])))
print("noted", flush=True)
sys.stdin.read()
"""


@contextmanager
def owner(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that keeps the stack of a home until its standard input ends."""
    (home / "run").mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "noted\n"
        try:
            yield process
        finally:
            process.kill()


def test_its_end_is_waited_for(stack_settings: StackSettings) -> None:
    """Who waits is told for whom, once; afterwards there is nobody to wait for."""
    said: list[str] = []
    with owner(stack_settings.home) as process:
        assert process.stdin is not None
        closed = process.stdin

        def told(line: str) -> None:
            said.append(line)
            closed.close()

        wait_for_end(stack_settings, told, 30)
        assert said == [f"waiting for the `up` or `run` of this stack to end (pid {process.pid})"]
        process.wait(30)
    wait_for_end(stack_settings, said.append, 30)
    assert len(said) == 1


def test_one_that_stays_is_named(stack_settings: StackSettings) -> None:
    """After a limit, with what ends it."""
    with (
        owner(stack_settings.home) as process,
        pytest.raises(EchoPulseError, match=rf"{process.pid}, has not ended after 0.1 s \(`kill {process.pid}` ends"),
    ):
        wait_for_end(stack_settings, lambda _: None, 0.1)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"pid": 1}'])
def test_nobody_is_waited_for_in_vain(stack_settings: StackSettings, damage: str) -> None:
    """Neither itself, nor what no file, or a damaged one, names."""
    said: list[str] = []
    wait_for_end(stack_settings, said.append, 0)
    stack_settings.run.mkdir(parents=True)
    note(stack_settings)
    wait_for_end(stack_settings, said.append, 0)
    (stack_settings.run / "owner.json").write_text(damage)
    wait_for_end(stack_settings, said.append, 0)
    assert said == []


def test_a_home_that_cannot_be_written_is_one_line(stack_settings: StackSettings) -> None:
    """With the setting that mends it."""
    with pytest.raises(EchoPulseError, match=r"cannot write .*owner\.json: .*set `home`"):
        note(stack_settings)
