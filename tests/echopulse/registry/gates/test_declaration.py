"""Gates as YAML declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.registry.gates.declaration import SHIPPED, read_gates
from echopulse.registry.gates.quality import Quality
from echopulse.training.datasets import TASKS
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("task", list(TASKS))
def test_what_ships_covers_every_task(task: str) -> None:
    """None can be promoted unjudged."""
    declared = read_gates(SHIPPED, task)
    assert isinstance(declared.gates[0], Quality)
    assert len(declared.gates) >= 5
    assert declared.role == ""


def test_a_role_is_asked_for(tmp_path: Path) -> None:
    """The order of the file is kept, and its bytes are named."""
    path = tmp_path / "gates.yaml"
    path.write_text("hate:\n  size: {ceiling_mib: 1}\n  quality:\n  approval: {role: lead}\n", encoding="utf-8")
    declared = read_gates(path, "hate")
    assert [gate.name for gate in declared.gates] == ["size", "quality"]
    assert declared.role == "lead"
    assert declared.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hat:\n  quality: {}", "no task 'hat' (did you mean 'hate'?)"),
        ("sentiment:\n  quality: {}", "declares no gates for hate (without gates nothing is promoted)"),
        ("hate:\n  approval: {role: lead}", "declares no gates for hate (without gates nothing is promoted)"),
        ("hate:\n  qualty: {}", "hate: no gate 'qualty' (did you mean 'quality'?)"),
        ("hate:\n  quality: {margn: 1}", "hate.quality.margn: Extra inputs are not permitted"),
        ("hate:\n  size: {}", "hate.size.ceiling_mib: Field required"),
        ("hate:\n  quality: {}\n  approval: lead", "hate.approval: a role is expected (approval: {role: NAME})"),
        ("[", "not YAML"),
        ("- hate", "a mapping of tasks to gates is expected"),
    ],
)
def test_faults(text: str, told: str, tmp_path: Path) -> None:
    """Each names the file and the place."""
    path = tmp_path / "gates.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EchoPulseError) as error:
        read_gates(path, "hate")
    assert str(error.value).startswith(str(path))
    assert told in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    """A path that leads nowhere."""
    with pytest.raises(EchoPulseError, match=r"cannot be read: No such file or directory \(registry.gates names it\)"):
        read_gates(tmp_path / "none.yaml", "hate")
