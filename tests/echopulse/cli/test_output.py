"""Results on stdout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from echopulse.cli.output import counted, emit


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """One line of JSON, with paths, sets and numpy values as plain ones, and no text built."""
    emit({"path": Path("a/b"), "names": {"y", "x"}, "n": np.int64(3)}, json=True, text=lambda: pytest.fail("built"))
    out = capsys.readouterr().out
    assert json.loads(out) == {"path": "a/b", "names": ["x", "y"], "n": 3}
    assert out.count("\n") == 1


@pytest.mark.parametrize(("text", "printed"), [("3 events", "3 events\n"), (lambda: "late", "late\n"), ("", "")])
def test_text_for_a_person(capsys: pytest.CaptureFixture[str], text: str, printed: str) -> None:
    """A string or what makes one; an empty one prints nothing."""
    emit({"n": 3}, json=False, text=text)
    assert capsys.readouterr().out == printed


def test_unknown_value_is_named() -> None:
    """What JSON cannot hold is an error with its type."""
    with pytest.raises(TypeError, match="not JSON serializable: object"):
        emit({"x": object()}, json=True, text="")


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 events"), (1, "1 event"), (2, "2 events"), (12_345, "12,345 events")]
)
def test_a_count_has_its_noun(number: int, told: str) -> None:
    """One is one, all else is many."""
    assert counted(number, "event") == told
