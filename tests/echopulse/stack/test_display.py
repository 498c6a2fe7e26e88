"""What is shown while a stack starts."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from echopulse.stack.display import progress, table
from echopulse.stack.spec import ServiceState

if TYPE_CHECKING:
    import pytest

KAFKA = ServiceState("kafka", "ready", "127.0.0.1:1", Path("/logs/kafka.log"), 7, seconds=1.25)
FAILED = ServiceState("s3", "failed", "http://x", Path("/logs/s3.log"), 8, "ended", ("one [red]", "two"), 2.0)


def states() -> list[ServiceState]:
    """Return a start in which a download is told megabyte by megabyte."""
    fetching = [ServiceState("jars kafka", "fetching", "/c", Path("/c"), detail=f"{n}.0 of 2.0 MB") for n in range(3)]
    return [*fetching, KAFKA, FAILED]


def test_lines_where_there_is_no_terminal() -> None:
    """One line per change of phase, a failure with the end of its log, nothing read as markup."""
    out = io.StringIO()
    with progress(Console(file=out, width=40)) as show:
        for state in states():
            show(state)
    assert out.getvalue().splitlines() == [
        "jars kafka: fetching: 0.0 of 2.0 MB",
        "kafka: ready after 1.2 s 127.0.0.1:1 (pid 7, log /logs/kafka.log)",
        "s3: failed after 2.0 s: ended",
        "  one [red]",
        "  two",
    ]


def test_a_table_on_a_terminal() -> None:
    """The last state of each service is in the table, and the log's end above it."""
    out = io.StringIO()
    with progress(Console(file=out, width=200, force_terminal=True, color_system=None)) as show:
        for state in states():
            show(state)
    text = out.getvalue()
    assert "s3: one [red]" in text
    assert "2.0 of 2.0 MB" in text
    assert "127.0.0.1:1" in text


def test_at_rest_a_terminal_gets_lines() -> None:
    """The table stands once more, is not redrawn, and what changes later is a line: others draw on the terminal now."""
    out = io.StringIO()
    with progress(Console(file=out, width=200, force_terminal=True, color_system=None)) as show:
        show(KAFKA)
        show.rest()
        show.rest()
        stood = out.getvalue()
        time.sleep(0.6)  # twice as long as between two redrawings
        assert out.getvalue() == stood
        show(FAILED)
    assert out.getvalue().removeprefix(stood).splitlines() == ["s3: failed after 2.0 s: ended", "  one [red]", "  two"]
    assert stood.count("127.0.0.1:1 ") >= 1


def test_paths_are_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log below the current folder is shown as a person would type it, once it is there."""
    monkeypatch.chdir(tmp_path)
    state = ServiceState("s3", "ready", "x", tmp_path / "logs" / "s3.log")
    assert drawn(state) == [["service", "state", "address", "pid", "note", "log"], ["s3", "ready", "x"]]
    state.log.parent.mkdir()
    state.log.touch()
    assert drawn(state)[1] == ["s3", "ready", "x", "logs/s3.log"]


def test_seconds_are_told_of_what_is_ready() -> None:
    """With their unit and what they are; of what failed they would say nothing."""
    assert drawn(KAFKA, FAILED) == [
        ["service", "state", "address", "pid", "ready", "after", "note", "log"],
        ["kafka", "ready", "127.0.0.1:1", "7", "1.2", "s"],
        ["s3", "failed", "http://x", "8", "ended"],
    ]


def drawn(*states: ServiceState) -> list[list[str]]:
    """Return the words of each line of the table."""
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(states))
    return [line.split() for line in capture.get().splitlines()]
